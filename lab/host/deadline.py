"""Waiting: always for a condition, never longer than a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from lab.errors import LabError

T = TypeVar("T")

POLL = 0.1
"""Seconds between two looks at a condition."""

LATE = "Waited in vain for: {what}"
WITHIN = "{what}, within {seconds:.0f} s"
NOTHING = "it did not happen"


@dataclass(frozen=True)
class Deadline:
    """A point in time that everything below one step shares. seconds: how far away it was when it was set."""

    end: float
    seconds: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """That many seconds from now, by the monotonic clock."""
        return cls(time.monotonic() + seconds, seconds)

    @property
    def remaining(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self.end - time.monotonic())

    @property
    def expired(self) -> bool:
        return self.remaining == 0.0

    def error(self, what: str, seen: str = "", log: str = "", cure: str = "") -> LabError:
        """The error to raise when this deadline passed. what: the thing waited for, as a noun."""
        return LabError(
            LATE.format(what=what),
            expected=WITHIN.format(what=what, seconds=self.seconds),
            seen=seen or NOTHING,
            log=log,
            cure=cure,
        )


def wait_until(
    condition: Callable[[], T],
    deadline: Deadline,
    what: str,
    seen: Callable[[], str] = str,
    log: str = "",
    cure: str = "",
    poll: float = POLL,
) -> T:
    """The first truthy value of `condition`, looked at every `poll` seconds, once more at the deadline.

    seen: called only on failure; what to show as seen. Raises LabError.
    """
    while True:
        expired = deadline.expired
        if value := condition():
            return value
        if expired:
            raise deadline.error(what, seen(), log, cure)
        time.sleep(min(poll, deadline.remaining))

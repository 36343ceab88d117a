"""What the engine tells its listeners. The engine never prints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """Where a step stands."""

    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    NOTE = "note"


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    subject: a machine's name, "image NAME", or "lab".
    step:    short verb phrase, for example "boot".
    phase:   see Phase.
    seconds: duration of the step for DONE and FAILED, else 0.0.
    detail:  one line for people, or "".
    """

    subject: str
    step: str
    phase: Phase
    seconds: float = 0.0
    detail: str = ""


Listener = Callable[[Event], None]


def silent(_: Event) -> None:
    """A listener for callers who do not care."""

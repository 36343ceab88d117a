"""Reading a console without holding it: QEMU writes every byte of a serial line to a file as well."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.console.screen import rendered
from lab.errors import LabError

POLL_SECONDS = 0.05
SCREEN_BYTES = 6000
"""How much of the end of a log is rendered as the last screen."""


@dataclass(frozen=True)
class Mark:
    """One line to wait for on a console. name: what it means to a person, for example "boot complete"."""

    name: str
    pattern: re.Pattern[bytes]


class ConsoleLog:
    """The log of one serial line, read from where it stood when this object was made (or from `offset` bytes)."""

    def __init__(self, path: Path, offset: int | None = None) -> None:
        self.path = path
        self.offset = (path.stat().st_size if path.exists() else 0) if offset is None else offset

    def text(self) -> bytes:
        """Everything since the start of this reading."""
        if not self.path.exists():
            return b""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read()

    def last_screen(self) -> str:
        return rendered(self.text()[-SCREEN_BYTES:])

    def wait_for(
        self, mark: Mark, seconds: float, alive: Callable[[], bool] = lambda: True, failure: Mark | None = None
    ) -> re.Match[bytes]:
        """Wait until `mark` has been written. alive: whether the guest still runs; failure: a line that means it never will.

        Raises LabError with the last screen when the time is up, the guest is gone, or the failure line shows.
        """
        end = time.monotonic() + seconds
        while True:
            running = alive()
            text = self.text()
            if found := mark.pattern.search(text):
                return found
            if failure and failure.pattern.search(text):
                raise self._stuck(mark, f"the console shows that it failed: {failure.name}")
            if not running:
                raise self._stuck(mark, "the guest stopped")
            if time.monotonic() > end:
                raise self._stuck(mark, f"nothing of the kind within {seconds:.0f} s")
            time.sleep(POLL_SECONDS)

    def _stuck(self, mark: Mark, seen: str) -> LabError:
        screen = self.last_screen()
        return LabError(
            f"The console of {self.path.stem} did not reach: {mark.name}",
            expected=mark.name,
            seen=f"{seen}\n{screen or '(an empty screen)'}",
            log=str(self.path),
            cure="read the log; `./inv lab.down` and `./inv lab.up` start afresh",
        )

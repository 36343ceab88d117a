"""A line as a person has it before them: a screen that fills, a keyboard, and the patience to wait until it is quiet."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import pexpect

from lab.console.picture import Display, KernelFilter
from lab.console.transcript import Transcript

CHUNK = 4096
PAST_BYTES = 8192
"""How much of what was said before is drawn when a line is joined in the middle."""


class Line(Protocol):
    """What a driver needs of a line: lab.console.line.SerialLine, a pseudo terminal, or a test's."""

    def read_nonblocking(self, size: int = 1, timeout: float | None = -1) -> bytes:
        """What came, at most `size` bytes. Raises pexpect.TIMEOUT after `timeout` seconds, pexpect.EOF at the end."""

    def send(self, s: bytes | str) -> int:
        """Send it in one write."""


class Terminal:
    """A line, drawn. past: what was said on it before it was joined; clock: seconds, for tests."""

    def __init__(
        self,
        line: Line,
        transcript: Transcript | None = None,
        past: bytes = b"",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.display = Display()
        self.closed = False
        self.clock = clock
        self.transcript = transcript or Transcript()
        self._line = line
        self._filter = KernelFilter()
        self._taps: list[bytearray] = []
        self._show(past[-PAST_BYTES:])
        self.display.feed(self._filter.flush())

    def pump(self, seconds: float) -> bool:
        """Draw what comes within that time; returns at the first of it. False where nothing came."""
        if self.closed:
            return False
        try:
            data = self._line.read_nonblocking(CHUNK, seconds)
        except pexpect.TIMEOUT:
            self.display.feed(self._filter.flush())
            return False
        except (pexpect.EOF, OSError):
            self.closed = True
            return False
        if data:
            self.transcript.heard(data)
            self._show(data)
        return bool(data)

    def settle(self, quiet: float, limit: float) -> bool:
        """Draw until nothing has come for `quiet` seconds. False where that did not happen within `limit` seconds."""
        end = self.clock() + limit
        while not self.closed and self.clock() < end:
            if not self.pump(quiet):
                return True
        return self.closed

    def press(self, keys: bytes, hidden: bool = False) -> None:
        """Send keys in one write: an escape sequence that is torn apart would be taken for ESC alone."""
        self.transcript.typed(keys, hidden)
        if self.closed:
            return
        try:
            self._line.send(keys)
        except (pexpect.EOF, OSError):
            self.closed = True

    def tap(self) -> bytearray:
        """A buffer that gets every byte that comes from now on."""
        self._taps.append(bytearray())
        return self._taps[-1]

    def _show(self, data: bytes) -> None:
        for tap in self._taps:
            tap += data
        self.display.feed(self._filter.feed(data))

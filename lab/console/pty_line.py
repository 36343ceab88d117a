"""A command on a pseudo terminal of 80 x 24, as a line: what speaks there can be driven like a serial console."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pexpect

from lab.console.screen import COLUMNS, ROWS
from lab.console.size_queries import SizeQueries
from lab.errors import LabError

if TYPE_CHECKING:
    _BytesSpawn = pexpect.spawn[bytes]
else:
    _BytesSpawn = pexpect.spawn

TERM = "vt100"
"""What a serial line of pfSense's is (getty's `al.3wire`, and the installer's default)."""


class PtyLine(_BytesSpawn):
    """Started at once; ends with `close`. Answers a terminal's size queries, as lab.console.line.SerialLine does."""

    def __init__(self, command: list[str], timeout: float = 30.0) -> None:
        try:
            super().__init__(
                command[0],
                list(command[1:]),
                timeout=timeout,
                dimensions=(ROWS, COLUMNS),
                env={**os.environ, "TERM": os.environ.get("URANUS_TERM", TERM)},
            )
        except (pexpect.ExceptionPexpect, OSError) as error:
            raise LabError(
                f"The command cannot be started: {command[0]}",
                expected="a program that speaks on a terminal",
                seen=str(error).splitlines()[0],
            ) from error
        self.delaybeforesend = None
        self._queries = SizeQueries()

    def read_nonblocking(self, size: int = 1, timeout: float | None = -1) -> bytes:
        data: bytes = super().read_nonblocking(size, timeout)
        for answer in self._queries.answers(data):
            self.send(answer)
        return data

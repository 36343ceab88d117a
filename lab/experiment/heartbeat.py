"""How much the host itself stood still during a run: a small process that only sleeps, and notes when it woke too late.

Runs as a program of its own (`python3 heartbeat.py`), standard library only, so that the experiment's own work does not
disturb it. It ends when its stdin does.
"""

from __future__ import annotations

import select
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import IO

PERIOD = 0.005
"""Seconds of each sleep."""
NOTED = 0.002
"""Seconds of lateness below which nothing is written down."""


@dataclass(frozen=True)
class Stall:
    """woke: seconds since the epoch. late: seconds it should have woken earlier."""

    woke: float
    late: float


@dataclass(frozen=True)
class Stalls:
    """Every late wake-up of a run."""

    all: tuple[Stall, ...]

    def worst(self, start: float, end: float) -> float:
        """The longest stall that touches [start, end], 0.0 where none does."""
        return max(
            (stall.late for stall in self.all if stall.woke >= start and stall.woke - stall.late <= end), default=0.0
        )


class Heartbeat:
    """Use as a context; `stalls` is there once it has ended."""

    def __init__(self) -> None:
        self.stalls = Stalls(())
        self._process: subprocess.Popen[bytes] | None = None
        self._notes: IO[bytes] | None = None

    def __enter__(self) -> Heartbeat:
        self._notes = tempfile.TemporaryFile()
        command = [sys.executable, "-I", __file__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=self._notes)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is None or self._notes is None:
            return
        self._process.communicate()
        self._notes.seek(0)
        rows = (line.split() for line in self._notes.read().decode().splitlines())
        self.stalls = Stalls(tuple(Stall(float(woke), float(late)) for woke, late in rows))
        self._notes.close()


def beat() -> None:
    """Sleep until stdin ends; one line `WOKE LATE` per late wake-up."""
    while True:
        slept = time.monotonic()
        if select.select([sys.stdin], [], [], PERIOD)[0]:
            return
        late = time.monotonic() - slept - PERIOD
        if late > NOTED:
            print(f"{time.time():.6f} {late:.6f}")


if __name__ == "__main__":
    beat()

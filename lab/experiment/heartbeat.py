"""How much the host itself stood still during a run: a small process that only sleeps and notes when it woke too late.

Where guests are watched, it also notes how long they waited for a processor they could have used: on a computer with more
to do than cores, a guest is late although the host never stalls. The kernel counts that (`/proc/PID/task/*/schedstat`).

Runs as a program of its own (`python3 heartbeat.py WATCHED`), standard library only, so that the experiment's own work does
not disturb it. It ends when its stdin does.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PERIOD = 0.005
"""Seconds of each sleep."""
NOTED = 0.002
"""Seconds of lateness below which nothing is written down."""
LOOK = 0.02
"""Seconds between two looks at how long the guests have waited."""
SEARCH = 0.5
"""Seconds between two searches for a guest that does not run."""


@dataclass(frozen=True)
class Stall:
    """woke: seconds since the epoch. late: seconds it should have woken earlier."""

    woke: float
    late: float


@dataclass(frozen=True)
class Wait:
    """A guest waited `seconds` for a processor within the LOOK before `seen` (seconds since the epoch)."""

    seen: float
    guest: str
    seconds: float


@dataclass(frozen=True)
class Stalls:
    """Every late wake-up of a run, and every wait of a guest that was watched."""

    all: tuple[Stall, ...]
    waits: tuple[Wait, ...] = ()

    def worst(self, start: float, end: float) -> float:
        """The longest stall that touches [start, end], 0.0 where none does."""
        return max(
            (stall.late for stall in self.all if stall.woke >= start and stall.woke - stall.late <= end), default=0.0
        )

    def waited(self, guest: str, start: float, end: float) -> float:
        """How long a guest waited for a processor within [start, end], 0.0 where it was not watched."""
        return sum(wait.seconds for wait in self.waits if wait.guest == guest and start <= wait.seen <= end + LOOK)

    def longest_wait(self, start: float, end: float) -> float:
        """The same of the guest that waited longest."""
        return max((self.waited(guest, start, end) for guest in {wait.guest for wait in self.waits}), default=0.0)


class Heartbeat:
    """Use as a context; `stalls` is there once it has ended.

    watched: guest -> words that stand in its process's command line and in no other's.
    """

    def __init__(self, watched: Mapping[str, str] | None = None) -> None:
        self.stalls = Stalls(())
        self._watched = dict(watched or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._notes: IO[bytes] | None = None

    def __enter__(self) -> Heartbeat:
        self._notes = tempfile.TemporaryFile()
        command = [sys.executable, "-I", __file__, json.dumps(self._watched)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=self._notes)
        # A stall before its first beat would go unseen: python takes a while to start on a busy computer.
        while not os.fstat(self._notes.fileno()).st_size and self._process.poll() is None:
            time.sleep(PERIOD)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is None or self._notes is None:
            return
        self._process.communicate()
        self._notes.seek(0)
        rows = [line.split() for line in self._notes.read().decode().splitlines()]
        self.stalls = Stalls(
            tuple(Stall(float(row[1]), float(row[2])) for row in rows if row[0] == "stall"),
            tuple(Wait(float(row[1]), row[3], float(row[2])) for row in rows if row[0] == "wait"),
        )
        self._notes.close()


class Watch:
    """One guest's waiting, read from the kernel's counters. words: see Heartbeat."""

    def __init__(self, guest: str, words: str) -> None:
        self.guest = guest
        self._words = words.encode()
        self._pid = 0
        self._before = 0
        self._searched = 0.0

    def look(self) -> float:
        """Seconds waited since the last look; 0.0 where the guest does not run, and at the first look."""
        try:
            waited = sum(
                int(task.read_text().split()[1]) for task in Path(f"/proc/{self._pid}/task").glob("*/schedstat")
            )
        except (OSError, IndexError, ValueError):
            waited = 0
        if not waited:
            self._search()
            return 0.0
        # A thread that ended takes its count along: never backwards.
        since = max(0, waited - self._before) if self._before else 0
        self._before = waited
        return since / 1e9

    def _search(self) -> None:
        now = time.monotonic()
        if now - self._searched < SEARCH:
            return
        self._searched, self._before = now, 0
        for place in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                found = self._words in place.read_bytes()
            except OSError:
                continue
            if found and place.parent.name != str(self._own()):
                self._pid = int(place.parent.name)
                return

    @staticmethod
    def _own() -> int:
        """Our own command line has the words too."""
        return int(Path("/proc/self").readlink().name)


def beat(watched: Mapping[str, str]) -> None:
    """Sleep until stdin ends; a line `beats`, then `stall WOKE LATE` per late wake-up, `wait SEEN SECONDS GUEST` per wait."""
    print("beats", flush=True)
    watches = [Watch(guest, words) for guest, words in watched.items()]
    looked = 0.0
    while True:
        slept = time.monotonic()
        if select.select([sys.stdin], [], [], PERIOD)[0]:
            return
        late = time.monotonic() - slept - PERIOD
        if late > NOTED:
            print(f"stall {time.time():.6f} {late:.6f}")
        if watches and slept - looked >= LOOK:
            looked = slept
            for watch in watches:
                if (waited := watch.look()) > NOTED:
                    print(f"wait {time.time():.6f} {waited:.6f} {watch.guest}")


if __name__ == "__main__":
    beat(json.loads(sys.argv[1]) if len(sys.argv) > 1 else {})

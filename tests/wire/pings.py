"""A series of pings: how many came back, and how long none did."""

from __future__ import annotations

import math
import re
import subprocess
from itertools import pairwise
from pathlib import Path

from tests.wire.namespaces import Node, until

_STAMP = re.compile(r"^\[(\d+\.\d+)\].*icmp_seq=(\d+)", re.MULTILINE)


class Pings:
    """`ping` every `interval` seconds while the context lasts."""

    def __init__(self, node: Node, address: str, directory: Path, interval: float = 0.02) -> None:
        self._log = directory / f"ping-{address}"
        self._command = ["ping", "-n", "-D", "-i", str(interval), "-W", "1", address]
        self._node = node
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Pings:
        with self._log.open("wb") as output:
            self._process = self._node.start(self._command, stdout=output, stderr=subprocess.STDOUT)
        until(lambda: len(self.replies()) > 3)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process
        self._process.send_signal(2)
        self._process.wait()

    def replies(self) -> list[tuple[float, int]]:
        """(wall clock time, sequence number) of each reply."""
        return [(float(time), int(number)) for time, number in _STAMP.findall(self._log.read_text())]

    def lost(self) -> int:
        """How many have no reply, but for the last one, which the end of ping itself may cut off. After the context."""
        numbers = {number for _, number in self.replies()}
        return max(numbers) - len(numbers)

    def longest_gap(self, begin: float = 0.0, end: float = math.inf) -> float:
        """Seconds between two neighbouring replies, at most. begin, end: of those that touch this time."""
        times = [time for time, _ in self.replies()]
        gaps = (later - earlier for earlier, later in pairwise(times) if later >= begin and earlier <= end)
        return max(gaps, default=0.0)

    def unanswered(self, begin: float, end: float) -> int:
        """How many were lost between the last reply before `begin` and the first one after `end`."""
        replies = self.replies()
        around = [number for time, number in replies if begin <= time <= end]
        around += [number for time, number in replies if time < begin][-1:]
        around += [number for time, number in replies if time > end][:1]
        return max(around) - min(around) + 1 - len(set(around))

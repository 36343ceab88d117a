"""A series of pings: how many came back, and how long none did."""

from __future__ import annotations

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

    def longest_gap(self) -> float:
        """Seconds between two neighbouring replies, at most."""
        times = [time for time, _ in self.replies()]
        return max(later - earlier for earlier, later in pairwise(times))

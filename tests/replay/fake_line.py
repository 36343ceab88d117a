"""A line in memory, with a clock of its own: what a console says comes in pieces, damaged on the way if that is wanted."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Protocol

import pexpect

KERNEL_LINES = (
    b"vtnet1: link state changed to UP\r\n",
    b"vtnet3: link state changed to DOWN\r\n",
    b"arp: 172.17.1.10 moved from 52:54:00:17:00:01 to 52:54:00:17:00:09 on vtnet1\r\n",
    b"carp: 1@vtnet1: BACKUP -> MASTER (master timed out)\r\n",
    b"pid 4711 (php-fpm), jid 0, uid 0: exited on signal 11 (core dumped)\r\n",
    b"pflog0: promiscuous mode enabled\r\n",
)


class Console(Protocol):
    """The true state of affairs. wrong: the first key that was wrong, or ""."""

    wrong: str

    def start(self) -> bytes:
        """What it says by itself."""

    def typed(self, data: bytes) -> bytes:
        """What it says to these keys, echo included."""


@dataclass
class Damage:
    """What happens to the bytes of a console: at an offset, one is dropped, one doubled, or a kernel line comes in between."""

    at: dict[int, str] = field(default_factory=dict)
    piece: int = 4096

    @classmethod
    def some(cls, luck: random.Random, length: int) -> Damage:
        """One to three mishaps within `length` bytes, and pieces of a random size."""
        kinds = luck.choices(("drop", "double", "kernel"), k=luck.randint(1, 3))
        return cls({luck.randrange(length): kind for kind in kinds}, luck.choice((1, 3, 17, 64, 4096)))


class FakeLine:
    """As lab.console.terminal.Line. said: how many bytes the console has said."""

    def __init__(self, console: Console, damage: Damage | None = None, luck: random.Random | None = None) -> None:
        self.console, self.damage = console, damage or Damage()
        self.now, self.said, self.keys = 0.0, 0, b""
        self._luck = luck or random.Random(0)
        self._waiting = b""
        self._tell(console.start())

    def clock(self) -> float:
        return self.now

    def read_nonblocking(self, size: int = 1, timeout: float | None = -1) -> bytes:
        if not self._waiting:
            self.now += timeout or 0.0
            raise pexpect.TIMEOUT("nothing")
        self.now += 0.001
        piece, self._waiting = self._waiting[: self.damage.piece], self._waiting[self.damage.piece :]
        return piece

    def send(self, s: bytes | str) -> int:
        keys = s if isinstance(s, bytes) else s.encode()
        self.keys += keys
        self._tell(self.console.typed(keys))
        return len(keys)

    def _tell(self, data: bytes) -> None:
        for byte in data:
            kind = self.damage.at.get(self.said)
            self.said += 1
            if kind == "kernel":
                self._waiting += self._luck.choice(KERNEL_LINES)
            self._waiting += b"" if kind == "drop" else bytes([byte]) * (2 if kind == "double" else 1)

"""What one probe sent and what came back, read from the frames at its own machine's port; and the gaps in it."""

from __future__ import annotations

import re
import struct
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from lab.experiment.pcap import Frame

_ETHERNET = 14
_ECHO_REPLY, _ECHO_REQUEST = 0, 8
_SYN, _ACK, _RST = 0x02, 0x10, 0x04


class Try(NamedTuple):
    """One question. sent, answered: seconds since the epoch; answered is None where nothing came."""

    sent: float
    answered: float | None


class PingKey(NamedTuple):
    """One ping process at its machine: addresses packed, ident: ICMP identifier."""

    source: bytes
    destination: bytes
    ident: int


class ConnectKey(NamedTuple):
    """All fresh TCP connections from one machine to one port."""

    source: bytes
    destination: bytes
    port: int


class DatagramKey(NamedTuple):
    """Numbered UDP datagrams from one machine to one port. Sent at the source's port, answered by coming out at the target's."""

    source: bytes
    destination: bytes
    port: int


Key = PingKey | ConnectKey | DatagramKey

_NUMBER = re.compile(rb"icmp_seq=(\d+)")
"""What numbers a datagram: it carries a line of ping's (lab.experiment.probes)."""


@dataclass(frozen=True)
class Gap:
    """The longest outage.

    last: when the last question before it was asked that was answered; first: the next such, None where none came.
    Seconds since the epoch. lost: questions asked within it that were never answered.
    """

    last: float
    first: float | None
    lost: int

    @property
    def seconds(self) -> float | None:
        """None where it never ended."""
        return None if self.first is None else self.first - self.last


@dataclass
class DatagramBook:
    """Numbered datagrams, matched between the port they leave at and the port they come out at. taps: key -> both links."""

    taps: dict[DatagramKey, tuple[str, str]]
    _sent: dict[DatagramKey, dict[int, float]] = field(default_factory=dict)
    _arrived: dict[DatagramKey, dict[int, float]] = field(default_factory=dict)

    def feed(self, frames: Iterable[Frame]) -> None:
        """In any order: the two ports' frames may come apart."""
        for frame in frames:
            data = frame.data
            if data[12:14] != b"\x08\x00" or len(data) < _ETHERNET + 28 or data[23] != 17:
                continue
            start = _ETHERNET + (data[_ETHERNET] & 0x0F) * 4
            key = DatagramKey(data[26:30], data[30:34], int.from_bytes(data[start + 2 : start + 4], "big"))
            number = _NUMBER.search(data, start + 8)
            if key not in self.taps or number is None:
                continue
            near, far = self.taps[key]
            book = self._sent if frame.link == near else self._arrived if frame.link == far else None
            if book is not None:
                book.setdefault(key, {}).setdefault(int(number.group(1)), frame.seconds)

    def tries(self, key: DatagramKey) -> tuple[Try, ...]:
        """In order of sending."""
        arrived = self._arrived.get(key, {})
        return tuple(Try(time, arrived.get(number)) for number, time in sorted(self._sent.get(key, {}).items()))


@dataclass
class SeriesBook:
    """Every series of one machine's port, filled as frames come."""

    _tries: dict[Key, dict[tuple[int, int], Try]] = field(default_factory=dict)
    _rounds: dict[Key, int] = field(default_factory=dict)
    _newest: dict[Key, int] = field(default_factory=dict)

    def feed(self, frames: Iterable[Frame]) -> None:
        """Take in frames of that port, in order of time; what is neither echo nor TCP opening is passed over."""
        for frame in frames:
            data = frame.data
            if data[12:14] != b"\x08\x00" or len(data) < _ETHERNET + 28:
                continue
            start = _ETHERNET + (data[_ETHERNET] & 0x0F) * 4
            if data[23] == 1:
                self._echo(frame, start)
            elif data[23] == 6 and len(data) >= start + 14:
                self._opening(frame, start)

    def tries(self, key: Key) -> tuple[Try, ...]:
        """In order of sending."""
        return tuple(sorted(self._tries.get(key, {}).values()))

    def _echo(self, frame: Frame, start: int) -> None:
        kind, _, _, ident, number = struct.unpack_from(">BBHHH", frame.data, start)
        source, destination = frame.data[26:30], frame.data[30:34]
        if kind == _ECHO_REQUEST:
            key = PingKey(source, destination, ident)
            # Sequence numbers have 16 bits: a long run comes round.
            if number < self._newest.get(key, -1) - 0x8000:
                self._rounds[key] = self._rounds.get(key, 0) + 1
            self._newest[key] = number
            self._sent(key, (self._rounds.get(key, 0), number), frame.seconds)
        elif kind == _ECHO_REPLY:
            key = PingKey(destination, source, ident)
            turn = self._rounds.get(key, 0)
            if (turn, number) not in self._tries.get(key, {}):
                turn -= 1
            self._answered(key, (turn, number), frame.seconds)

    def _opening(self, frame: Frame, start: int) -> None:
        source_port, port, sequence, acknowledged = struct.unpack_from(">HHII", frame.data, start)
        flags = frame.data[start + 13]
        source, destination = frame.data[26:30], frame.data[30:34]
        if flags & _SYN and not flags & _ACK:
            self._sent(ConnectKey(source, destination, port), (source_port, sequence), frame.seconds)
        elif flags & _SYN and not flags & _RST:
            key = ConnectKey(destination, source, source_port)
            self._answered(key, (port, (acknowledged - 1) & 0xFFFFFFFF), frame.seconds)

    def _sent(self, key: Key, ident: tuple[int, int], time: float) -> None:
        # A SYN sent again is the same try: its first sending counts.
        self._tries.setdefault(key, {}).setdefault(ident, Try(time, None))

    def _answered(self, key: Key, ident: tuple[int, int], time: float) -> None:
        asked = self._tries.get(key, {}).get(ident)
        if asked is not None and asked.answered is None:
            self._tries[key][ident] = Try(asked.sent, time)


def longest_gap(tries: Sequence[Try], start: float, end: float, dead_after: float = 1.0) -> Gap | None:
    """The longest outage within [start, end], by the questions: from the last one that was answered to the next one that was.

    Only questions without an answer make an outage; a late answer does not, so that a slow guest is not taken for a lost
    packet. None where nothing asked before `end` was answered; a gap of no length where nothing was lost. The last answered
    question before `start` counts as the window's first. Silence at the window's end is a gap without an end, and goes
    before all others, once it has lasted `dead_after` seconds.
    """
    answered = sorted(try_.sent for try_ in tries if try_.answered is not None and try_.answered <= end)
    points = answered[max(bisect_right(answered, start) - 1, 0) :]
    if not points:
        return None
    if end - points[-1] >= dead_after:
        return Gap(points[-1], None, _unanswered(tries, points[-1], end))
    gaps = (Gap(last, following, _unanswered(tries, last, following)) for last, following in pairwise(points))
    return max(
        (gap for gap in gaps if gap.lost), key=lambda gap: gap.seconds or 0.0, default=Gap(points[0], points[0], 0)
    )


def _unanswered(tries: Sequence[Try], start: float, end: float) -> int:
    return sum(1 for try_ in tries if try_.answered is None and start <= try_.sent <= end)


def in_time(one: Try, patience: float) -> Try:
    """The same; without its answer where that came later than `patience` seconds."""
    late = one.answered is not None and one.answered - one.sent > patience
    return Try(one.sent, None) if late else one


def answered_after(tries: Sequence[Try], time: float) -> float | None:
    """When the first answer after `time` came."""
    return min((t.answered for t in tries if t.answered is not None and t.answered > time), default=None)


def within(tries: Sequence[Try], start: float, end: float) -> tuple[Try, ...]:
    """Those asked within [start, end)."""
    return tuple(one for one in tries if start <= one.sent < end)

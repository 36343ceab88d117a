"""Established TCP connections, byte by byte, read from the frames at their machines' own ports; and the silences in them.

Delivered bytes are what the server acknowledged and what it sent and the client got. What was sent again is kept too: after an
outage a connection goes on at its sender's next try, which TCP puts off longer and longer.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from lab.experiment.pcap import Frame

_ETHERNET = 14
_SYN, _ACK = 0x02, 0x10
_WRAP = 1 << 32


class StreamKey(NamedTuple):
    """All TCP connections from one machine to one port. Addresses packed."""

    source: bytes
    destination: bytes
    port: int


class Segment(NamedTuple):
    """One TCP segment. length: bytes of payload."""

    time: float
    source: bytes
    source_port: int
    destination: bytes
    port: int
    sequence: int
    acknowledged: int
    flags: int
    length: int


class Point(NamedTuple):
    """Something was delivered. bytes: all there was by then."""

    time: float
    bytes: int


@dataclass
class Connection:
    """One connection. points: each delivery, in order of time. resends: when its client, and its server, sent something again."""

    client_port: int
    points: list[Point] = field(default_factory=list)
    resends: list[float] = field(default_factory=list)
    _first_ack: int | None = None
    _first_byte: int | None = None
    _acked: int = 0
    _received: int = 0
    _sent: int | None = None
    _far_sent: int | None = None

    def from_client(self, segment: Segment) -> None:
        """As seen at the client's port."""
        if segment.flags & _SYN or not segment.length:
            return
        end = (segment.sequence + segment.length) % _WRAP
        self._sent = self._note_sending(self._sent, end, segment)

    def from_server(self, segment: Segment) -> None:
        """As seen at the client's port."""
        if segment.flags & _SYN:
            self._first_byte = (segment.sequence + 1) % _WRAP
        if segment.flags & _ACK:
            if self._first_ack is None:
                self._first_ack = segment.acknowledged
            self._acked = max(self._acked, _distance(self._first_ack, segment.acknowledged))
        if self._first_byte is not None and segment.length:
            end = segment.sequence + segment.length
            self._received = max(self._received, _distance(self._first_byte, end % _WRAP))
        total = self._acked + self._received
        if total > (self.points[-1].bytes if self.points else 0):
            self.points.append(Point(segment.time, total))

    def from_far_server(self, segment: Segment) -> None:
        """As seen at the server's own port: what it sends again may never reach the client."""
        if segment.length:
            end = (segment.sequence + segment.length) % _WRAP
            self._far_sent = self._note_sending(self._far_sent, end, segment)

    def _note_sending(self, newest: int | None, end: int, segment: Segment) -> int:
        if newest is None or _distance(newest, end) > 0:
            return end
        self.resends.append(segment.time)
        return newest


@dataclass
class StreamBook:
    """Every connection of every key, filled as frames come. taps: key -> (client's port, server's port) as links."""

    taps: dict[StreamKey, tuple[str, str]]
    _connections: dict[StreamKey, dict[int, Connection]] = field(default_factory=dict)

    def feed(self, frames: Iterable[Frame]) -> None:
        """Take in frames in order of time; what belongs to no key is passed over."""
        for frame in frames:
            segment = parse_segment(frame)
            if segment is None:
                continue
            there = StreamKey(segment.source, segment.destination, segment.port)
            back = StreamKey(segment.destination, segment.source, segment.source_port)
            if there in self.taps and frame.link == self.taps[there][0]:
                self._connection(there, segment.source_port).from_client(segment)
            elif back in self.taps:
                near, far = self.taps[back]
                if frame.link == near:
                    self._connection(back, segment.port).from_server(segment)
                elif frame.link == far:
                    self._connection(back, segment.port).from_far_server(segment)

    def connection(self, key: StreamKey) -> Connection | None:
        """The first one of a key that delivered something; None where none did."""
        return next((each for each in self._connections.get(key, {}).values() if each.points), None)

    def _connection(self, key: StreamKey, port: int) -> Connection:
        return self._connections.setdefault(key, {}).setdefault(port, Connection(port))


class Silence(NamedTuple):
    """The longest time without a byte. first: when one came again, None where none did."""

    last: float
    first: float | None

    @property
    def seconds(self) -> float | None:
        return None if self.first is None else self.first - self.last


def longest_silence(points: Sequence[Point], start: float, end: float, dead_after: float) -> Silence | None:
    """The longest silence that touches [start, end]. None where nothing was ever delivered before `end`.

    Silence at the window's end that has lasted `dead_after` seconds has no end, and goes before all others.
    """
    times = [point.time for point in points if point.time <= end]
    if not times:
        return None
    before = [time for time in times if time <= start]
    inside = [*before[-1:], *(time for time in times if time > start)]
    if end - inside[-1] >= dead_after:
        return Silence(inside[-1], None)
    gaps = [Silence(one, other) for one, other in pairwise(inside)]
    return max(gaps, key=lambda gap: gap.seconds or 0.0, default=Silence(inside[0], inside[0]))


def bytes_between(points: Sequence[Point], start: float, end: float) -> int:
    """Delivered within (start, end]."""
    by = [max((point.bytes for point in points if point.time <= moment), default=0) for moment in (start, end)]
    return by[1] - by[0]


def thin(points: Sequence[Point], spacing: float) -> Iterator[Point]:
    """At most one point in `spacing` seconds, and both ends of every silence that is longer."""
    kept: float | None = None
    for index, point in enumerate(points):
        nearest = points[index + 1].time if index + 1 < len(points) else None
        if kept is None or point.time - kept >= spacing or nearest is None or nearest - point.time >= spacing:
            kept = point.time
            yield point


def parse_segment(frame: Frame) -> Segment | None:
    """None where the frame is no TCP over IPv4, or cut too short."""
    data = frame.data
    if data[12:14] != b"\x08\x00" or len(data) < _ETHERNET + 40 or data[23] != 6:
        return None
    start = _ETHERNET + (data[_ETHERNET] & 0x0F) * 4
    if len(data) < start + 14:
        return None
    source_port, port, sequence, acknowledged = struct.unpack_from(">HHII", data, start)
    total = int.from_bytes(data[16:18], "big")
    length = total - (start - _ETHERNET) - (data[start + 12] >> 4) * 4
    return Segment(
        frame.seconds, data[26:30], source_port, data[30:34], port, sequence, acknowledged, data[start + 13], max(0, length)
    )  # fmt: skip


def _distance(start: int, end: int) -> int:
    """From one sequence number to another, either way: negative backwards."""
    ahead = (end - start) % _WRAP
    return ahead - _WRAP if ahead >= _WRAP // 2 else ahead

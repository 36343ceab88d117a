"""Byte accounting: what was delivered, what was sent again, and how long a stream stood still."""

from __future__ import annotations

import struct

import pytest

from lab.experiment.pcap import Frame
from lab.experiment.stream import (
    Point,
    StreamBook,
    StreamKey,
    bytes_between,
    longest_silence,
    parse_segment,
    thin,
)
from tests.unit.experiment.frames import EPOCH, _ip, frame

CLIENT, SERVER = "172.17.1.10", "172.17.3.10"
KEY = StreamKey(bytes((172, 17, 1, 10)), bytes((172, 17, 3, 10)), 7001)
NEAR, FAR = "client-lan", "web-dmz"
PORT = 40000
SYN, ACK = 0x02, 0x10


def tcp(time: float, link: str, up: bool, sequence: int, acknowledged: int, flags: int, payload: int = 0) -> Frame:
    ports = (PORT, KEY.port) if up else (KEY.port, PORT)
    head = struct.pack(">HHIIBBHHH", *ports, sequence % 2**32, acknowledged % 2**32, 0x50, flags, 1024, 0, 0)
    ends = (CLIENT, SERVER) if up else (SERVER, CLIENT)
    return frame(time, link, _ip(6, *ends, head + bytes(payload)))


def book(frames: list[Frame]) -> StreamBook:
    found = StreamBook({KEY: (NEAR, FAR)})
    found.feed(frames)
    return found


def upload(start: int) -> list[Frame]:
    """Opened at 0; a hundred bytes each tenth of a second, acknowledged; nothing acknowledged from 1.0 to 4.4."""
    frames = [tcp(0, NEAR, True, start, 0, SYN), tcp(0.01, NEAR, False, 9, start + 1, SYN | ACK)]
    for number in range(10):
        at = 0.1 * (number + 1)
        frames.append(tcp(at, NEAR, True, start + 1 + 100 * number, 10, ACK, 100))
        frames.append(tcp(at + 0.01, NEAR, False, 10, start + 101 + 100 * number, ACK))
    for at in (1.1, 1.3, 1.7, 2.5, 4.1):
        frames.append(tcp(at, NEAR, True, start + 1001, 10, ACK, 100))
    frames.append(tcp(4.4, NEAR, False, 10, start + 1101, ACK))
    return frames


@pytest.mark.parametrize("start", [5, 2**32 - 600])
def test_bytes_silence_and_retransmissions_of_an_upload(start: int) -> None:
    connection = book(upload(start)).connection(KEY)
    assert connection is not None
    assert connection.client_port == PORT
    assert connection.points[-1].bytes == 1100
    silence = longest_silence(connection.points, EPOCH + 1.05, EPOCH + 5, 10.0)
    assert silence is not None
    assert silence.seconds == pytest.approx(4.4 - 1.01, abs=1e-3)
    assert [round(time - EPOCH, 1) for time in connection.resends] == [1.3, 1.7, 2.5, 4.1]
    assert bytes_between(connection.points, EPOCH + 1.05, EPOCH + 5) == 100


def test_what_a_server_sends_again_is_seen_at_its_own_port() -> None:
    frames = [tcp(0, NEAR, True, 5, 0, SYN), tcp(0.01, NEAR, False, 70, 6, SYN | ACK)]
    frames += [tcp(0.1, FAR, False, 71, 6, ACK, 50), tcp(0.11, NEAR, False, 71, 6, ACK, 50)]
    frames += [tcp(at, FAR, False, 121, 6, ACK, 50) for at in (0.2, 0.4, 0.8)]
    frames.append(tcp(0.81, NEAR, False, 121, 6, ACK, 50))
    connection = book(frames).connection(KEY)
    assert connection is not None
    assert [point.bytes for point in connection.points] == [50, 100]
    assert [round(time - EPOCH, 1) for time in connection.resends] == [0.4, 0.8]


def test_a_stream_that_dies_has_a_silence_without_an_end() -> None:
    points = [Point(1.0, 10), Point(2.0, 20)]
    dead = longest_silence(points, 1.5, 20.0, 10.0)
    assert dead is not None
    assert dead.seconds is None
    assert longest_silence([], 0.0, 1.0, 1.0) is None


def test_thinning_keeps_both_ends_of_a_silence() -> None:
    points = [Point(0.01 * number, number) for number in range(100)] + [Point(5.0, 101), Point(5.01, 102)]
    kept = [point.time for point in thin(points, 0.1)]
    assert 0.99 in kept
    assert 5.0 in kept
    assert len(kept) < 20


def test_what_is_no_tcp_is_passed_over() -> None:
    assert parse_segment(frame(0, NEAR, bytes(60))) is None
    assert book([frame(0, NEAR, bytes(60))]).connection(KEY) is None

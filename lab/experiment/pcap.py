"""Captured frames, from a file that is complete or still growing, and back into a file."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import IO, NamedTuple

from lab.errors import LabError

ETHERNET = 1
"""LINKTYPE_ETHERNET."""

_FILE_HEADER = 24
_RECORD_HEADER = 16
_MAGIC = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000),
    b"\xa1\xb2\xc3\xd4": (">", 1_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
"""First four bytes -> byte order, and nanoseconds per unit of a stamp's fraction."""

_WRITTEN_HEADER = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 0x40000, ETHERNET)
NOT_PCAP = "{path} is no pcap file of Ethernet frames"
PCAP_CURE = "write it with tcpdump -w (pcapng is not read here)"


class Frame(NamedTuple):
    """One frame. time: nanoseconds since the epoch, on the host's clock. data: its first bytes. length: on the wire."""

    time: int
    link: str
    length: int
    data: bytes

    @property
    def seconds(self) -> float:
        return self.time / 1e9


class PcapTail:
    """Reads a pcap file that another process is writing: each `poll` returns the whole frames added since the last."""

    def __init__(self, path: Path, link: str) -> None:
        self._path = path
        self._link = link
        self._file: IO[bytes] | None = None
        self._record = struct.Struct("<IIII")
        self._unit = 1
        self._rest = b""

    def poll(self) -> list[Frame]:
        """Raises LabError where the file is something else."""
        if self._file is None and not self._open():
            return []
        assert self._file is not None
        data = self._rest + self._file.read()
        frames: list[Frame] = []
        start, end, link, unit, record = 0, len(data), self._link, self._unit, self._record
        while start + _RECORD_HEADER <= end:
            seconds, fraction, kept, length = record.unpack_from(data, start)
            stop = start + _RECORD_HEADER + kept
            if stop > end:
                break
            stamp = seconds * 1_000_000_000 + fraction * unit
            frames.append(Frame(stamp, link, length, data[start + _RECORD_HEADER : stop]))
            start = stop
        self._rest = data[start:]
        return frames

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _open(self) -> bool:
        """False while the file's header is not there yet."""
        if not self._path.exists() or self._path.stat().st_size < _FILE_HEADER:
            return False
        file = self._path.open("rb")
        header = file.read(_FILE_HEADER)
        known = _MAGIC.get(header[:4])
        if known is None or struct.unpack_from(known[0] + "I", header, 20)[0] & 0xFFFF != ETHERNET:
            file.close()
            raise LabError(NOT_PCAP.format(path=self._path), seen=header[:4].hex(), cure=PCAP_CURE)
        self._record, self._unit, self._file = struct.Struct(known[0] + "IIII"), known[1], file
        return True


def read(path: Path, link: str = "") -> list[Frame]:
    """All frames of a file; a record cut short at its end is left out. Raises LabError (not a pcap file)."""
    tail = PcapTail(path, link or path.stem)
    try:
        return tail.poll()
    finally:
        tail.close()


def write(path: Path, frames: Iterable[Frame]) -> None:
    """A pcap file with nanosecond stamps, in order of time."""
    with path.open("wb") as file:
        file.write(_WRITTEN_HEADER)
        for frame in sorted(frames):
            file.write(struct.pack("<IIII", *divmod(frame.time, 1_000_000_000), len(frame.data), frame.length))
            file.write(frame.data)

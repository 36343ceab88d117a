"""A pcapng stream, frame by frame as they come: what `lab.capture` writes. (IETF draft-ietf-opsawg-pcapng; nanosecond stamps.)"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import IO

from lab.experiment.pcap import ETHERNET, Frame

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_BYTE_ORDER = 0x1A2B3C4D
_NAME, _RESOLUTION, _NANOSECONDS = 2, 9, 9
_SNAPLEN = 0x40000


class Writer:
    """Writes the header at once, then what it is given. links: Frame.link of each interface, which is also its name."""

    def __init__(self, file: IO[bytes], links: Sequence[str]) -> None:
        self._file = file
        self._numbers = {link: number for number, link in enumerate(links)}
        self._file.write(_block(_SECTION, struct.pack("<IHHq", _BYTE_ORDER, 1, 0, -1)))
        for link in links:
            name = link.encode()
            options = struct.pack("<HH", _NAME, len(name)) + _padded(name)
            options += struct.pack("<HHBxxx", _RESOLUTION, 1, _NANOSECONDS) + bytes(4)
            self._file.write(_block(_INTERFACE, struct.pack("<HHI", ETHERNET, 0, _SNAPLEN) + options))
        self._file.flush()

    def write(self, frames: Iterable[Frame]) -> int:
        """Whole blocks, pushed out at once; how many. Raises BrokenPipeError where the reader has gone."""
        count = 0
        for frame in frames:
            head = struct.pack(
                "<IIIII",
                self._numbers[frame.link],
                frame.time >> 32,
                frame.time & 0xFFFFFFFF,
                len(frame.data),
                frame.length,
            )
            self._file.write(_block(_PACKET, head + _padded(frame.data)))
            count += 1
        self._file.flush()
        return count


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + length + body + length


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)

"""pcapng: frames of several networks in one file, each with its network's name, and comments on those that matter.

Stamps have nanoseconds. Source: IETF draft-ietf-opsawg-pcapng (block types, options). Only what is written here is read here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import IO

from lab.errors import LabError
from lab.experiment.pcap import ETHERNET, Frame

SECTION, INTERFACE, NAMES, PACKET = 0x0A0D0D0A, 1, 4, 6
"""Block types."""

_BYTE_ORDER = 0x1A2B3C4D
_COMMENT, _APPLICATION = 1, 4
_NAME, _DESCRIPTION, _RESOLUTION = 2, 3, 9
_NANOSECONDS = b"\x09"
_IPV4_RECORD = 1
_SNAPLEN = 0x40000
_BLOCK = struct.Struct("<II")
_PACKET_HEADER = struct.Struct("<IIIII")

APPLICATION = "Uranus Lab"
NOT_PCAPNG = "{path} is no pcapng file of this lab"
PCAPNG_CURE = "give the directory that lab.failover --report wrote"


@dataclass(frozen=True)
class Link:
    """One interface of the file. link: as in Frame.link; name, description: what Wireshark shows."""

    link: str
    name: str
    description: str = ""


@dataclass(frozen=True)
class Notes:
    """What is said beside the frames. file: about the whole. frames: (time in nanoseconds, link) -> text.

    names: address -> name, for Wireshark's name resolution.
    """

    file: str = ""
    frames: Mapping[tuple[int, str], str] = field(default_factory=dict)
    names: Mapping[IPv4Address, str] = field(default_factory=dict)


class Writer:
    """Writes the header at once, then what it is given, whole blocks pushed out at once: a reader may follow."""

    def __init__(self, file: IO[bytes], links: Sequence[Link], notes: Notes | None = None) -> None:
        self._file = file
        self._notes = notes or Notes()
        self._numbers = {link.link: number for number, link in enumerate(links)}
        section = struct.pack("<IHHq", _BYTE_ORDER, 1, 0, -1)
        file.write(_block(SECTION, section, [(_COMMENT, self._notes.file), (_APPLICATION, APPLICATION)]))
        for link in links:
            head = struct.pack("<HHI", ETHERNET, 0, _SNAPLEN)
            words = [(_NAME, link.name), (_DESCRIPTION, link.description)]
            file.write(_block(INTERFACE, head, words, [(_RESOLUTION, _NANOSECONDS)]))
        if self._notes.names:
            file.write(_block(NAMES, _name_records(self._notes.names)))
        file.flush()

    def write(self, frames: Iterable[Frame]) -> int:
        """In the order given; how many. Raises BrokenPipeError where the reader has gone."""
        count = 0
        for frame in frames:
            head = _PACKET_HEADER.pack(
                self._numbers[frame.link], frame.time >> 32, frame.time & 0xFFFFFFFF, len(frame.data), frame.length
            )
            comment = self._notes.frames.get((frame.time, frame.link), "")
            self._file.write(_block(PACKET, head + _padded(frame.data), [(_COMMENT, comment)]))
            count += 1
        self._file.flush()
        return count


def write(path: Path, links: Sequence[Link], frames: Iterable[Frame], notes: Notes | None = None) -> None:
    """A whole file, in order of time. Frames of links that are not given are left out."""
    known = {link.link for link in links}
    with path.open("wb") as file:
        Writer(file, links, notes).write(sorted(frame for frame in frames if frame.link in known))


def read(path: Path) -> list[Frame]:
    """The frames of a file that `write` made; links are called by their interface's name. Raises LabError."""
    data = path.read_bytes()
    if len(data) < 12 or struct.unpack_from("<I4xI", data) != (SECTION, _BYTE_ORDER):
        raise LabError(NOT_PCAPNG.format(path=path), seen=data[:12].hex(), cure=PCAPNG_CURE)
    names: list[str] = []
    frames: list[Frame] = []
    for kind, body in _blocks(data):
        if kind == INTERFACE:
            options = dict(_options(body[8:]))
            if options.get(_RESOLUTION) != _NANOSECONDS:
                raise LabError(NOT_PCAPNG.format(path=path), seen=repr(options), cure=PCAPNG_CURE)
            names.append(options.get(_NAME, b"").decode())
        elif kind == PACKET:
            number, high, low, kept, length = _PACKET_HEADER.unpack_from(body)
            start = _PACKET_HEADER.size
            frames.append(Frame(high << 32 | low, names[number], length, body[start : start + kept]))
    return frames


def _blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and body; a block cut short at the end is left out."""
    start = 0
    while start + 12 <= len(data):
        kind, length = _BLOCK.unpack_from(data, start)
        if length < 12 or start + length > len(data):
            return
        yield kind, data[start + 8 : start + length - 4]
        start += length


def _options(data: bytes) -> Iterator[tuple[int, bytes]]:
    start = 0
    while start + 4 <= len(data):
        code, length = struct.unpack_from("<HH", data, start)
        if not code:
            return
        yield code, data[start + 4 : start + 4 + length]
        start += 4 + length + -length % 4


def _block(
    kind: int, head: bytes, words: Sequence[tuple[int, str]] = (), values: Sequence[tuple[int, bytes]] = ()
) -> bytes:
    given = [*((code, text.encode()) for code, text in words if text), *values]
    body = head + b"".join(struct.pack("<HH", code, len(value)) + _padded(value) for code, value in given)
    if given:
        body += bytes(4)
    length = 12 + len(body)
    return _BLOCK.pack(kind, length) + body + struct.pack("<I", length)


def _name_records(names: Mapping[IPv4Address, str]) -> bytes:
    records = [address.packed + name.encode() + b"\0" for address, name in names.items()]
    return b"".join(struct.pack("<HH", _IPV4_RECORD, len(one)) + _padded(one) for one in records) + bytes(4)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)

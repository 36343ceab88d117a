"""Internal snapshots of a qcow2 file, read from the file itself: what it holds, and a digest of one of them.

Layout: QEMU, docs/interop/qcow2.txt. Only what QEMU's own overlays use is understood; anything else is refused.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError

MAGIC = b"QFI\xfb"
HEADER = struct.Struct(">4sIQIIQIIQQIIQ")
"""magic, version, backing file's offset and length, cluster bits, size, encryption, L1 size and offset, refcount table's
offset and clusters, number of snapshots and their offset."""

SNAPSHOT = struct.Struct(">QIHHIIQII")
"""L1 offset and size, lengths of id and name, date (s, ns), guest clock (ns), VM state's size, length of extra data."""

OFFSET_MASK = 0x00FF_FFFF_FFFF_FE00
COMPRESSED = 1 << 62
ZERO = 1
STREAM_MAGIC = b"QEVM"
"""How QEMU's stream of a machine's state begins (migration/qemu-file.h, QEMU_VM_FILE_MAGIC)."""

RUN_LIMIT = 4 << 20
"""Bytes read in one go at most."""

DAMAGED = "A saved state cannot be read back"
DAMAGED_CURE = (
    "Free some disk space if it is full, and save again; `./inv lab.checkpoints --verify` looks at all of them."
)


@dataclass(frozen=True)
class Snapshot:
    """One internal snapshot. state_size: bytes of RAM and devices, 0 where the guest was off."""

    tag: str
    state_size: int
    disk_size: int
    l1_offset: int
    l1_size: int


@dataclass(frozen=True)
class Content:
    """What a snapshot holds: SHA-256 over its clusters and their places, and their bytes in the file."""

    sha256: str
    size: int


def snapshots(path: Path) -> tuple[Snapshot, ...]:
    """Every internal snapshot of a file, in the order they were taken. Raises LabError where it is no such file."""
    with path.open("rb") as file:
        return tuple(_table(file.fileno(), path))


def content(path: Path, tag: str) -> Content:
    """Read one snapshot back, every cluster of it. Raises LabError: it is not there, or not whole."""
    with path.open("rb") as file:
        handle = file.fileno()
        found = next((each for each in _table(handle, path) if each.tag == tag), None)
        if found is None:
            raise _damaged(path, f"snapshot {tag}", "no such snapshot in the file")
        bits = _header(handle, path)[4]
        return _content(handle, path, found, bits)


def _content(handle: int, path: Path, snapshot: Snapshot, bits: int) -> Content:
    cluster = 1 << bits
    digest = hashlib.sha256()
    size = state = 0
    state_begin = -(-snapshot.disk_size // (cluster * cluster // 8)) * (cluster // 8)
    for index, offset, count in _runs(handle, path, snapshot, bits):
        data = os.pread(handle, count * cluster, offset)
        if len(data) < count * cluster and offset + len(data) < os.fstat(handle).st_size:
            raise _damaged(path, f"{count} clusters at {offset}", f"{len(data)} bytes")
        if index <= state_begin < index + count:
            begin = (state_begin - index) * cluster
            if data[begin : begin + len(STREAM_MAGIC)] != STREAM_MAGIC:
                raise _damaged(path, "a machine's state", f"{data[begin : begin + 4]!r}")
        digest.update(struct.pack(">QI", index, count))
        digest.update(data)
        size += len(data)
        state += max(0, index + count - max(index, state_begin)) * cluster
    if state < snapshot.state_size:
        raise _damaged(path, f"{snapshot.state_size} bytes of a machine's state", f"{state} bytes")
    return Content(digest.hexdigest(), size)


def _runs(handle: int, path: Path, snapshot: Snapshot, bits: int) -> Iterator[tuple[int, int, int]]:
    """(first guest cluster, offset in the file, number of clusters) of what is allocated; neighbours are joined."""
    cluster, entries = 1 << bits, 1 << (bits - 3)
    longest = max(1, RUN_LIMIT >> bits)
    run: tuple[int, int, int] | None = None
    for table, entry in enumerate(_words(handle, path, snapshot.l1_offset, snapshot.l1_size)):
        if not entry & OFFSET_MASK:
            continue
        for place, word in enumerate(_words(handle, path, entry & OFFSET_MASK, entries)):
            if word & COMPRESSED:
                raise _damaged(path, "plain clusters", "compressed ones")
            offset, index = word & OFFSET_MASK, table * entries + place
            if not offset or word & ZERO:
                continue
            if run and index == run[0] + run[2] and offset == run[1] + run[2] * cluster and run[2] < longest:
                run = (run[0], run[1], run[2] + 1)
            else:
                if run:
                    yield run
                run = (index, offset, 1)
    if run:
        yield run


def _words(handle: int, path: Path, offset: int, count: int) -> tuple[int, ...]:
    data = os.pread(handle, 8 * count, offset)
    if len(data) < 8 * count:
        raise _damaged(path, f"a table of {count} entries at {offset}", f"{len(data)} bytes")
    return struct.unpack(f">{count}Q", data)


def _header(handle: int, path: Path) -> tuple[int, ...]:
    data = os.pread(handle, HEADER.size, 0)
    if len(data) < HEADER.size or data[:4] != MAGIC:
        raise _damaged(path, "a qcow2 file", f"it begins with {data[:4]!r}")
    return HEADER.unpack(data)


def _table(handle: int, path: Path) -> Iterator[Snapshot]:
    fields = _header(handle, path)
    count, offset = fields[11], fields[12]
    for _ in range(count):
        data = os.pread(handle, SNAPSHOT.size + 2048, offset)
        if len(data) < SNAPSHOT.size:
            raise _damaged(path, f"{count} snapshots", "the table ends early")
        l1_offset, l1_size, id_size, name_size, _, _, _, small, extra = SNAPSHOT.unpack_from(data)
        state_size, disk_size = small, fields[5]
        if extra >= 16:
            state_size, disk_size = struct.unpack_from(">QQ", data, SNAPSHOT.size)
        begin = SNAPSHOT.size + extra + id_size
        tag = data[begin : begin + name_size].decode(errors="replace")
        yield Snapshot(tag, state_size, disk_size, l1_offset, l1_size)
        offset += -(-(begin + name_size) // 8) * 8


def _damaged(path: Path, expected: str, seen: str) -> LabError:
    return LabError(DAMAGED, expected=expected, seen=seen, log=str(path), cure=DAMAGED_CURE)

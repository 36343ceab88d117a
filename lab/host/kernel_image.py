"""The kernel inside a bzImage, unpacked: QEMU starts it through its PVH entry, and no emulated CPU has to unpack it."""

from __future__ import annotations

import struct

HEADER = 0x1F1
"""setup_sects in a bzImage. Linux, Documentation/arch/x86/boot.rst, as are the next two."""
PAYLOAD = 0x248
MAGIC = (0x202, b"HdrS")
SECTOR = 512

LZ4_LEGACY = b"\x02\x21\x4c\x18"
ELF = b"\x7fELF"
XEN_PVH_NOTE = struct.pack("<III", 4, 8, 18)
"""Name and description size, then type XEN_ELFNOTE_PHYS32_ENTRY; the description is 8 bytes on x86-64, 4 on others."""
XEN_PVH_NOTE_32 = struct.pack("<III", 4, 4, 18)


def vmlinux(image: bytes) -> bytes | None:
    """The ELF kernel of a bzImage, or None where it cannot be had or has no PVH entry: then the bzImage itself is booted."""
    if image[MAGIC[0] : MAGIC[0] + 4] != MAGIC[1]:
        return None
    offset, length = struct.unpack_from("<II", image, PAYLOAD)
    begin = ((image[HEADER] or 4) + 1) * SECTOR + offset
    payload = image[begin : begin + length]
    if not payload.startswith(LZ4_LEGACY):
        return None
    # The build appends the unpacked size, 4 bytes.
    kernel = lz4_legacy(payload[:-4])
    bootable = kernel.startswith(ELF) and (XEN_PVH_NOTE in kernel or XEN_PVH_NOTE_32 in kernel)
    return kernel if bootable else None


def lz4_legacy(data: bytes) -> bytes:
    """Unpack the legacy LZ4 frame: a magic number, then blocks with their packed size before them (lz4_Frame_format.md)."""
    out = bytearray()
    at = len(LZ4_LEGACY)
    while at + 4 <= len(data):
        (size,) = struct.unpack_from("<I", data, at)
        at += 4
        out += _block(data[at : at + size])
        at += size
    return bytes(out)


def _block(data: bytes) -> bytearray:
    """Unpack one LZ4 block (lz4_Block_format.md)."""
    out = bytearray()
    at, end = 0, len(data)
    while at < end:
        token = data[at]
        at += 1
        literals = token >> 4
        if literals == 15:
            while True:
                more = data[at]
                at += 1
                literals += more
                if more != 255:
                    break
        out += data[at : at + literals]
        at += literals
        if at >= end:
            break
        distance = data[at] | data[at + 1] << 8
        at += 2
        match = token & 15
        if match == 15:
            while True:
                more = data[at]
                at += 1
                match += more
                if more != 255:
                    break
        match += 4
        begin = len(out) - distance
        if distance >= match:
            out += out[begin : begin + match]
        else:
            pattern = bytes(out[begin:])
            out += (pattern * (match // distance + 1))[:match]
    return out

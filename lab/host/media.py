"""Install media given by the user: is this file pfSense's memstick-serial image, whole, and of the one version that is driven?

No image was at hand when this was written. What is looked for comes from pfSense's build scripts (`tools/builder_defaults.sh` for the
names, `create_memstick_serial_image` in `tools/builder_common.sh` for the serial settings) and from the file formats themselves.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from lab.errors import LabError

PRODUCT, VERSION = "pfsense", "2.7.0"
FILE = f"pfSense-CE-memstick-serial-{VERSION}-RELEASE-amd64.img.gz"
SOURCES = "https://atxfiles.netgate.com/mirror/downloads/"

NAME = re.compile(
    r"pfSense-CE-(?P<kind>memstick-serial-|memstick-ADI-|memstick-|)(?P<version>\d+\.\d+\.\d+)-RELEASE-amd64"
    r"\.(?P<form>iso|img)(?:\.gz)?"
)
"""Names as published (tools/builder_defaults.sh)."""

GZIP_MAGIC = b"\x1f\x8b"
MBR_SIGNATURE = b"\x55\xaa"
GPT_SIGNATURE = b"EFI PART"
ISO_SIGNATURE, ISO_AT = b"CD001", 0x8001
"""ISO 9660: the first volume descriptor is sector 16 of 2048 bytes; its identifier follows one byte of type."""
UFS2_MAGIC = struct.pack("<I", 0x19540119)
"""FreeBSD sys/ufs/ffs/fs.h, FS_UFS2_MAGIC: the last field of a superblock."""
SECTOR = 512
UFS2_MAGIC_AT = 1372 % SECTOR
"""Where in a sector: 1372 bytes into a superblock, which stands 64 KiB into a file system."""
SERIAL_MARKS = (b'comconsole_speed="115200"', b'boot_serial="YES"')
VGA_MARK = b'boot_serial="NO"'
RELEASE = b"-RELEASE"
NUMBER = re.compile(rb"(?<![\d.])\d+\.\d+\.\d+$")

CHUNK = 1 << 20
SMALLEST = 64 << 20
"""No system fits on less. The real image is some 800 MiB unpacked (the ISO of the same version: 765218816 bytes)."""

GET = f"get {FILE} (it was published at {SOURCES}) and check it with --sha256"
NOT_SERIAL = "that one speaks on a screen, not on a serial line: {get}"


@dataclass(frozen=True)
class Medium:
    """A stick an installer starts from.

    product: `pfsense` or `standin`. disk: never written to. sha256: of the disk, or of what it is made from, as hex.
    form: `raw` or `qcow2`. bus: `sata`, or `ide` where the medium's kernel has no driver for SATA.
    kernel, initrd, cmdline: direct boot with the stick beside it; None: the stick's own boot loader.
    target: the installer's name for the disk it is to write on. memory_mib: what the installer and the installed system run in.
    """

    product: str
    version: str
    disk: Path
    sha256: str
    kernel: Path | None = None
    initrd: Path | None = None
    cmdline: str | None = None
    target: str = "vtbd0"
    memory_mib: int = 1024
    form: str = "raw"
    bus: str = "sata"


@dataclass
class Look:
    """What one pass over an unpacked image found."""

    size: int = 0
    head: bytes = b""
    sha256: str = ""
    serial: set[bytes] = field(default_factory=set)
    vga: bool = False
    versions: set[str] = field(default_factory=set)
    ufs: bool = False


def unpacked(path: Path) -> Iterator[bytes]:
    """The raw image, in pieces: a .gz is recognised by its first bytes. Raises LabError where it is cut short or damaged."""
    with path.open("rb") as file:
        packed = file.read(2) == GZIP_MAGIC
        file.seek(0)
        source: BinaryIO = gzip.GzipFile(fileobj=file) if packed else file  # type: ignore[assignment]
        try:
            while piece := source.read(CHUNK):
                yield piece
        except EOFError as error:
            raise _cut(path, "the compressed file ends in the middle") from error
        except (OSError, zlib.error) as error:
            raise LabError(
                f"{path.name} is damaged",
                expected="a whole gzip file",
                seen=str(error),
                cure=f"download it again: {GET}",
            ) from error


def look(pieces: Iterator[bytes], sink: BinaryIO | None = None) -> Look:
    """Read an image once: hash it, note what it says of itself, and write it to `sink`."""
    found, digest, tail = Look(), hashlib.sha256(), b""
    for piece in pieces:
        digest.update(piece)
        if sink is not None:
            sink.write(piece)
        if len(found.head) < CHUNK:
            found.head = (found.head + piece)[:CHUNK]
        text = tail + piece
        found.serial.update(mark for mark in SERIAL_MARKS if mark in text)
        found.vga = found.vga or VGA_MARK in text
        begin = found.size - len(tail)
        found.ufs = found.ufs or any(
            (begin + match.start()) % SECTOR == UFS2_MAGIC_AT for match in re.finditer(re.escape(UFS2_MAGIC), text)
        )
        found.versions.update(_releases(text))
        found.size += len(piece)
        tail = piece[-64:]
    found.sha256 = digest.hexdigest()
    return found


def _releases(text: bytes) -> Iterator[str]:
    """Every `2.7.0` of a `2.7.0-RELEASE`; found by its end, which is rare, so that an image of 800 MiB takes seconds."""
    at = text.find(RELEASE)
    while at >= 0:
        if number := NUMBER.search(text, max(0, at - 16), at):
            yield number.group().decode()
        at = text.find(RELEASE, at + 1)


def judge(path: Path, found: Look) -> None:
    """Whether an image is the one that can be driven. Raises LabError with what it is instead, as far as it says."""
    named = NAME.fullmatch(path.name)
    _whole(path, found)
    if found.head[ISO_AT : ISO_AT + 5] == ISO_SIGNATURE or (named and named["form"] == "iso"):
        raise _other(path, "a CD image (ISO)", "that one is mute on the serial line: " + GET)
    if found.head[510:512] != MBR_SIGNATURE:
        raise _other(path, "no disk image: no boot sector", GET)
    if named and named["kind"] == "memstick-ADI-":
        raise _other(path, "the image for Netgate's own hardware (ADI), whose console is another port", GET)
    if found.vga or (named and named["kind"] == "memstick-"):
        raise _other(path, "the memstick image for a screen (VGA)", NOT_SERIAL.format(get=GET))
    versions = found.versions or ({named["version"]} if named else set())
    if not found.ufs or (not named and len(found.serial) < len(SERIAL_MARKS)):
        raise _other(
            path, "a disk image, but not of pfSense's installer (no UFS file system with its serial settings)", GET
        )
    if (named and named["version"] != VERSION) or VERSION not in versions:
        other = named["version"] if named and named["version"] != VERSION else ", ".join(sorted(versions)) or "not said"
        raise _other(path, f"another version: {other}", f"the lab's configurations are made for {VERSION}: {GET}")


def _whole(path: Path, found: Look) -> None:
    """Partitions that reach beyond the end of the file mean that the end is missing."""
    if found.head[510:512] == MBR_SIGNATURE:
        for number in range(4):
            entry = found.head[446 + 16 * number : 462 + 16 * number]
            kind, (start, count) = entry[4], struct.unpack("<II", entry[8:16])
            # 0xEE covers a GPT's whole disk and may be larger than it.
            if kind not in (0, 0xEE) and (start + count) * 512 > found.size:
                raise _cut(path, f"{found.size} bytes, but partition {number + 1} ends at {(start + count) * 512}")
        if found.head[512:520] == GPT_SIGNATURE:
            (backup,) = struct.unpack("<Q", found.head[544:552])
            if (backup + 1) * 512 > found.size:
                raise _cut(path, f"{found.size} bytes, but its partition table ends at {(backup + 1) * 512}")
        if found.size < SMALLEST:
            raise _cut(path, f"{found.size} bytes")


def _cut(path: Path, seen: str) -> LabError:
    return LabError(
        f"{path.name} is not whole",
        expected="the whole file",
        seen=seen,
        cure=f"the download broke off, do it again: {GET}",
    )


def _other(path: Path, seen: str, cure: str) -> LabError:
    return LabError(f"{path.name} is not the image that is needed", expected=FILE, seen=seen, cure=cure)


def no_medium(folder: Path) -> LabError:
    """The error where a real pfSense is asked for and there is no image."""
    return LabError(
        "There is no pfSense image",
        expected=f"{FILE} in {folder}, or taken with `./inv image.add FILE`",
        seen="none",
        cure=f"{GET}; it is Netgate's and not ours to ship. Without it: `./inv lab.up --firewall standin`",
    )

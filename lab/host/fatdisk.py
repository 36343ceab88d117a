"""config.xml on a small disk: one FAT16 partition behind a partition table, made without mounting anything.

pfSense's External Configuration Locator looks at slices only, so a disk that is all file system is never searched.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lab.errors import LabError

SECTOR = 512
START = 2048
"""First sector of the partition: 1 MiB, where every partitioner puts it."""

SECTORS = 32768
"""Length of the partition: 16 MiB, which at one sector a cluster makes it FAT16 (4085 to 65524 clusters)."""

FAT16_LBA = 0x0E
"""Partition type: FAT16 addressed by sector number."""

CHS_OUT_OF_REACH = b"\xfe\xff\xff"
SIGNATURE = b"\x55\xaa"
FILE = "config.xml"
LABEL = "CONFIG"
SERIAL = "55524e53"
"""Volume serial number, hex: fixed, so that the disk depends on its content alone."""

TOOL_MISSING = "{tool} is not installed"
TOOL_MISSING_CURE = "apt-get install mtools"
FAILED = "The disk with config.xml could not be made"
FAILED_CURE = "Is there room in {directory}, and in {scratch}? URANUS_STATE and TMPDIR name other directories."
UNREADABLE = "There is no config.xml on {disk}"


def partition_table() -> bytes:
    """The first sector: a master boot record with the one partition in it."""
    entry = b"".join(
        (
            b"\x00",  # not bootable
            CHS_OUT_OF_REACH,
            bytes([FAT16_LBA]),
            CHS_OUT_OF_REACH,
            START.to_bytes(4, "little"),
            SECTORS.to_bytes(4, "little"),
        )
    )
    return entry.rjust(446 + len(entry), b"\0").ljust(SECTOR - len(SIGNATURE), b"\0") + SIGNATURE


def write_config_disk(disk: Path, config: bytes) -> None:
    """Make `disk` (raw, mode 0600) with `config` as /config.xml; it is there whole or not at all. Raises LabError."""
    disk.parent.mkdir(parents=True, exist_ok=True)
    beside = disk.with_suffix(".new")
    beside.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "wb") as image:
            image.write(partition_table())
            image.truncate((START + SECTORS) * SECTOR)
        place = f"{beside}@@{START * SECTOR}"
        geometry = ["-T", str(SECTORS), "-h", "255", "-s", "63", "-H", str(START), "-c", "1"]
        _mtools(["mformat", "-i", place, *geometry, "-v", LABEL, "-N", SERIAL, "::"], disk)
        with tempfile.TemporaryDirectory(prefix="uranus-config-") as directory:
            source = Path(directory) / FILE
            source.write_bytes(config)
            _mtools(["mcopy", "-i", place, str(source), f"::{FILE}"], disk)
        beside.rename(disk)
    except OSError as error:
        raise LabError(
            FAILED, seen=str(error), cure=FAILED_CURE.format(directory=disk.parent, scratch=tempfile.gettempdir())
        ) from error
    finally:
        beside.unlink(missing_ok=True)


def read_config_disk(disk: Path) -> bytes:
    """What stands in config.xml on such a disk now: a firewall writes its own form of it back. Raises LabError."""
    command = ["mtype", "-i", f"{disk}@@{START * SECTOR}", f"::{FILE}"]
    done = _run(command)
    if done.returncode != 0:
        raise LabError(UNREADABLE.format(disk=disk), seen=done.stderr.decode(errors="replace").strip())
    return done.stdout


def _mtools(command: Sequence[str], disk: Path) -> None:
    done = _run(command)
    if done.returncode != 0:
        seen = done.stderr.decode(errors="replace").strip()
        raise LabError(
            FAILED,
            expected=command[0],
            seen=seen,
            cure=FAILED_CURE.format(directory=disk.parent, scratch=tempfile.gettempdir()),
        )


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "MTOOLSRC": os.devnull, "LC_ALL": "C.UTF-8"}
    try:
        return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise LabError(TOOL_MISSING.format(tool=command[0]), cure=TOOL_MISSING_CURE) from error

"""The disk pfSense's External Configuration Locator takes config.xml from."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.host import fatdisk
from lab.host.fatdisk import read_config_disk, write_config_disk

CONFIG = b'<?xml version="1.0"?>\n<pfsense>\n' + b"<x>1</x>\n" * 8000 + b"</pfsense>\n"

needs_mtools = pytest.mark.skipif(shutil.which("mformat") is None, reason="mtools is not installed")


@needs_mtools
def test_what_is_written_is_read(tmp_path: Path) -> None:
    disk = tmp_path / "config" / "fw1.img"
    write_config_disk(disk, CONFIG)
    assert read_config_disk(disk) == CONFIG
    write_config_disk(disk, b"another\n")
    assert read_config_disk(disk) == b"another\n"
    assert disk.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in disk.parent.iterdir()] == ["fw1.img"]


@needs_mtools
def test_partition_and_file_system_agree(tmp_path: Path) -> None:
    """By the layout of the master boot record and of the FAT16 parameter block (Microsoft, fatgen103, section 3)."""
    disk = tmp_path / "disk.img"
    write_config_disk(disk, CONFIG)
    image = disk.read_bytes()
    assert image[510:512] == b"\x55\xaa"
    kind, start, length = image[446 + 4], *struct.unpack("<II", image[446 + 8 : 446 + 16])
    assert image[446 + 16 : 510] == bytes(48)
    assert (kind, start) == (0x0E, 2048)
    assert (start + length) * 512 == len(image)
    boot = image[start * 512 :]
    sector, cluster, reserved, fats, entries, total = struct.unpack("<HBHBHH", boot[11:21])
    fat_length, spt, heads, hidden = struct.unpack("<HHHI", boot[22:32])
    assert (sector, hidden, boot[510:512]) == (512, start, b"\x55\xaa")
    assert 0 < spt <= 63
    assert 0 < heads <= 255
    assert total == length
    clusters = (total - reserved - fats * fat_length - entries * 32 // 512) // cluster
    assert 4085 <= clusters < 65525
    assert boot[54:62] == b"FAT16   "


def test_missing_mtools_is_said_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match="mformat is not installed") as caught:
        write_config_disk(tmp_path / "disk.img", CONFIG)
    assert caught.value.problem.cure == "apt-get install mtools"
    assert not list(tmp_path.iterdir())


@needs_mtools
def test_failure_leaves_the_old_disk_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = tmp_path / "disk.img"
    write_config_disk(disk, CONFIG)
    monkeypatch.setattr(fatdisk, "SECTORS", 64)  # no room for the file
    with pytest.raises(LabError, match="could not be made"):
        write_config_disk(disk, CONFIG)
    assert read_config_disk(disk) == CONFIG
    assert [path.name for path in tmp_path.iterdir()] == ["disk.img"]


@needs_mtools
def test_disk_without_a_config(tmp_path: Path) -> None:
    disk = tmp_path / "disk.img"
    disk.write_bytes(bytes(1 << 21))
    with pytest.raises(LabError, match=r"no config\.xml"):
        read_config_disk(disk)

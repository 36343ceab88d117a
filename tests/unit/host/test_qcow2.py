"""Internal snapshots read from files that qemu-img made."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.host.qcow2 import content, snapshots

pytestmark = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed")


def run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


def write(disk: Path, pattern: int, begin: str = "0") -> None:
    run("qemu-io", "-c", f"write -P {pattern} {begin} 1M", str(disk))


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    path = tmp_path / "disk.qcow2"
    run("qemu-img", "create", "-q", "-f", "qcow2", str(path), "1G")
    write(path, 1)
    run("qemu-img", "snapshot", "-c", "one", str(path))
    return path


def test_a_snapshot_stays_what_it_was_while_the_disk_goes_on(disk: Path) -> None:
    before = content(disk, "one")
    assert before.size == 1 << 20
    write(disk, 2)
    write(disk, 3, "512M")
    run("qemu-img", "snapshot", "-c", "two", str(disk))
    assert content(disk, "one") == before
    assert content(disk, "two").size == 2 << 20
    assert content(disk, "two").sha256 != before.sha256
    assert [snapshot.tag for snapshot in snapshots(disk)] == ["one", "two"]


def test_a_flipped_bit_is_seen(disk: Path) -> None:
    before = content(disk, "one")
    data = bytearray(disk.read_bytes())
    at = data.index(b"\1" * 512)
    data[at + 100] ^= 4
    disk.write_bytes(data)
    assert content(disk, "one") != before


def test_what_is_not_there_is_told(disk: Path, tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no such snapshot"):
        content(disk, "two")
    (tmp_path / "none").write_bytes(b"no disk")
    with pytest.raises(LabError, match="a qcow2 file"):
        snapshots(tmp_path / "none")
    disk.write_bytes(disk.read_bytes()[: 3 << 16])
    with pytest.raises(LabError):
        content(disk, "one")

"""Which files count as pfSense's memstick-serial image, and what the others are told. The images are made here."""

from __future__ import annotations

import gzip
import hashlib
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.host import media_store
from lab.host.media import FILE, UFS2_MAGIC
from tests.golden_files import assert_golden

RAW = FILE.removesuffix(".gz")
SERIAL = b'boot_multicons="YES"\nboot_serial="YES"\ncomconsole_speed="115200"\n'
SMALLEST = 4 << 20
VGA = b'boot_serial="NO"\n'


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("URANUS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("lab.host.media.SMALLEST", SMALLEST)


def stick(path: Path, marks: bytes = SERIAL, version: bytes = b"2.7.0-RELEASE\n", size: int = SMALLEST + 512) -> Path:
    """A raw image with a boot sector, one FreeBSD partition, a UFS superblock's magic and some text, mostly holes."""
    with path.open("wb") as file:
        entry = struct.pack("<B3sB3sII", 0x80, b"", 0xA5, b"", 1, SMALLEST // 512)
        file.write(b"\0" * 446 + entry + b"\0" * 48 + b"\x55\xaa")
        file.seek(512 + 65536 + 1372)
        file.write(UFS2_MAGIC)
        # across the border of two pieces, as it may come
        file.seek((1 << 20) - 30)
        file.write(marks + version)
        file.truncate(size)
    return path


def packed(raw: Path, name: str = FILE) -> Path:
    path = raw.with_name(name)
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(raw.read_bytes())
    return path


def test_the_right_image_packed_or_not(tmp_path: Path) -> None:
    raw = stick(tmp_path / RAW)
    for path in (raw, packed(raw)):
        medium = media_store.add(path)
        assert medium.sha256 == hashlib.sha256(raw.read_bytes()).hexdigest()
        assert medium.source_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert medium.checked == ""
        assert medium.disk.read_bytes() == raw.read_bytes()
        media_store.verify(medium)
    assert [known.name for known in media_store.stored()] == [RAW.removesuffix(".img")]


def test_a_name_of_the_users_own_is_fine_where_the_content_says_enough(tmp_path: Path) -> None:
    assert media_store.add(stick(tmp_path / "mine.img")).version == "2.7.0"


def test_sums(tmp_path: Path) -> None:
    raw = stick(tmp_path / RAW)
    right = hashlib.sha256(raw.read_bytes()).hexdigest()
    assert media_store.add(raw, right).checked == "--sha256"
    beside = raw.with_name(raw.name + ".sha256")
    beside.write_text(f"SHA256 ({raw.name}) = {right.upper()}\n")
    assert media_store.add(raw).checked == beside.name
    beside.write_text("0" * 64)
    with pytest.raises(LabError, match="another SHA-256"):
        media_store.add(raw)


def test_the_first_sum_is_pinned(tmp_path: Path) -> None:
    raw = stick(tmp_path / RAW)
    first = media_store.add(raw)
    with raw.open("r+b") as file:
        file.seek(2 << 20)
        file.write(b"changed")
    with pytest.raises(LabError, match="another SHA-256") as failure:
        media_store.add(raw)
    assert "the pin of its first use" in str(failure.value)
    media_store.verify(first)  # what was there stays


def test_verify_sees_a_changed_byte(tmp_path: Path) -> None:
    medium = media_store.add(stick(tmp_path / RAW))
    with medium.disk.open("r+b") as file:
        file.seek(3 << 20)
        file.write(b"!")
    with pytest.raises(LabError, match="is damaged"):
        media_store.verify(medium)


def iso(path: Path) -> Path:
    data = bytearray(SMALLEST)
    data[0x8001:0x8006] = b"CD001"
    path.write_bytes(data)
    return path


def cut_gzip(path: Path) -> Path:
    whole = packed(stick(path.with_name("raw.img")), path.name)
    whole.write_bytes(whole.read_bytes()[:-4000])
    return whole


def damaged_gzip(path: Path) -> Path:
    whole = packed(stick(path.with_name("raw.img")), path.name)
    data = bytearray(whole.read_bytes())
    data[-6] ^= 0xFF  # its checksum
    whole.write_bytes(data)
    return whole


WRONG: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "iso": ("pfSense-CE-2.7.0-RELEASE-amd64.iso", iso),
    "iso-renamed": (RAW, iso),
    "vga": ("pfSense-CE-memstick-2.7.0-RELEASE-amd64.img", lambda path: stick(path, VGA)),
    "vga-renamed": (RAW, lambda path: stick(path, VGA)),
    "adi": ("pfSense-CE-memstick-ADI-2.7.0-RELEASE-amd64.img", stick),
    "version-2.7.2": (
        "pfSense-CE-memstick-serial-2.7.2-RELEASE-amd64.img",
        lambda path: stick(path, version=b"2.7.2-RELEASE\n"),
    ),
    "version-renamed": (RAW, lambda path: stick(path, version=b"2.6.0-RELEASE\n")),
    "cut": (RAW, lambda path: stick(path, size=SMALLEST - 4096)),
    "cut-gzip": (FILE, cut_gzip),
    "damaged-gzip": (FILE, damaged_gzip),
    "junk": ("holiday.img", lambda path: (path.write_bytes(b"no image at all\n" * 99) and path) or path),
    "another-disk": ("debian.img", lambda path: stick(path, b"", b"")),
    "empty": ("empty.img", lambda path: path.touch() or path),
}


@pytest.mark.parametrize("case", WRONG)
def test_every_wrong_file_is_told_what_it_is(case: str, tmp_path: Path) -> None:
    name, make = WRONG[case]
    with pytest.raises(LabError) as failure:
        media_store.add(make(tmp_path / name))
    text = re.sub(r"(0x[0-9a-f]+ != 0x[0-9a-f]+)", "(two sums)", str(failure.value))
    assert_golden(f"media/{case}.txt", text + "\n")
    assert not media_store.stored()
    assert not [*media_store.media_home().iterdir()]


def test_without_an_image_it_says_where_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(LabError) as failure:
        media_store.find(folder=tmp_path)
    assert_golden("media/none.txt", str(failure.value).replace(str(tmp_path), "images") + "\n")


def test_a_file_dropped_into_the_folder_is_found_and_the_serial_one_first(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    stick(folder / "pfSense-CE-memstick-2.7.0-RELEASE-amd64.img", VGA)
    raw = stick(folder / RAW)
    assert media_store.find(folder=folder).sha256 == hashlib.sha256(raw.read_bytes()).hexdigest()
    raw.unlink()  # it is in the cache by now
    assert media_store.find(folder=folder).disk.name == RAW

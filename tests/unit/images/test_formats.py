"""Kernel image, modules and initramfs: the formats that are read and written here without their usual programs."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from lab.host import kernel_modules
from lab.host.initramfs import initramfs
from lab.host.kernel_image import LZ4_LEGACY, XEN_PVH_NOTE, lz4_legacy, vmlinux
from lab.host.kernel_modules import SIGNATURE, ModuleTree, unsigned


def _lz4(*sequences: tuple[bytes, int, int]) -> bytes:
    """A legacy frame with one block of (literals, distance, match length) sequences; distance 0: no match, the last one."""
    block = b""
    for literals, distance, match in sequences:
        head = bytearray([min(len(literals), 15) << 4 | (min(match - 4, 15) if distance else 0)])
        if len(literals) >= 15:
            head += bytes([255] * ((len(literals) - 15) // 255) + [(len(literals) - 15) % 255])
        block += bytes(head) + literals
        if distance:
            block += struct.pack("<H", distance)
            if match - 4 >= 15:
                block += bytes([255] * ((match - 19) // 255) + [(match - 19) % 255])
    return LZ4_LEGACY + struct.pack("<I", len(block)) + block


def test_lz4_literals_matches_and_overlaps() -> None:
    assert lz4_legacy(_lz4((b"abcd", 4, 8), (b"!", 0, 0))) == b"abcd" * 3 + b"!"
    assert lz4_legacy(_lz4((b"x", 1, 1000), (b"end", 0, 0))) == b"x" * 1001 + b"end"
    long = bytes(range(256)) * 3
    assert lz4_legacy(_lz4((long, 300, 20), (b"tail5", 0, 0))) == long + long[-300:-280] + b"tail5"
    assert lz4_legacy(_lz4((b"one", 0, 0)) + _lz4((b"two", 0, 0))[4:]) == b"onetwo"


@pytest.mark.skipif(shutil.which("lz4") is None, reason="no lz4 program to compare with")
def test_lz4_as_the_real_program_packs_it(tmp_path: Path) -> None:
    content = b"".join(path.read_bytes() for path in sorted(Path(__file__).parents[3].glob("lab/host/*.py"))) * 3
    (tmp_path / "plain").write_bytes(content)
    subprocess.run(["lz4", "-l", "-9", "-q", tmp_path / "plain", tmp_path / "packed"], check=True)
    assert lz4_legacy((tmp_path / "packed").read_bytes()) == content


def _bzimage(payload: bytes) -> bytes:
    image = bytearray(3 * 512)
    image[0x1F1] = 2
    image[0x202:0x206] = b"HdrS"
    struct.pack_into("<II", image, 0x248, 100, len(payload))
    return bytes(image) + bytes(100) + payload


def test_kernel_of_a_bzimage() -> None:
    kernel = b"\x7fELF" + bytes(60) + XEN_PVH_NOTE + b"Xen\0" + bytes(8)
    size = struct.pack("<I", len(kernel))
    assert vmlinux(_bzimage(_lz4((kernel, 0, 0)) + size)) == kernel


def test_a_kernel_that_cannot_be_started_unpacked_is_left_packed() -> None:
    without_pvh = b"\x7fELF" + bytes(60)
    assert vmlinux(_bzimage(_lz4((without_pvh, 0, 0)) + bytes(4))) is None
    assert vmlinux(_bzimage(b"\x1f\x8b gzip")) is None
    assert vmlinux(b"not a kernel at all") is None


def _module(path: Path, name: str, needs: str = "", alias: str = "") -> None:
    info = [b"license=GPL", f"depends={needs}".encode(), *([f"alias={alias}".encode()] if alias else [])]
    path.mkdir(parents=True, exist_ok=True)
    body = b"\x7fELF-" + name.encode() + b"\0" + b"\0".join(info) + b"\0"
    signature = b"S" * 40
    head = bytes(8) + struct.pack(">I", len(signature))
    (path / f"{name}.ko").write_bytes(body + signature + head + SIGNATURE)


@pytest.fixture
def tree(tmp_path: Path) -> ModuleTree:
    kernel = tmp_path / "kernel"
    _module(kernel / "drivers", "ring")
    _module(kernel / "drivers", "virt", "ring")
    _module(kernel / "drivers", "virtio-rng", "virt", "virtio:d00000004v*")
    _module(kernel / "net", "card", "virt,ring")
    return ModuleTree(kernel)


def test_modules_come_after_what_they_need(tree: ModuleTree) -> None:
    assert [module.name for module in tree.closure(["card", "virtio_rng"])] == ["ring", "virt", "card", "virtio_rng"]
    assert tree.closure(["virtio_rng"]) == tree.closure(["virtio-rng"])
    with pytest.raises(LookupError, match="nonesuch"):
        tree.closure(["nonesuch"])


def test_signature_is_cut_off_and_nothing_else(tree: ModuleTree) -> None:
    content = tree.module("ring").path.read_bytes()
    assert content.endswith(SIGNATURE)
    bare = unsigned(content)
    assert bare == content[: content.index(b"S" * 40)]
    assert unsigned(bare) == bare


def test_modprobe_finds_what_was_installed(tree: ModuleTree, tmp_path: Path) -> None:
    kernel_modules.install(tree.closure(["card", "virtio_rng"]), tree, tmp_path / "out")
    lines = (tmp_path / "out" / "modules.dep").read_text().splitlines()
    assert "kernel/net/card.ko: kernel/drivers/virt.ko kernel/drivers/ring.ko" in lines
    assert "kernel/drivers/ring.ko:" in lines
    assert (tmp_path / "out" / "modules.alias").read_text() == "alias virtio:d00000004v* virtio_rng\n"
    for line in lines:
        assert (tmp_path / "out" / line.split(":")[0]).is_file()


@pytest.mark.skipif(shutil.which("cpio") is None, reason="no cpio program to compare with")
def test_initramfs_is_an_archive_that_cpio_reads() -> None:
    archive = initramfs(b"#!/bin/sh\n", b"\x7fELFbusybox", [("virtio", b"one"), ("virtio_blk", b"three")])
    listed = subprocess.run(["cpio", "-tv", "--numeric-uid-gid"], input=archive, capture_output=True, check=True)
    rows = [line.split() for line in listed.stdout.decode().splitlines()]
    names = [row[8] if row[0][0] != "c" else row[9] for row in rows]
    assert names[-4:] == ["bin/sh", "init", "modules/00-virtio.ko", "modules/01-virtio_blk.ko"]
    kinds = {name: row[0] for name, row in zip(names, rows, strict=True)}
    assert kinds["dev/console"].startswith("crw")
    assert kinds["init"] == "-rwxr-xr-x"
    assert kinds["bin/sh"].startswith("l")
    content = subprocess.run(
        ["cpio", "-i", "--to-stdout", "modules/01-virtio_blk.ko"], input=archive, capture_output=True, check=True
    )
    assert content.stdout == b"three"

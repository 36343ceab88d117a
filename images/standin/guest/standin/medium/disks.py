"""The disks an installer can choose from, under the names FreeBSD gives them, and what is written on the chosen one."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from standin.run import CommandError, run

SECTOR = 512
MIB = 1 << 20
BOOT_KIB = 512
"""As pfSense's zfsboot makes them on a BIOS machine: a boot partition of 512 KiB, swap, and the rest."""

BIOS_BOOT = "21686148-6449-6E6F-744E-656564454649"
LINUX_SWAP = "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F"
LINUX_ROOT = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
ROOT_NUMBER = 3
PERCENT = re.compile(rb"\((\d+)%\)")
"""e2image's own word about how far it is."""


@dataclass(frozen=True)
class Disk:
    """name: FreeBSD's (`ada0`, `vtbd0`); device: where it is here; about: what it calls itself; size in bytes."""

    name: str
    device: Path
    about: str
    size: int


def find_disks(sys_block: Path = Path("/sys/block")) -> list[Disk]:
    """Every disk, by name. A SATA or USB disk is `adaN`, a virtio one `vtbdN`, in the kernel's order."""
    found = []
    names = sorted(entry.name for entry in sys_block.iterdir())
    for prefix, ours, about in (("sd", "ada", "QEMU HARDDISK"), ("vd", "vtbd", "VirtIO Block Device")):
        for number, name in enumerate(each for each in names if each.startswith(prefix)):
            model = sys_block / name / "device" / "model"
            described = model.read_text().strip() if model.exists() else about
            size = int((sys_block / name / "size").read_text()) * SECTOR
            found.append(Disk(f"{ours}{number}", Path("/dev") / name, described, size))
    return sorted(found, key=lambda disk: disk.name)


def partition(disk: Disk, swap_mib: int) -> Path:
    """Boot, swap and root partition on a fresh GPT; the root's device. Raises CommandError."""
    table = "\n".join(
        (
            "label: gpt",
            f"size={BOOT_KIB}KiB, type={BIOS_BOOT}, name=gptboot0",
            f"size={swap_mib}MiB, type={LINUX_SWAP}, name=swap0",
            f"type={LINUX_ROOT}, name=standin0",
        )
    )
    run(["sfdisk", "--quiet", "--wipe", "always", "--wipe-partitions", "always", str(disk.device)], table + "\n")
    run(["mkswap", "-L", "swap0", part(disk, 2)])
    return Path(part(disk, ROOT_NUMBER))


def part(disk: Disk, number: int) -> str:
    return f"{disk.device}{number}"


def copy_used(source: Path, target: Path, progress: Callable[[int], None]) -> None:
    """Copy the blocks that an ext file system uses, and nothing else; progress in percent. Raises CommandError."""
    argv = ["e2image", "-r", "-a", "-p", str(source), str(target)]
    said = b""
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as copying:
        assert copying.stdout is not None
        progress(0)
        while data := os.read(copying.stdout.fileno(), 4096):
            said = (said + data)[-4096:]
            for found in PERCENT.findall(said)[-1:]:
                progress(int(found))
    if copying.returncode:
        raise CommandError(argv, said.decode(errors="replace"))
    progress(100)


def grow(root: Path) -> None:
    """Let the file system fill its partition. Raises CommandError."""
    run(["resize2fs", "-f", str(root)])


@contextmanager
def mounted(root: Path, at: Path) -> Iterator[None]:
    """Mounted for writing for the time of a `with`. Raises CommandError."""
    at.mkdir(parents=True, exist_ok=True)
    run(["busybox", "mount", "-t", "ext4", str(root), str(at)])
    try:
        yield
    finally:
        run(["busybox", "umount", str(at)])

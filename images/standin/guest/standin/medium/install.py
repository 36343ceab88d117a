"""What the installer does when it has its answers: partitions, the medium's own file system copied there, its marks, its configuration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from standin.config_store import reset_to_defaults, write_through
from standin.medium.disks import Disk, copy_used, grow, mounted, partition
from standin.places import Places
from standin.run import CommandError

MARK = "etc/uranus-installed"
TARGET = Path("/run/target")
STICK = Path("/dev/sda")


def install(
    disk: Disk,
    swap_mib: int,
    recipe: str,
    recovered: bytes | None,
    progress: Callable[[int], None],
    stick: Path = STICK,
) -> None:
    """Install on a disk. recipe: what the medium was made from. recovered: a config.xml of an earlier install, or None.

    Raises CommandError and OSError.
    """
    root = partition(disk, swap_mib)
    copy_used(stick, root, progress)
    grow(root)
    with mounted(root, TARGET):
        (TARGET / MARK).write_text(f"recipe {recipe}\ndisk {disk.name}\n")
        places = Places(TARGET)
        reset_to_defaults(places)
        if recovered is not None:
            write_through(places.config, recovered)
            places.wizard_flag.unlink()
        if not (TARGET / "conf").is_symlink():
            (TARGET / "conf").symlink_to("/cf/conf")


def old_config(disk_root: Path) -> bytes | None:
    """The configuration of an earlier install on a root partition; None where there is none."""
    if not disk_root.exists():
        return None
    try:
        with mounted(disk_root, TARGET):
            config = Places(TARGET).config
            return config.read_bytes() if config.exists() else None
    except CommandError:
        return None

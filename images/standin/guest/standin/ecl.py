"""The External Configuration Locator: at every boot, a config.xml found on a partition of another disk becomes ours."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from lab.console.catalogue import boot as texts
from standin.config_store import ROOT_LINE, install
from standin.places import Places
from standin.run import attempt
from standin.xmlnode import SettingsError, parse_root

CANDIDATES = ("config.xml", "config/config.xml")
# Printed as pfSense prints it, wherever the root of this stand-in is.
SHOWN_MOUNT_POINT = "/tmp/mnt/cf"

Say = Callable[..., None]


def locate(places: Places, say: Say, slices: Iterable[str]) -> bool:
    """Try each slice in turn; True when a config.xml was installed. `say(text, **fields)` prints."""
    say(texts.ECL_START)
    for name in slices:
        say(texts.ECL_SLICE, slice=name)
        found = _read_from(places.mount_point, name)
        if found is not None:
            _install(places, say, name, *found)
            return True
    say(texts.ECL_END)
    return False


def other_slices(sys_block: Path = Path("/sys/block"), root_disk: str | None = None) -> list[str]:
    """Partitions of every disk but the one we boot from; a disk without a partition table has none."""
    boot = root_disk if root_disk is not None else _root_disk()
    found = []
    for disk in sorted(sys_block.iterdir()):
        if disk.name != boot and not disk.name.startswith(("loop", "ram", "fd", "sr")):
            found += sorted(entry.name for entry in disk.iterdir() if (entry / "partition").exists())
    return found


def acceptable(data: bytes) -> bool:
    """pfSense's own test: line 2 is exactly `<pfsense>` (no indent, no CR) and the whole is well-formed."""
    lines = data.split(b"\n", 2)
    if len(lines) < 3 or lines[1] != ROOT_LINE:
        return False
    try:
        parse_root(data)
    except SettingsError:
        return False
    return True


def _read_from(mount_point: Path, name: str) -> tuple[str, bytes] | None:
    """Path inside the slice and contents of an acceptable config.xml there."""
    mount_point.mkdir(parents=True, exist_ok=True)
    code, _ = attempt(["busybox", "mount", "-r", "-t", "vfat", f"/dev/{name}", str(mount_point)])
    if code:
        return None
    try:
        for candidate in CANDIDATES:
            path = mount_point / candidate
            if path.is_file():
                data = path.read_bytes()
                return (candidate, data) if acceptable(data) else None
        return None
    finally:
        attempt(["busybox", "umount", str(mount_point)])


def _install(places: Places, say: Say, name: str, candidate: str, data: bytes) -> None:
    say(texts.ECL_FOUND)
    say(texts.ECL_BACKUP)
    say(texts.ECL_RESTORE, slice=name, path=f"{SHOWN_MOUNT_POINT}/{candidate}")
    install(places, data)
    if places.wizard_flag.exists():
        say(texts.ECL_FIRST_BOOT)
        places.package_flag.touch()
        places.wizard_flag.unlink()
    say(texts.ECL_CLEANUP)


def _root_disk() -> str:
    """Name of the disk that holds `/`, "" when it lies on none (an initramfs)."""
    device = Path("/").stat().st_dev
    try:
        entry = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve(strict=True)
    except OSError:
        return ""
    return entry.parent.name if (entry / "partition").exists() else entry.name

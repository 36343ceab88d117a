"""What libvirt found out about QEMU (some 4 s of work), handed from one lab to the next.

libvirt itself throws such a file away when QEMU, libvirt or the kernel has changed since.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from lab.paths import LabPaths, cache_home


def _of_lab(paths: LabPaths) -> Path:
    return paths.libvirt / "cache" / "qemu" / "capabilities"


def _shared() -> Path:
    return cache_home() / "libvirt-capabilities"


def seed(paths: LabPaths) -> None:
    """Give a new lab's libvirtd what is known. Does nothing where nothing is."""
    _copy(_shared(), _of_lab(paths))


def keep(paths: LabPaths) -> None:
    """Take what a lab's libvirtd found out; its files must be the caller's by now."""
    _copy(_of_lab(paths), _shared())


def _copy(source: Path, target: Path) -> None:
    """The XML files of a directory, each whole or not at all. A cache: what goes wrong here costs time and no more."""
    try:
        found = sorted(source.glob("*.xml"))
        if found:
            target.mkdir(parents=True, exist_ok=True)
        for file in found:
            beside = target / f"{file.name}.{os.getpid()}"
            shutil.copyfile(file, beside)
            beside.rename(target / file.name)
    except OSError:
        return

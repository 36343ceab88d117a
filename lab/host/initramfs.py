"""The first file system of a guest: a cpio archive with busybox, a script and the few modules that reach the disk."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field

MAGIC = "070701"
TRAILER = "TRAILER!!!"


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


@dataclass
class Cpio:
    """A "newc" cpio archive in the making; deterministic: owner root, time 0. Linux, Documentation/driver-api/early-userspace."""

    parts: list[bytes] = field(default_factory=list)

    def _entry(self, name: str, mode: int, content: bytes = b"", device: tuple[int, int] = (0, 0)) -> None:
        raw = name.encode() + b"\0"
        number = 0 if name == TRAILER else len(self.parts) + 1
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(raw), 0)
        head = MAGIC + "".join(f"{value:08X}" for value in fields)
        self.parts.append(_padded(head.encode() + raw) + _padded(content))

    def directory(self, name: str) -> None:
        self._entry(name, stat.S_IFDIR | 0o755)

    def file(self, name: str, content: bytes, mode: int = 0o644) -> None:
        self._entry(name, stat.S_IFREG | mode, content)

    def link(self, name: str, target: str) -> None:
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, name: str, major: int, minor: int) -> None:
        self._entry(name, stat.S_IFCHR | 0o600, device=(major, minor))

    def archive(self) -> bytes:
        """The whole archive. Not compressed: it is small, and unpacking is the guest's time."""
        self._entry(TRAILER, 0)
        return b"".join(self.parts)


Modules = list[tuple[str, bytes]]


def initramfs(init: bytes, busybox: bytes, modules: Modules, medium: Modules | None = None) -> bytes:
    """init: the script. modules: name and content of each, in the order in which they are loaded; medium: those for a stick."""
    cpio = Cpio()
    for name in ("bin", "dev", "disk", "modules", "modules.medium", "proc"):
        cpio.directory(name)
    # The kernel opens the console before there is a devtmpfs.
    cpio.character_device("dev/console", 5, 1)
    cpio.file("bin/busybox", busybox, 0o755)
    cpio.link("bin/sh", "busybox")
    cpio.file("init", init, 0o755)
    for folder, listed in (("modules", modules), ("modules.medium", medium or [])):
        for number, (name, content) in enumerate(listed):
            cpio.file(f"{folder}/{number:02d}-{name}.ko", content)
    return cpio.archive()

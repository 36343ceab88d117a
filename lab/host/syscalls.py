"""The four Linux calls that namespaces need and Python 3.11 lacks: unshare, setns, mount, umount2."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import re
from pathlib import Path

# <linux/sched.h>
CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000

# <linux/mount.h>
MS_RDONLY = 0x1
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_SLAVE = 0x80000
MNT_DETACH = 0x2

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Move the calling thread into new namespaces. Raises OSError."""
    _checked(_libc.unshare(flags), "unshare")


def setns(handle: int, kind: int) -> None:
    """Move the calling thread into the namespace an open file stands for. Raises OSError."""
    _checked(_libc.setns(handle, kind), "setns")


def mount(source: Path | str, target: Path | str, kind: str = "none", flags: int = 0) -> None:
    """mount(2) without data. Raises OSError."""
    result = _libc.mount(os.fsencode(source), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), None)
    _checked(result, f"mount {source} on {target}")


def bind(source: Path | str, target: Path | str, recursive: bool = False) -> None:
    """Show `source` at `target` as well. Raises OSError."""
    mount(source, target, flags=MS_BIND | (MS_REC if recursive else 0))


def detach(target: Path | str) -> None:
    """umount2(2), lazily: open files below do not hold it. Raises OSError."""
    _checked(_libc.umount2(os.fsencode(target), MNT_DETACH), f"umount {target}")


def hide_mounts() -> None:
    """Make every mount a slave: what the host unmounts goes here too, what is mounted here never reaches the host.

    Call it in a new mount namespace. Raises OSError.
    """
    try:
        mount("none", "/", flags=MS_REC | MS_SLAVE)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        # A plain chroot: its root is a directory and no mount, so there is nothing to begin from but the mounts below.
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), line.split()[4])
            with contextlib.suppress(OSError):  # hidden below another
                mount("none", point, flags=MS_SLAVE)

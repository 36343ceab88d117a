"""Which processes belong to a lab's world, and how they end.

Ownership is read from the kernel, never from a file: a process is the lab's when its network namespace is the lab's.
The namespace is known by its name under /run/netns, and also as that of any process which sees the lab's own
`libvirt/run` at /run/libvirt: so the members are found even after somebody deleted the name by hand.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.paths import LabPaths

NETNS = Path("/run/netns")
"""Where iproute2 keeps named network namespaces."""

RUN_LIBVIRT = Path("/run/libvirt")

GRACE = 3.0
"""Seconds between SIGTERM and SIGKILL. QEMU and libvirtd need well under one."""

LAST_WAIT = 20.0
"""Seconds a process may take to die of SIGKILL."""

POLL = 0.02

SURVIVORS = "These processes of the lab did not end"
SURVIVORS_CURE = "A process in state D waits for its disk: look at the disk, then run lab.down again."

Inode = tuple[int, int]


@dataclass(frozen=True)
class Process:
    """A process of the lab. command: its command line, arguments joined by blanks."""

    pid: int
    command: str


def inode_of(path: Path | str) -> Inode | None:
    """(device, inode) of what stands at a path; None where nothing does, or we may not look."""
    try:
        status = os.stat(path)  # noqa: PTH116 - called a thousand times in a scan
    except OSError:
        return None
    return status.st_dev, status.st_ino


def is_namespace(name: Path) -> bool:
    """Whether a namespace is mounted at that file. A plain file is what a creator killed half way leaves."""
    here, above = inode_of(name), inode_of(name.parent)
    return here is not None and above is not None and here[0] != above[0]


def _pids() -> list[int]:
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]  # noqa: PTH208


def _worlds(paths: LabPaths, pids: list[int]) -> set[Inode]:
    """Inodes of the network namespaces that are this lab's; never the host's own."""
    found: set[Inode | None] = set()
    name = NETNS / paths.namespace
    if is_namespace(name):
        found.add(inode_of(name))
    run = inode_of(paths.libvirt / "run")
    if run is not None and run != inode_of(RUN_LIBVIRT):
        found |= {inode_of(f"/proc/{pid}/ns/net") for pid in pids if inode_of(f"/proc/{pid}/root{RUN_LIBVIRT}") == run}
    hosts = {None, inode_of("/proc/self/ns/net"), inode_of("/proc/1/ns/net")}
    return {inode for inode in found - hosts if inode is not None}


def _command(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    return b" ".join(words).decode(errors="replace").strip()


def members(paths: LabPaths) -> list[Process]:
    """Every living process of the lab. Needs root to see all; run from outside the lab's world."""
    pids = _pids()
    worlds = _worlds(paths, pids)
    if not worlds:
        return []
    return [Process(pid, _command(pid)) for pid in pids if inode_of(f"/proc/{pid}/ns/net") in worlds]


def _send(pid: int, number: signal.Signals, worlds: set[Inode]) -> None:
    """Signal a process through a handle taken before its membership was looked at: a reused pid is never hit."""
    with contextlib.suppress(OSError):
        handle = os.pidfd_open(pid)
        try:
            if inode_of(f"/proc/{pid}/ns/net") in worlds:
                signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)


def end_all(paths: LabPaths, grace: float = GRACE, last_wait: float = LAST_WAIT) -> None:
    """End every process of the lab: SIGTERM, and SIGKILL to what is left after `grace` seconds.

    Raises LabError when something outlives SIGKILL by `last_wait` seconds.
    """
    for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, last_wait)):
        deadline = time.monotonic() + seconds
        told: set[int] = set()
        while left := members(paths):
            worlds = _worlds(paths, _pids())
            for process in left:
                if process.pid not in told:
                    _send(process.pid, number, worlds)
                    told.add(process.pid)
            if time.monotonic() > deadline:
                break
            time.sleep(POLL)
        else:
            return
    seen = "\n".join(f"{process.pid} {process.command}" for process in members(paths))
    raise LabError(SURVIVORS, seen=seen, cure=SURVIVORS_CURE)

"""Finds what a run of the tests left on this computer, and does not take other people's things for its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

MARK = "URANUS_TEST_RUN"
"""Environment variable that every process of one run inherits; its value is the run's own."""

NAMESPACES = Path("/run/netns")


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:  # gone meanwhile, or another user's
        return b""


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _describe(pid: int) -> str:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        command = ""
    return f"process {pid}: {command[:160]}"


def _has_mark(pid: int, mark: str) -> bool:
    return f"{MARK}={mark}".encode() in _environment(pid).split(b"\0")


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def processes(mark: str) -> list[str]:
    """Living processes that carry the mark, but for this one and its parents."""
    mine = {os.getpid(), os.getppid()}
    return [_describe(pid) for pid in _pids() if pid not in mine and _alive(pid) and _has_mark(pid, mark)]


def mounts(directory: Path) -> list[str]:
    """Mounts on or below a directory, as this process sees them."""
    points = (line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines())
    return [f"mount {point}" for point in points if Path(point).is_relative_to(directory)]


def namespaces() -> set[str]:
    """Names of the network namespaces that look like a lab's."""
    return {path.name for path in NAMESPACES.glob("uranus-*")}


def orphans(names: set[str], mark: str, empty_ones: bool = True) -> list[str]:
    """Of these namespaces, those that are ours or nobody's: one with foreign processes in it is somebody else's lab.

    empty_ones: whether one without processes counts.
    """
    found = []
    for name in sorted(names):
        members = list(_members(name))
        if (empty_ones and not members) or any(_has_mark(pid, mark) for pid in members):
            found.append(f"network namespace {name}" + "".join(f"\n    {_describe(pid)}" for pid in members))
    return found


def _members(name: str) -> Iterator[int]:
    try:
        inode = (NAMESPACES / name).stat().st_ino
    except OSError:
        return
    for pid in _pids():
        try:
            if Path(f"/proc/{pid}/ns/net").stat().st_ino == inode:
                yield pid
        except OSError:  # gone meanwhile
            continue

"""What the bridges of a running lab have learnt, read without a process and without rights: for a look that takes no time.

A guest of a lab sees its namespace's devices in the sysfs of its own mount namespace; /proc/PID/root leads there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.paths import LabPaths

ENTRY = struct.Struct("=6sBBIBBH")
"""struct __fdb_entry (Linux, include/uapi/linux/if_bridge.h): MAC, port, is local, age in 1/100 s, upper byte of the port."""

TICKS = 100
"""USER_HZ: what the kernel counts ages in towards programs."""


@dataclass(frozen=True)
class Learnt:
    """A MAC that was seen behind a port (a tap). age: seconds since the last frame from it."""

    mac: bytes
    port: str
    age: float


def links_of(paths: LabPaths) -> Path | None:
    """The directory of the lab's network devices, or None where no guest runs or its owner is another user."""
    for pid_file in sorted((paths.libvirt / "run" / "qemu").glob("*.pid")):
        try:
            links = Path("/proc") / pid_file.read_text().strip() / "root" / "sys" / "class" / "net"
            if links.is_dir():
                return links
        except OSError:
            continue
    return None


def learnt(links: Path, bridge: str) -> tuple[Learnt, ...]:
    """What one bridge has learnt; () where there is no such bridge."""
    try:
        ports = dict(_ports(links / bridge / "brif"))
        table = (links / bridge / "brforward").read_bytes()
    except OSError:
        return ()
    found = []
    for mac, low, local, age, high, _, _ in ENTRY.iter_unpack(table[: len(table) - len(table) % ENTRY.size]):
        port = ports.get(low | high << 8)
        if port and not local:
            found.append(Learnt(mac, port, age / TICKS))
    return tuple(found)


def _ports(directory: Path) -> Iterator[tuple[int, str]]:
    for port in directory.iterdir():
        yield int((port / "port_no").read_text(), 16), port.name

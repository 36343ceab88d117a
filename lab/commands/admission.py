"""What a lab takes of this computer, before it is begun. Whether that is there, lab.host.preflight says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

QEMU_MIB = 150
"""What QEMU itself takes beside a guest's memory, MiB, its translation cache included."""

DAEMON_MIB = 50
"""The lab's own libvirtd, and what listens on its wires, MiB."""

LOGS_MIB = 600
"""What overlays, logs and captures of a lab may come to, MiB."""


@dataclass(frozen=True)
class Needs:
    """MiB of memory, and of disk below the state directory."""

    memory_mib: int
    disk_mib: int


def needed(guests: Sequence[int]) -> Needs:
    """For guests of so many MiB each. On disk their memory counts once: the checkpoint that `lab.up` takes holds it."""
    memory = sum(guests)
    return Needs(memory + QEMU_MIB * len(guests) + DAEMON_MIB, LOGS_MIB + memory)

"""Internal snapshots of one guest: RAM and devices by QEMU's monitor, in the guest's own qcow2 disk; nothing is restarted.

libvirt's own snapshots are not used: its revert takes 2.2 s for each guest, `loadvm` a quarter of a second.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import libvirt_qemu

from lab.errors import LabError

HMP = 1
"""VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP."""

REFUSED = "{machine}: QEMU refused `{command}`"
REFUSED_CURE = "Is the disk full? A machine that still has its config.xml disk is to be powered off and on once."


def monitor(domain: Any, command: str) -> None:
    """One command of QEMU's monitor that is silent when it succeeds. Raises LabError with what it said."""
    said = str(libvirt_qemu.qemuMonitorCommand(domain, command, HMP)).strip()
    if said:
        raise LabError(
            REFUSED.format(machine=domain.name(), command=command), expected="no answer", seen=said, cure=REFUSED_CURE
        )


def take(domain: Any, disk: Path, tag: str) -> None:
    """Keep RAM and disk of a guest that is on, or the disk of one that is off."""
    if domain.isActive():
        monitor(domain, f"savevm {tag}")
    else:
        _image(disk, "-c", tag)


def revert(domain: Any, disk: Path, tag: str) -> None:
    """Back to that state; a guest that is on stays paused if it is."""
    if domain.isActive():
        monitor(domain, f"loadvm {tag}")
    else:
        _image(disk, "-a", tag)


def forget(domain: Any, disk: Path, tag: str) -> None:
    """Give its room back."""
    if domain.isActive():
        monitor(domain, f"delvm {tag}")
    else:
        _image(disk, "-d", tag)


def _image(disk: Path, option: str, tag: str) -> None:
    command = ["qemu-img", "snapshot", "-q", option, tag, str(disk)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(
            REFUSED.format(machine=disk.stem, command=" ".join(command[:-1])),
            seen=done.stderr.strip(),
            cure=REFUSED_CURE,
        )

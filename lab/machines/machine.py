"""What a guest is to the floors above: power, links, disks, a serial line, an agent. Who provides it is hidden."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from lab.events import Listener, silent
from lab.machines.agent import Agent


class MachineState(StrEnum):
    """Where a guest stands."""

    ABSENT = "absent"
    OFF = "off"
    RUNNING = "running"
    PAUSED = "paused"
    CRASHED = "crashed"


class Machine(Protocol):
    """One guest. Every verb is idempotent and raises LabError."""

    @property
    def name(self) -> str: ...

    @property
    def console_socket(self) -> Path:
        """UNIX socket of its serial line."""

    @property
    def agent(self) -> Agent:
        """Its guest agent. Firewalls have none: use it on clients only."""

    def state(self) -> MachineState: ...

    def start(self) -> bool:
        """Power on. False where it ran already; a paused guest goes on."""

    def kill(self) -> None:
        """Pull the plug: no grace, nothing is written back."""

    def shutdown(self, seconds: float) -> None:
        """Press the power button and wait until the guest is off, at most that long."""

    def pause(self) -> None:
        """Freeze the guest where it stands."""

    def set_link(self, network: str, up: bool) -> None:
        """Plug or unplug its cable on a network; stays so over a reboot."""

    def link(self, network: str) -> bool:
        """Whether that cable is plugged in."""

    def delay(self, network: str, seconds: float) -> None:
        """Hold back every frame of its card there for up to `seconds`, either direction, until 0.0 ends it or power does."""

    def links(self) -> Mapping[str, bool]:
        """Every network it has a card on, and whether that cable is plugged in."""

    def attach_disk(self, image: Path, target: str) -> None:
        """Add a raw virtio disk under a libvirt target name (`vdb`), now and for later boots."""

    def detach_disk(self, target: str, seconds: float = 10.0) -> bool:
        """Remove a disk for later boots, and from the running guest as well if that lets go within `seconds`.

        True when the disk is gone now; False when the running guest keeps it until it is powered off.
        """

    def disks(self) -> Mapping[str, Path]:
        """Image of each disk attached now, by target name."""

    def description(self, running: bool) -> str:
        """Its definition: of the guest as it runs now, or of its next boot."""

    def start_paused(self, description: str) -> None:
        """Power on a guest that is off, as exactly that machine, frozen before its first instruction."""

    def keep(self, tag: str) -> None:
        """Keep RAM and disk under a tag, in place; of a guest that is off, the disk. A running guest is paused before."""

    def revert(self, tag: str) -> None:
        """Back to what was kept under a tag. The guest is paused, or off, as it was when that was kept."""

    def forget(self, tag: str) -> None:
        """Give the room of a tag back."""

    def kept(self) -> Mapping[str, Path]:
        """The file that holds each tag."""


class Machines(Protocol):
    """All guests of one lab."""

    def define(self, name: str, xml: str) -> Machine:
        """Make a guest known, or change what its next boot will be. xml: a libvirt domain."""

    def get(self, name: str) -> Machine:
        """A guest by name, known or not (its state is then ABSENT)."""

    def states(self) -> Mapping[str, MachineState]:
        """State of every known guest, by name."""

    def start_all(self, names: Iterable[str], listener: Listener = silent) -> None:
        """Power on many at once; tells the listener of each step `start`, one call at a time."""

    def kill_all(self, names: Iterable[str] | None = None, listener: Listener = silent) -> None:
        """Pull the plug of many at once; None: of all."""

    def undefine(self, name: str) -> None:
        """Forget a guest, which is killed first. Its disks stay."""

    def close(self) -> None:
        """Let go of the connection; guests go on."""

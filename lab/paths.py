"""Where the project keeps things: one state directory per lab, one cache for all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


def project_root() -> Path:
    """The checkout: topologies/, images/ and templates are found from here."""
    return Path(__file__).resolve().parent.parent


def state_home(env: Mapping[str, str] = os.environ) -> Path:
    """URANUS_STATE, else XDG_STATE_HOME/uranus-lab, else ~/.local/state/uranus-lab."""
    if env.get("URANUS_STATE"):
        return Path(env["URANUS_STATE"])
    base = env.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "uranus-lab"


def cache_home(env: Mapping[str, str] = os.environ) -> Path:
    """URANUS_CACHE, else XDG_CACHE_HOME/uranus-lab, else ~/.cache/uranus-lab."""
    if env.get("URANUS_CACHE"):
        return Path(env["URANUS_CACHE"])
    base = env.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "uranus-lab"


@dataclass(frozen=True)
class LabPaths:
    """Every file of one lab. Nothing of a lab lies outside `root` but its network namespace's name."""

    root: Path

    @classmethod
    def of(cls, name: str, home: Path | None = None) -> LabPaths:
        return cls((home or state_home()) / name)

    @property
    def name(self) -> str:
        return self.root.name

    @property
    def namespace(self) -> str:
        """Name under /run/netns: the lab's name, and six hex digits of its directory so that two users never meet."""
        digest = hashlib.sha256(str(self.root).encode()).hexdigest()[:6]
        return f"uranus-{self.name}-{digest}"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def record(self) -> Path:
        """lab.json: topology, appliance, stage and images this lab was made from."""
        return self.root / "lab.json"

    @property
    def journal(self) -> Path:
        return self.root / "journal.jsonl"

    @property
    def secrets(self) -> Path:
        """0600: the admin and CARP passwords of this lab."""
        return self.root / "secrets.json"

    @property
    def checkpoints(self) -> Path:
        """0700: one NAME.json per checkpoint; what they describe lies in the machines' disks."""
        return self.root / "checkpoints"

    @property
    def pending(self) -> Path:
        """There while a save or a restore is under way: what the next command has to bring to its end."""
        return self.root / "pending.json"

    @property
    def pins(self) -> Path:
        """pins.json: the certificate of each firewall's web interface, as it was when first seen."""
        return self.root / "pins.json"

    @property
    def log(self) -> Path:
        return self.root / "lab.log"

    @property
    def libvirt(self) -> Path:
        """Holds run/ lib/ etc/ cache/ log/, bound over the daemon's own directories."""
        return self.root / "libvirt"

    @property
    def libvirt_socket(self) -> Path:
        return self.libvirt / "run" / "libvirt-sock"

    @property
    def libvirt_uri(self) -> str:
        return f"qemu+unix:///system?socket={self.libvirt_socket}"

    def disk(self, machine: str) -> Path:
        return self.root / "disks" / f"{machine}.qcow2"

    def config_xml(self, machine: str) -> Path:
        return self.root / "config" / f"{machine}.xml"

    def config_disk(self, machine: str) -> Path:
        return self.root / "config" / f"{machine}.img"

    def domain_xml(self, machine: str) -> Path:
        return self.root / "domains" / f"{machine}.xml"

    def console_socket(self, machine: str) -> Path:
        return self.root / "console" / f"{machine}.sock"

    def console_log(self, machine: str) -> Path:
        return self.root / "console" / f"{machine}.log"

    def agent_socket(self, machine: str) -> Path:
        return self.root / "console" / f"{machine}.agent"

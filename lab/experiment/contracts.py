"""What an experiment needs of a lab, as Protocols: the floors below satisfy them, and so do the tests' doubles."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

from lab.appliances.carp_text import CarpWord
from lab.expect.mistake import Edit, Line
from lab.topology.model import Topology
from lab.topology.secrets import Secrets
from lab.topology.stage import Stage


class Ran(Protocol):
    """How a command in a guest ended."""

    @property
    def exit_code(self) -> int: ...

    @property
    def stdout(self) -> str: ...


class Guest(Protocol):
    """A client machine (lab.machines.agent.Agent is one)."""

    def run(self, command: str, seconds: float = 60.0) -> Ran:
        """Run a shell command as root. Raises LabError when it does not end in time."""


class Firewall(Protocol):
    """A node that can be asked for its own word (lab.appliances.firewall.Firewall is one)."""

    def carp(self) -> CarpWord: ...


class Running(Protocol):
    """A command at work in the lab's namespace."""

    @property
    def process(self) -> subprocess.Popen[bytes]: ...

    def stop(self) -> int:
        """SIGTERM, then SIGKILL; returns the exit code."""


class World(Protocol):
    """The lab's namespace (lab.host.world.World is one). Commands run as root."""

    def run(self, command: Sequence[str], text: str = "", timeout: float = 30.0) -> str:
        """stdout of a command; raises LabError when it fails."""

    def spawn(
        self,
        command: Sequence[str],
        text: str = "",
        stdout: int | IO[Any] | None = None,
        stderr: int | IO[Any] | None = None,
    ) -> Running: ...


class Subject(Protocol):
    """A running lab, as far as it is looked at. guests: clients by name; firewalls: nodes by name."""

    @property
    def topology(self) -> Topology: ...

    @property
    def stage(self) -> Stage: ...

    @property
    def world(self) -> World: ...

    @property
    def guests(self) -> Mapping[str, Guest]: ...

    @property
    def firewalls(self) -> Mapping[str, Firewall]: ...


class Limits(Protocol):
    """How patient to be, in seconds; the appliance and the accelerator decide.

    hand_over: on top of what the law says. comeback: from power on or CARP on to mastership. timers: how late a
    firewall's own timer may fire, for the verdict on what was measured.
    """

    @property
    def hand_over(self) -> float: ...

    @property
    def comeback(self) -> float: ...

    @property
    def timers(self) -> float: ...


class Bench(Subject, Protocol):
    """A running lab to which things can be done. Every verb returns when it is done and raises LabError."""

    @property
    def limits(self) -> Limits: ...

    @property
    def processes(self) -> Mapping[str, str]:
        """Firewall -> words that stand in the command line of its process on this host, and of no other; empty: unknown."""

    def kill(self, node: str) -> None:
        """Pull the plug, no grace."""

    def start(self, node: str) -> None:
        """Power on; need not wait for the end of the boot."""

    def carp_off(self, node: str) -> None:
        """ "Temporarily disable CARP"."""

    def carp_on(self, node: str) -> None: ...

    def maintenance(self, node: str, enter: bool) -> None: ...

    def demote(self, node: str, by: int) -> None:
        """Add to net.inet.carp.demotion; by may be negative."""

    def set_link(self, node: str, network: str, up: bool) -> None: ...

    def reboot(self, node: str) -> None:
        """Ask the firewall to restart itself; return when it has booted."""

    def halt(self, node: str) -> None:
        """Ask the firewall to switch itself off; return when it has been told."""

    def pause(self, node: str) -> None:
        """Freeze the guest, its clock too."""

    def resume(self, node: str) -> None: ...

    def delay(self, node: str, network: str, seconds: float) -> None:
        """Hold back every frame of one card for up to `seconds`, either direction; 0.0 ends it."""

    @property
    def secrets(self) -> Secrets:
        """The lab's passwords, to compare digests with."""

    @property
    def consoles(self) -> Mapping[str, Path]:
        """Firewall -> transcript of its serial line; empty where there is none."""

    def settings(self, node: str, salt: str) -> tuple[Line, ...]:
        """config.xml's sections that both nodes must agree on, each password replaced by lab.experiment.digest's digest."""

    def edit(self, node: str, changes: Sequence[Edit]) -> None:
        """Change these lines of config.xml and have the firewall obey, keeping the file as it was for `restore`."""

    def restore(self, node: str) -> None:
        """Put config.xml back as it was before `edit`, and have the firewall obey. Nothing where nothing was edited."""

    def states(self, node: str, words: Sequence[str]) -> Sequence[int]:
        """How many lines of the firewall's state table have each of these words, such as `172.17.1.10:4711`."""

    def log(self, node: str) -> str:
        """The firewall's own time, `2026 Nov 22 16:05:01`, then the end of its log."""

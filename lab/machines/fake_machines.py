"""Guests that exist in memory alone: for tests of what stands on top of machines."""

from __future__ import annotations

import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.errors import LabError
from lab.events import Event, Listener, Phase, silent
from lab.host.deadline import Deadline
from lab.machines.agent import Outcome
from lab.machines.machine import Machine, MachineState

UNKNOWN = "No such machine: {machine}"
NO_CARD = "{machine} has no card on network {network}"
DEAF = "The guest agent of {machine} does not answer"
FAILED = "A command failed on {machine}"

Answer = Callable[[str], Outcome]
"""What a fake guest says to a shell command."""


def succeed(_command: str) -> Outcome:
    """The answer of a guest where everything works and nothing is printed."""
    return Outcome(0, "", "")


@dataclass
class FakeAgent:
    """Answers commands by a function; is silent while its machine is not running. commands: all it was told."""

    machine: FakeMachine
    answer: Answer = succeed
    commands: list[str] = field(default_factory=list)

    def ping(self) -> bool:
        return self.machine.state() is MachineState.RUNNING

    def wait(self, deadline: Deadline) -> None:
        if not self.ping():
            raise deadline.error(f"guest agent of {self.machine.name}")

    def run(self, command: str, seconds: float = 60.0, text: str = "") -> Outcome:
        if not self.ping():
            raise LabError(DEAF.format(machine=self.machine.name))
        self.commands.append(command)
        return self.answer(command)

    def output(self, command: str, seconds: float = 60.0, text: str = "") -> str:
        outcome = self.run(command, seconds, text)
        if not outcome.ok:
            raise LabError(FAILED.format(machine=self.machine.name), seen=outcome.stderr)
        return outcome.stdout


class FakeMachine:
    """A guest made of a state, cables and disks. It reads its cards and disks from the same domain XML as a real one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._state = MachineState.ABSENT
        self._links: dict[str, bool] = {}
        self._disks: dict[str, Path] = {}
        self.delays: dict[str, float] = {}
        self._console = Path("/nonexistent") / name
        self._xml = ""
        self.memory = ""
        """For tests: what would be in its RAM and on its disk."""
        self._tags: dict[str, str] = {}
        self.agent = FakeAgent(self)

    @property
    def name(self) -> str:
        return self._name

    @property
    def console_socket(self) -> Path:
        return self._console

    def define(self, xml: str) -> None:
        """Take cards, disks and serial line from a domain."""
        tree = ET.fromstring(xml)
        self._xml = xml
        for bridge in tree.findall("./devices/interface/source"):
            self._links.setdefault(bridge.get("bridge", "").removeprefix("br-"), True)
        for disk in tree.findall("./devices/disk"):
            target, source = disk.find("target"), disk.find("source")
            if target is not None and source is not None:
                self._disks[target.get("dev", "")] = Path(source.get("file", ""))
        console = tree.find("./devices/serial/source")
        if console is not None:
            self._console = Path(console.get("path", ""))
        if self._state is MachineState.ABSENT:
            self._state = MachineState.OFF

    def state(self) -> MachineState:
        return self._state

    def crash(self) -> None:
        """For tests: what a guest does by itself."""
        self._known()
        self._state = MachineState.CRASHED

    def vanish(self) -> None:
        """As if it had never been defined."""
        self._state = MachineState.ABSENT

    def start(self) -> bool:
        self._known()
        if self._state is MachineState.RUNNING:
            return False
        self._state = MachineState.RUNNING
        return True

    def kill(self) -> None:
        self._known()
        self._state = MachineState.OFF

    def shutdown(self, seconds: float) -> None:
        self.kill()

    def pause(self) -> None:
        self._known()
        if self._state is MachineState.RUNNING:
            self._state = MachineState.PAUSED

    def set_link(self, network: str, up: bool) -> None:
        self.link(network)
        self._links[network] = up

    def link(self, network: str) -> bool:
        self._known()
        if network not in self._links:
            raise LabError(NO_CARD.format(machine=self._name, network=network))
        return self._links[network]

    def delay(self, network: str, seconds: float) -> None:
        self.link(network)
        self.delays[network] = seconds

    def attach_disk(self, image: Path, target: str) -> None:
        self._known()
        self._disks[target] = image

    def detach_disk(self, target: str, seconds: float = 10.0) -> bool:
        self._known()
        self._disks.pop(target, None)
        return True

    def disks(self) -> Mapping[str, Path]:
        self._known()
        return dict(self._disks)

    def links(self) -> Mapping[str, bool]:
        self._known()
        return dict(self._links)

    def description(self, running: bool) -> str:
        self._known()
        return self._xml

    def start_paused(self, description: str) -> None:
        self._state = MachineState.PAUSED

    def keep(self, tag: str) -> None:
        self._known()
        self._tags[tag] = self.memory

    def revert(self, tag: str) -> None:
        self._known()
        self.memory = self._tags[tag]

    def forget(self, tag: str) -> None:
        self._known()
        self._tags.pop(tag, None)

    def kept(self) -> Mapping[str, Path]:
        return {tag: Path("/nonexistent") / self._name / content for tag, content in self._tags.items()}

    def _known(self) -> None:
        if self._state is MachineState.ABSENT:
            raise LabError(UNKNOWN.format(machine=self._name))


class FakeMachines:
    """A set of fake guests. Tests reach the fakes themselves through `fakes`."""

    def __init__(self) -> None:
        self.fakes: dict[str, FakeMachine] = {}
        self._turn = threading.Lock()

    def define(self, name: str, xml: str) -> Machine:
        self._fake(name).define(xml)
        return self._fake(name)

    def get(self, name: str) -> Machine:
        return self._fake(name)

    def states(self) -> Mapping[str, MachineState]:
        known = {name: fake.state() for name, fake in self.fakes.items()}
        return {name: state for name, state in sorted(known.items()) if state is not MachineState.ABSENT}

    def start_all(self, names: Iterable[str], listener: Listener = silent) -> None:
        for name in names:
            listener(Event(name, "start", Phase.STARTED))
            self.get(name).start()
            listener(Event(name, "start", Phase.DONE))

    def kill_all(self, names: Iterable[str] | None = None, listener: Listener = silent) -> None:
        for name in list(self.states() if names is None else names):
            listener(Event(name, "kill", Phase.STARTED))
            self.get(name).kill()
            listener(Event(name, "kill", Phase.DONE))

    def undefine(self, name: str) -> None:
        self._fake(name).vanish()

    def close(self) -> None:
        """Nothing is held."""

    def _fake(self, name: str) -> FakeMachine:
        with self._turn:
            return self.fakes.setdefault(name, FakeMachine(name))

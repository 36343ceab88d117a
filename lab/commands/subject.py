"""A running lab as the experiments see it: what can be looked at, and what can be done to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lab.appliances import config_file
from lab.appliances.firewall import Firewall
from lab.commands.boot import wait_ready
from lab.commands.record import VAGRANT
from lab.commands.session import Session
from lab.console.log import ConsoleLog
from lab.expect.mistake import Edit, Line
from lab.host.deadline import Deadline, wait_until
from lab.host.passwords import passwords_of
from lab.host.world import World
from lab.machines.agent import Agent
from lab.machines.machine import MachineState
from lab.topology.model import Topology
from lab.topology.secrets import Secrets
from lab.topology.stage import Stage

HAND_OVER_PATIENCE = 10.0
"""Seconds on top of the law before a hand-over counts as not coming."""

LATENESS = 0.15
"""How late a guest may be, seconds for each unit of slowness: its firewall is a process that shares an emulated core."""


@dataclass(frozen=True)
class Patience:
    """Limits of an experiment, seconds. See lab.experiment.contracts.Limits."""

    hand_over: float
    comeback: float
    timers: float


@dataclass(frozen=True)
class RunningLab:
    """The lab of an open session."""

    session: Session

    @property
    def topology(self) -> Topology:
        return self.session.plan.topology

    @property
    def stage(self) -> Stage:
        return self.session.record.stage

    @property
    def world(self) -> World:
        return self.session.world

    @cached_property
    def guests(self) -> Mapping[str, Agent]:
        return {machine.name: self.session.machine(machine.name).agent for machine in self.session.plan.clients}

    @cached_property
    def firewalls(self) -> Mapping[str, Firewall]:
        return {machine.name: self.session.firewall(machine.name) for machine in self.session.plan.firewalls}

    @property
    def limits(self) -> Patience:
        firewall = self.firewalls[self.topology.master]
        return Patience(
            hand_over=HAND_OVER_PATIENCE * self.session.record.slowness,
            comeback=firewall.boot_limit + firewall.return_limit,
            timers=LATENESS * self.session.record.slowness,
        )

    @property
    def processes(self) -> Mapping[str, str]:
        # Of a machine that Vagrant made the disk is no path of the host's.
        unique = self.session.paths.console_log if self.session.record.provider == VAGRANT else self.session.paths.disk
        return {name: str(unique(name)) for name in self.firewalls}

    def console(self, node: str) -> ConsoleLog:
        """What a firewall's console says from now on."""
        return ConsoleLog(self.session.paths.console_log(node))

    def kill(self, node: str) -> None:
        self.session.machine(node).kill()

    def start(self, node: str) -> None:
        """Power on, and wait for the end of the boot: a backup that is not ready yet could not take over."""
        session, transcript = self.session, self.console(node)
        if session.machine(node).start():
            wait_ready(session.machines, session.paths, session.record, session.planned(node), transcript)

    def carp_off(self, node: str) -> None:
        self.firewalls[node].carp_off()

    def carp_on(self, node: str) -> None:
        self.firewalls[node].carp_on()

    def maintenance(self, node: str, enter: bool) -> None:
        self.firewalls[node].maintenance(enter)

    def demote(self, node: str, by: int) -> None:
        self.firewalls[node].demote(by)

    def set_link(self, node: str, network: str, up: bool) -> None:
        self.session.machine(node).set_link(network, up)

    def reboot(self, node: str) -> None:
        transcript, firewall = self.console(node), self.firewalls[node]
        firewall.reboot()
        firewall.wait_booted(transcript, lambda: self._state(node) is MachineState.RUNNING, with_config=False)

    def halt(self, node: str) -> None:
        firewall = self.firewalls[node]
        firewall.halt()
        limit = Deadline.after(firewall.step_limit)
        wait_until(lambda: self._state(node) is MachineState.OFF, limit, f"{node} off", lambda: self._state(node).value)

    def pause(self, node: str) -> None:
        self.session.machine(node).pause()

    def resume(self, node: str) -> None:
        self.session.machine(node).start()

    def delay(self, node: str, network: str, seconds: float) -> None:
        self.session.machine(node).delay(network, seconds)

    @property
    def secrets(self) -> Secrets:
        return passwords_of(self.session.paths.secrets, self.topology)

    @property
    def consoles(self) -> Mapping[str, Path]:
        return {name: self.session.paths.console_log(name) for name in self.firewalls}

    def settings(self, node: str, salt: str) -> tuple[Line, ...]:
        return config_file.read_settings(self.firewalls[node], salt)

    def edit(self, node: str, changes: Sequence[Edit]) -> None:
        config_file.edit(self.firewalls[node], changes, self._sync_pairs)

    def restore(self, node: str) -> None:
        config_file.restore(self.firewalls[node], self._sync_pairs)

    def states(self, node: str, words: Sequence[str]) -> Sequence[int]:
        return self.firewalls[node].states(words)

    def log(self, node: str) -> str:
        return self.firewalls[node].log_tail()

    @property
    def _sync_pairs(self) -> tuple[tuple[str, str], ...]:
        """The nodes' own connections on the sync network, either direction."""
        network = self.topology.sync.network
        one, other = (str(firewall.addresses[network]) for firewall in self.topology.firewalls.values())
        return (one, other), (other, one)

    def _state(self, node: str) -> MachineState:
        return self.session.machine(node).state()

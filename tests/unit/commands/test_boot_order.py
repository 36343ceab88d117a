"""Who boots when: with few cores the clients leave the processor to the firewalls."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from lab.commands.up import _boot_all
from lab.errors import LabError
from lab.paths import project_root
from lab.topology.load import load_topology
from lab.topology.plan import Kind, PlannedMachine, make_plan

PLAN = make_plan(load_topology("uranus", project_root() / "topologies"))


class Boots:
    """Notes which machines were ready when each began; `at_once` of them must have begun before any gets ready."""

    def __init__(self, at_once: int, broken: str = "") -> None:
        self.plan = PLAN
        self.ready: set[str] = set()
        self.found: dict[str, set[str]] = {}
        self._gate = threading.Barrier(at_once)
        self._broken = broken
        self._turn = threading.Lock()

    def bring_up(self, machine: PlannedMachine) -> None:
        with self._turn:
            self.found[machine.name] = set(self.ready)
        if not self.ready:
            self._gate.wait(10)
        with self._turn:
            self.ready.add(machine.name)
        if machine.name == self._broken:
            raise LabError("broken")


def booted(boots: Any, cores: int) -> None:
    _boot_all(boots, cores)


def test_with_a_core_for_each_all_boot_at_once() -> None:
    boots = Boots(at_once=6)
    booted(boots, 6)
    assert set(map(len, boots.found.values())) == {0}


def test_with_two_cores_the_clients_wait_for_firewalls_and_internet() -> None:
    boots = Boots(at_once=3)
    booted(boots, 2)
    first = {machine.name for machine in PLAN.machines if machine.kind is Kind.FIREWALL} | {"internet"}
    assert {name for name, ready in boots.found.items() if not ready} == first
    assert all(boots.found[name] >= first for name in ("client", "server", "web"))


def test_a_failure_is_told_when_all_have_ended() -> None:
    boots = Boots(at_once=3, broken="backup")
    with pytest.raises(LabError, match="broken"):
        booted(boots, 2)
    assert len(boots.ready) == 6

"""A checkpoint too many is refused with what is missing."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab.commands.checkpoint import admit, quota_mib, roles
from lab.errors import LabError
from lab.host.wires import Seen
from lab.machines.checkpoint_store import Checkpoint, SavedMachine, Store
from lab.machines.machine import MachineState
from lab.paths import LabPaths, project_root
from lab.topology.load import load_topology
from lab.topology.plan import make_plan
from tests.golden_files import assert_golden

PLAN = make_plan(load_topology("uranus", project_root() / "topologies"))


def checkpoint(name: str, mib: int, wires: tuple[Seen, ...] = ()) -> Checkpoint:
    machine = SavedMachine(MachineState.RUNNING, "", "", {}, "0", mib << 20)
    return Checkpoint(name, f"{name}-1", "2026-11-22T12:00:00", 7002022, 0.5, {}, wires, {"master": machine})


def session(paths: LabPaths) -> Any:
    def machine(name: str) -> Any:
        return SimpleNamespace(description=lambda running: "<domain><memory unit='KiB'>131072</memory></domain>")

    return SimpleNamespace(paths=paths, plan=PLAN, machine=machine, record=SimpleNamespace(provider="libvirt"))


def test_the_quota_counts_what_is_there_and_what_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = session(LabPaths(tmp_path / "uranus"))
    monkeypatch.setattr("lab.commands.checkpoint.quota_mib", lambda: 768)
    admit(lab)  # six machines of 128 MiB, nothing kept yet
    Store(lab.paths).write(checkpoint("up", 300))
    Store(lab.paths).write(checkpoint("one", 400))
    with pytest.raises(LabError) as caught:
        admit(lab)
    assert_golden("admission/quota.txt", f"{caught.value.problem}\n")


def test_a_quota_that_is_no_number_is_told() -> None:
    assert quota_mib({}) == 8192
    assert quota_mib({"URANUS_CHECKPOINTS_MIB": "100"}) == 100
    with pytest.raises(LabError, match="is no number"):
        quota_mib({"URANUS_CHECKPOINTS_MIB": "8G"})


def test_roles_are_what_the_bridges_saw() -> None:
    taps = {(machine.name, nic.network): nic.tap for machine in PLAN.firewalls for nic in machine.nics}
    wires = (
        Seen("00:00:5e:00:01:01", taps["backup", "lan"], "br-lan"),
        Seen("00:00:5e:00:01:02", taps["master", "srv"], "br-srv"),
        Seen("00:00:5e:00:01:03", taps["master", "lan"], "br-lan"),
        Seen("00:00:5e:00:01:04", "client-lan", "br-ha"),
    )
    assert roles(PLAN, checkpoint("one", 1, wires)) == {1: ("backup",), 2: ("master",), 3: (), 4: ()}

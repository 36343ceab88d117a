"""One machine from nothing to ready, with machines that are only pretended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lab.commands.boot import Booter
from lab.commands.record import Record
from lab.errors import LabError
from lab.events import Event, Phase
from lab.host.images import GuestImage
from lab.machines.fake_machines import FakeMachines
from lab.machines.machine import MachineState
from lab.paths import LabPaths, project_root
from lab.render.everything import SAMPLE_SECRETS
from lab.topology.load import load_topology
from lab.topology.plan import make_plan
from lab.topology.stage import Stage

SLOWNESS = 0.005
"""Makes the limit of a boot 0.3 s here."""


@pytest.fixture
def booter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Booter:
    topology = load_topology("uranus", project_root() / "topologies")
    image = GuestImage("client", "0" * 64, tmp_path / "disk", tmp_path / "kernel", tmp_path / "initrd", "quiet", 128)
    record = Record(
        name="fake",
        topology=topology.model_dump_json(by_alias=True),
        firewall="standin",
        provider="libvirt",
        stage=Stage.RULES,
        accelerator="tcg",
        slowness=SLOWNESS,
        images={},
        created="",
    )
    monkeypatch.setattr("lab.commands.boot.overlay", lambda golden, target: target.touch())
    return Booter(
        paths=LabPaths(tmp_path / "fake"),
        record=record,
        plan=make_plan(topology),
        machines=FakeMachines(),
        images={"client": image, "standin": image},
        secrets=SAMPLE_SECRETS,
        listener=lambda _: None,
    )


def test_a_guest_that_never_boots_is_told_with_its_last_screen(booter: Booter) -> None:
    client = booter.plan.machine("client")
    log = booter.paths.console_log("client")
    log.parent.mkdir(parents=True)
    log.write_bytes(b"an earlier boot: URANUS-READY client\r\n")
    with pytest.raises(LabError) as failure:
        booter.bring_up(client)
    assert "its ready line" in str(failure.value)
    assert "(an empty screen)" in str(failure.value)
    assert str(log) in str(failure.value)


def test_a_machine_that_is_ready_is_left_alone(booter: Booter) -> None:
    heard: list[Event] = []
    told = replace(booter, listener=heard.append)
    client = booter.plan.machine("client")
    marks = booter.paths.root / "marks"
    marks.mkdir(parents=True)
    for word in ("configured", "ready"):
        (marks / f"client.{word}").touch()
    booter.machines.define("client", "<domain><name>client</name></domain>").start()
    told.bring_up(client)
    assert [(event.step, event.phase) for event in heard] == [("already up", Phase.NOTE)]


def test_a_machine_whose_boot_nobody_saw_the_end_of_starts_afresh(booter: Booter) -> None:
    client = booter.plan.machine("client")
    machine = booter.machines.define("client", "<domain><name>client</name></domain>")
    machine.start()
    disk = booter.paths.disk("client")
    disk.parent.mkdir(parents=True)
    disk.write_text("half written")
    with pytest.raises(LabError):
        booter.bring_up(client)
    assert disk.read_text() == ""
    assert machine.state() is MachineState.RUNNING

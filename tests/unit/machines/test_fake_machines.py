"""The fakes keep the promises of lab.machines.machine, so that tests on top of them mean something."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import LabError
from lab.machines.agent import Outcome
from lab.machines.fake_machines import FakeMachines
from lab.machines.machine import MachineState

XML = """\
<domain><name>c</name><devices>
<disk><source file='/d.qcow2'/><target dev='vda'/></disk>
<interface><source bridge='br-lan'/></interface>
<serial type='unix'><source path='/c.sock'/></serial>
</devices></domain>"""


def test_power() -> None:
    machines = FakeMachines()
    assert machines.get("c").state() is MachineState.ABSENT
    with pytest.raises(LabError, match="No such machine"):
        machines.get("c").start()
    machine = machines.define("c", XML)
    assert machine.start()
    assert not machine.start()
    machine.pause()
    assert machines.states() == {"c": MachineState.PAUSED}
    assert machine.start()
    machines.define("c", XML)
    assert machine.state() is MachineState.RUNNING
    machines.kill_all()
    assert machine.state() is MachineState.OFF
    machines.undefine("c")
    assert machines.states() == {}


def test_cards_and_disks_come_from_the_domain() -> None:
    machine = FakeMachines().define("c", XML)
    machine.set_link("lan", up=False)
    assert not machine.link("lan")
    with pytest.raises(LabError, match="no card on network dmz"):
        machine.set_link("dmz", up=False)
    machine.attach_disk(Path("/c.img"), "vdb")
    assert machine.disks() == {"vda": Path("/d.qcow2"), "vdb": Path("/c.img")}
    assert machine.detach_disk("vdb")
    assert machine.console_socket == Path("/c.sock")


def test_agent_answers_only_while_the_guest_runs() -> None:
    machines = FakeMachines()
    machine = machines.define("c", XML)
    assert not machine.agent.ping()
    machine.start()
    machines.fakes["c"].agent.answer = lambda command: Outcome(1, "", f"no {command}")
    assert machine.agent.run("ping").exit_code == 1
    with pytest.raises(LabError, match="failed on c"):
        machine.agent.output("ping")
    assert machines.fakes["c"].agent.commands == ["ping", "ping"]

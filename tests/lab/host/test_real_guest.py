"""What only a guest with an operating system can show: its agent, its cables as it sees them, a disk it lets go of."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.host.accelerator import Accelerator, accelerator
from lab.host.deadline import wait_until
from lab.host.fatdisk import write_config_disk
from lab.host.images import ensure, overlay
from lab.host.libvirtd import PrivateLibvirt
from lab.host.world import World
from lab.machines.libvirt_machines import LibvirtMachines
from lab.machines.machine import Machine
from lab.paths import LabPaths, project_root
from lab.render.cmdline import client_parameters
from lab.render.domain_xml import BootSpec, domain_xml
from lab.topology.load import load_topology
from lab.topology.plan import make_plan

pytestmark = [pytest.mark.lab, pytest.mark.slow]


@pytest.fixture(scope="module")
def speed() -> Accelerator:
    return accelerator()


@pytest.fixture(scope="module")
def guest(speed: Accelerator) -> Iterator[Machine]:
    plan = make_plan(load_topology("uranus", project_root() / "topologies"))
    planned = plan.clients[0]
    image = ensure("client")
    directory = Path(tempfile.mkdtemp(prefix="uranus-", dir="/tmp"))
    paths = LabPaths(directory / "guesttest")
    world = World(paths)
    try:
        world.create(plan.bridges)
        libvirtd = PrivateLibvirt(paths)
        libvirtd.start(kvm=speed.kind == "kvm")
        machines = LibvirtMachines(libvirtd.connect(), paths.libvirt / "log" / "qemu")
        for file in (paths.disk(planned.name), paths.console_log(planned.name)):
            file.parent.mkdir(parents=True, exist_ok=True)
        overlay(image.disk, paths.disk(planned.name))
        boot = BootSpec(
            accelerator=speed.kind,
            memory_mib=image.memory_mib,
            console_socket=paths.console_socket(planned.name),
            console_log=paths.console_log(planned.name),
            disk=paths.disk(planned.name),
            kernel=image.kernel,
            initrd=image.initrd,
            cmdline=f"{image.parameters(speed.kind)} {client_parameters(plan, planned)}",
            agent_socket=paths.agent_socket(planned.name),
        )
        machine = machines.define(planned.name, domain_xml(planned, boot))
        machine.start()
        machine.agent.wait(speed.deadline(120))
        yield machine
        machines.close()
    finally:
        world.destroy()
        shutil.rmtree(directory)


def test_commands(guest: Machine) -> None:
    agent = guest.agent
    assert agent.output("echo out; echo err >&2; cat", text="in") == "out\nin"
    outcome = agent.run("echo out; echo err >&2; exit 3")
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (3, "out\n", "err\n")
    assert agent.run("kill -9 $$").exit_code == 137


def test_command_that_does_not_end_is_ended_in_the_guest(guest: Machine, speed: Accelerator) -> None:
    with pytest.raises(LabError, match="sleep 4321"):
        guest.agent.run("sleep 4321; true", seconds=1.0)
    wait_until(lambda: "sleep 4321" not in guest.agent.output("ps"), speed.deadline(30), "end of sleep")


def test_guest_sees_its_cable(guest: Machine, speed: Accelerator) -> None:
    def carrier() -> str:
        return guest.agent.output("cat /sys/class/net/eth0/carrier").strip()

    network = make_plan(load_topology("uranus", project_root() / "topologies")).clients[0].nics[0].network
    assert carrier() == "1"
    guest.set_link(network, up=False)
    wait_until(lambda: carrier() == "0", speed.deadline(30), "carrier lost")
    guest.set_link(network, up=True)
    wait_until(lambda: carrier() == "1", speed.deadline(30), "carrier back")


def test_guest_reads_the_config_disk_and_lets_go_of_it(guest: Machine, tmp_path: Path, speed: Accelerator) -> None:
    disk = tmp_path / "config.img"
    write_config_disk(disk, b'<?xml version="1.0"?>\n<pfsense>\n</pfsense>\n')
    guest.attach_disk(disk, "vdb")
    wait_until(lambda: guest.agent.run("test -b /dev/vdb1").ok, speed.deadline(30), "the partition in the guest")
    assert "<pfsense>" in guest.agent.output('tr -cd "[:print:]" < /dev/vdb1')
    assert guest.detach_disk("vdb", seconds=speed.deadline(30).seconds)
    assert "vdb" not in guest.disks()
    wait_until(lambda: not guest.agent.run("test -b /dev/vdb").ok, speed.deadline(30), "the disk gone")


def test_power_button(guest: Machine, speed: Accelerator) -> None:
    guest.shutdown(speed.deadline(60).seconds)
    assert not guest.agent.ping()
    guest.start()
    guest.agent.wait(speed.deadline(120))

"""A private libvirtd and real guests in it. The guests are boot sectors: no image is needed."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.events import Event, Phase
from lab.host.libvirtd import PrivateLibvirt
from lab.host.world import World
from lab.machines.libvirt_machines import LibvirtMachines
from lab.machines.machine import MachineState
from lab.paths import LabPaths
from tests.lab.host.guest import GREETING, domain

pytestmark = [pytest.mark.lab, pytest.mark.wire]


@pytest.fixture(scope="module")
def paths() -> Iterator[LabPaths]:
    directory = Path(tempfile.mkdtemp(prefix="uranus-", dir="/tmp"))  # short: sockets live below
    world = World(LabPaths(directory / "machinetest"))
    try:
        world.create(["br-lan", "br-wan"])
        PrivateLibvirt(world.paths).start()
        yield world.paths
    finally:
        world.destroy()
        shutil.rmtree(directory)


@pytest.fixture
def machines(paths: LabPaths) -> Iterator[LibvirtMachines]:
    made = LibvirtMachines(PrivateLibvirt(paths).connect(), paths.libvirt / "log" / "qemu")
    yield made
    for name in made.states():
        made.undefine(name)
    made.close()


def transcript(paths: LabPaths, name: str) -> str:
    return (paths.root / "console" / f"{name}.log").read_text(errors="replace")


def wait_for(condition: object, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_guest_boots_and_everything_of_it_is_in_the_world(machines: LibvirtMachines, paths: LabPaths) -> None:
    guest = machines.define("g1", domain("g1", paths.root, ("lan", "wan")))
    assert guest.state() is MachineState.OFF
    seen: list[Event] = []
    machines.start_all(["g1"], seen.append)
    assert [(event.subject, event.step, event.phase) for event in seen] == [
        ("g1", "start", Phase.STARTED),
        ("g1", "start", Phase.DONE),
    ]
    assert guest.state() is MachineState.RUNNING
    wait_for(lambda: GREETING in transcript(paths, "g1"))
    assert guest.console_socket.is_socket()
    assert any("guest=g1" in process.command for process in World(paths).processes())
    links = World(paths).run(["ip", "-br", "link"])
    assert "g1-lan" in links
    assert "g1-wan" in links
    assert "g1-lan" not in os.listdir("/sys/class/net")  # noqa: PTH208


def test_verbs_are_idempotent(machines: LibvirtMachines, paths: LabPaths) -> None:
    xml = domain("g1", paths.root, ())
    machines.define("g1", xml)
    guest = machines.define("g1", xml)
    assert guest.start()
    assert not guest.start()
    guest.pause()
    guest.pause()
    assert guest.state() is MachineState.PAUSED
    assert guest.start()
    guest.kill()
    guest.kill()
    assert guest.state() is MachineState.OFF
    machines.undefine("g1")
    machines.undefine("g1")
    assert guest.state() is MachineState.ABSENT
    with pytest.raises(LabError, match="No such machine"):
        guest.start()


def test_transcript_survives_a_second_boot(machines: LibvirtMachines, paths: LabPaths) -> None:
    guest = machines.define("g2", domain("g2", paths.root, ()))
    for boots in (1, 2):
        guest.start()
        wait_for(lambda boots=boots: transcript(paths, "g2").count(GREETING) == boots)
        guest.kill()


def test_cable(machines: LibvirtMachines, paths: LabPaths) -> None:
    guest = machines.define("g1", domain("g1", paths.root, ("lan", "wan")))
    guest.start()
    guest.set_link("lan", up=False)
    guest.set_link("lan", up=False)
    assert (guest.link("lan"), guest.link("wan")) == (False, True)
    guest.kill()
    assert not guest.link("lan")
    guest.start()
    assert not guest.link("lan")
    guest.set_link("lan", up=True)
    assert guest.link("lan")
    with pytest.raises(LabError, match="no card on network dmz"):
        guest.set_link("dmz", up=False)


def test_disk_a_guest_holds_on_to_is_gone_at_its_next_boot(machines: LibvirtMachines, paths: LabPaths) -> None:
    """A boot sector never answers the request to let go, as a firewall in its loader would not."""
    image = paths.root / "config.img"
    image.write_bytes(bytes(1 << 20))
    guest = machines.define("g1", domain("g1", paths.root, ()))
    guest.start()
    guest.attach_disk(image, "vdb")
    guest.attach_disk(image, "vdb")
    assert guest.disks()["vdb"] == image
    assert not guest.detach_disk("vdb", seconds=1.0)
    guest.kill()
    assert "vdb" not in guest.disks()
    assert guest.detach_disk("vdb", seconds=1.0)


def test_agent_that_is_not_there(machines: LibvirtMachines, paths: LabPaths) -> None:
    guest = machines.define("g1", domain("g1", paths.root, ()))
    assert not guest.agent.ping()
    guest.start()
    assert not guest.agent.ping()
    with pytest.raises(LabError, match="does not answer"):
        guest.agent.run("true")


def test_start_that_fails_says_why(machines: LibvirtMachines, paths: LabPaths) -> None:
    guest = machines.define("g3", domain("g3", paths.root, ("nowhere",)))
    with pytest.raises(LabError) as caught:
        guest.start()
    assert "br-nowhere" in caught.value.problem.seen
    assert caught.value.problem.log.endswith("g3.log")


def test_libvirtd_killed_comes_back_with_its_guests(paths: LabPaths) -> None:
    libvirtd = PrivateLibvirt(paths)
    machines = LibvirtMachines(libvirtd.connect())
    guest = machines.define("g4", domain("g4", paths.root, ()))
    guest.start()
    daemon = next(process for process in World(paths).processes() if "libvirtd" in process.command.split()[0])
    os.kill(daemon.pid, 9)
    machines.close()
    wait_for(lambda: not libvirtd.running())
    libvirtd.start()
    again = LibvirtMachines(libvirtd.connect())
    assert again.states() == {"g4": MachineState.RUNNING}
    again.undefine("g4")
    again.close()


def test_path_too_long_for_a_socket(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="too long") as caught:
        PrivateLibvirt(LabPaths(tmp_path / ("x" * 90))).prepare()
    assert "URANUS_STATE" in caught.value.problem.cure

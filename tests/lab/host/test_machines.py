"""A private libvirtd and real guests in it. The guests are boot sectors: no image is needed."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.events import Event, Phase
from lab.host.daemon import BINDS
from lab.host.libvirtd import PrivateLibvirt
from lab.host.members import NETNS
from lab.host.world import World
from lab.machines.libvirt_machines import LibvirtMachines
from lab.machines.machine import MachineState
from lab.paths import LabPaths, project_root
from tests.lab.host.guest import GREETING, domain

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def paths() -> Iterator[LabPaths]:
    directory = Path(tempfile.mkdtemp(prefix="uranus-", dir="/tmp"))  # short: sockets live below
    world = World(LabPaths(directory / "machinetest"))
    before = host_state()
    try:
        world.create(["br-lan", "br-wan"])
        PrivateLibvirt(world.paths).start(kvm=False)
        yield world.paths
    finally:
        world.destroy()
        shutil.rmtree(directory)
    assert host_state() == before


PLACES = {*(str(target) for _, target in BINDS), "/etc", "/etc/passwd", "/etc/group", "/var/lib", "/dev/kvm"}


def host_state() -> dict[str, object]:
    """What a libvirtd would leave on a host it was let loose on."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return {
        "directories": [str(target) for _, target in BINDS if target.exists()],
        "mounts": [point for point in mounts if point in PLACES or "machinetest" in point or "killtest" in point],
        "cgroups": sorted(str(path) for path in Path("/sys/fs/cgroup").rglob("*machine*")),
        "links": sorted(os.listdir("/sys/class/net")),  # noqa: PTH208
    }


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


def test_sockets_are_the_callers_alone(paths: LabPaths) -> None:
    status = paths.libvirt_socket.stat()
    assert (status.st_mode & 0o777, status.st_uid) == (0o700, os.getuid())
    assert paths.root.stat().st_mode & 0o777 == 0o700


def test_kvm_that_was_turned_down_is_out_of_libvirts_sight(paths: LabPaths) -> None:
    connection = PrivateLibvirt(paths).connect()
    assert "<domain type='kvm'" not in connection.getCapabilities()
    connection.close()


def test_libvirt_sees_the_labs_links_and_not_the_hosts(paths: LabPaths) -> None:
    connection = PrivateLibvirt(paths).connect()
    assert {link.name() for link in connection.listAllInterfaces()} <= {"lo", "br-lan", "br-wan"}
    assert connection.listAllNetworks() == []
    connection.close()


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
    libvirtd.start(kvm=False)
    again = LibvirtMachines(libvirtd.connect())
    assert again.states() == {"g4": MachineState.RUNNING}
    again.undefine("g4")
    again.close()


@pytest.mark.slow
def test_caller_killed_at_any_moment_leaves_nothing() -> None:
    """kill -9 between an empty directory and a running guest, then destroy()."""
    directory = Path(tempfile.mkdtemp(prefix="uranus-", dir="/tmp"))
    paths = LabPaths(directory / "killtest")
    rng = random.Random(3)
    before = host_state()
    try:
        for _ in range(8):
            caller = subprocess.Popen([sys.executable, "-c", BRING_UP, str(paths.root)], cwd=project_root())
            time.sleep(rng.uniform(0.1, 2.5))
            caller.kill()
            caller.wait()
            World(paths).destroy()
            wait_for(lambda: not processes_naming(str(paths.root)))
            assert not (NETNS / paths.namespace).exists()
            assert host_state() == before
            shutil.rmtree(paths.root, ignore_errors=True)
    finally:
        World(paths).destroy()
        shutil.rmtree(directory)


BRING_UP = """
import sys
from pathlib import Path
from lab.host.libvirtd import PrivateLibvirt
from lab.host.world import World
from lab.machines.libvirt_machines import LibvirtMachines
from lab.paths import LabPaths
from tests.lab.host.guest import domain
paths = LabPaths(Path(sys.argv[1]))
World(paths).create(["br-lan"])
PrivateLibvirt(paths).start(kvm=False)
machines = LibvirtMachines(PrivateLibvirt(paths).connect())
machines.define("g1", domain("g1", paths.root, ("lan",)))
machines.start_all(["g1"])
sys.stdin.read()
"""


def processes_naming(text: str) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if text in command:
            found.append(command)
    return found


def test_path_too_long_for_a_socket(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="too long") as caught:
        PrivateLibvirt(LabPaths(tmp_path / ("x" * 90))).prepare()
    assert "URANUS_STATE" in caught.value.problem.cure

"""A lab's namespace: what it is made of, how it is repaired, and that its end leaves nothing."""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from lab.errors import LabError
from lab.host.members import NETNS, members
from lab.host.world import World
from lab.paths import LabPaths, project_root

pytestmark = pytest.mark.wire

T = TypeVar("T")

BRIDGES = ("br-lan", "br-wan")


def host_state() -> dict[str, object]:
    """What a lab could leave behind on the host, apart from processes."""
    return {
        "namespaces": sorted(path.name for path in NETNS.glob("uranus-worldtest*")),
        "mounts": [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if "worldtest" in line],
        "links": sorted(os.listdir("/sys/class/net")),  # noqa: PTH208
    }


def knob(world: World, key: str) -> str:
    return world.run(["cat", f"/proc/sys/{key}"]).strip()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    before = host_state()
    made = World(LabPaths(tmp_path / "worldtest"))
    yield made
    made.destroy()
    assert host_state() == before


def test_bridges_are_plain_switches(world: World) -> None:
    world.create(BRIDGES)
    links = {link["ifname"]: link for link in json.loads(world.run(["ip", "-d", "-j", "link"]))}
    assert set(links) == {"lo", *BRIDGES}
    for name in BRIDGES:
        data = links[name]["linkinfo"]["info_data"]
        assert (data["stp_state"], data["forward_delay"], data["mcast_snooping"]) == (0, 0, 0)
        assert "UP" in links[name]["flags"]
        assert knob(world, f"net/ipv6/conf/{name}/disable_ipv6") == "1"
    assert "UP" in links["lo"]["flags"]
    assert knob(world, "net/ipv4/ip_forward") == "0"


def test_netfilter_does_not_see_bridged_frames(world: World) -> None:
    world.create(BRIDGES)
    for table in ("iptables", "ip6tables", "arptables"):
        if Path(f"/proc/sys/net/bridge/bridge-nf-call-{table}").exists():
            assert knob(world, f"net/bridge/bridge-nf-call-{table}") == "0"


def test_second_create_repairs_and_never_doubles(world: World) -> None:
    world.create(BRIDGES)
    world.run(["ip", "link", "delete", "br-lan"])
    world.run(["ip", "link", "set", "br-wan", "type", "bridge", "stp_state", "1", "mcast_snooping", "1"])
    kept = world.run(["cat", "/sys/class/net/lo/ifindex"])
    world.create((*BRIDGES, "br-dmz"))
    assert world.run(["cat", "/sys/class/net/lo/ifindex"]) == kept
    links = {link["ifname"]: link for link in json.loads(world.run(["ip", "-d", "-j", "link"]))}
    assert set(links) == {"lo", "br-lan", "br-wan", "br-dmz"}
    assert links["br-wan"]["linkinfo"]["info_data"]["stp_state"] == 0
    assert links["br-wan"]["linkinfo"]["info_data"]["mcast_snooping"] == 0


def test_two_labs_of_one_name_do_not_meet(world: World, tmp_path: Path) -> None:
    other = World(LabPaths(tmp_path / "elsewhere" / "worldtest"))
    world.create(BRIDGES)
    try:
        other.create(BRIDGES)
        with other.spawn(["sleep", "1000"]):
            wait_for(lambda: any("sleep" in process.command for process in other.processes()))
            world.destroy()
            assert other.exists()
            assert any("sleep 1000" in process.command for process in other.processes())
    finally:
        other.destroy()


def test_destroy_ends_what_ignores_sigterm(world: World) -> None:
    world.create(BRIDGES)
    stubborn = world.spawn(["sh", "-c", "trap '' TERM; while :; do sleep 1; done"])
    wait_for(lambda: any("trap" in process.command for process in world.processes()))
    world.destroy()
    assert not world.exists()
    stubborn.stop()


def test_destroy_finds_members_after_the_name_was_deleted_by_hand(world: World) -> None:
    """A process that sees the lab's libvirt/run at /run/libvirt is the lab's, and so is its namespace."""
    world.create(BRIDGES)
    run = world.paths.libvirt / "run"
    run.mkdir(parents=True)
    script = f"mount -t tmpfs none /run && mkdir /run/libvirt && mount --bind {run} /run/libvirt && exec sleep 1000"
    enter = f"import os, sys; sys.path.insert(0, {str(project_root())!r}); from lab.host import syscalls"
    enter += (
        "; syscalls.unshare(syscalls.CLONE_NEWNS); syscalls.hide_mounts(); os.execvp('sh', ['sh', '-c', sys.argv[1]])"
    )
    private = world.spawn([sys.executable, "-c", enter, script])
    other = world.spawn(["sleep", "1001"])
    wait_for(lambda: len([one for one in world.processes() if one.command.startswith("sleep 100")]) == 2)
    wait_for(lambda: Path(f"/proc/{pid_of(world, 'sleep 1000')}/root/run/libvirt").samefile(run))
    subprocess.run(["umount", NETNS / world.paths.namespace], check=True)
    (NETNS / world.paths.namespace).unlink()
    world.destroy()
    assert members(world.paths) == []
    assert private.process.wait(10) != 0
    assert other.process.wait(10) != 0


def test_destroy_works_where_nothing_is(world: World) -> None:
    world.destroy()
    world.paths.root.mkdir(parents=True)
    NETNS.mkdir(exist_ok=True)
    (NETNS / world.paths.namespace).touch()  # what a creator leaves that dies before its mount
    world.destroy()
    assert not (NETNS / world.paths.namespace).exists()


def test_command_ends_when_its_caller_dies(world: World, tmp_path: Path) -> None:
    world.create(BRIDGES)
    caller = start_python(
        f"from lab.host.world import World; from lab.paths import LabPaths; from pathlib import Path\n"
        f"World(LabPaths(Path({str(world.paths.root)!r}))).spawn(['sleep', '1002']).process.wait()"
    )
    wait_for(lambda: any("sleep 1002" in process.command for process in world.processes()))
    caller.kill()
    caller.wait()
    wait_for(lambda: not world.processes())


def test_failing_command_is_told_with_its_stderr(world: World) -> None:
    world.create(BRIDGES)
    with pytest.raises(LabError) as caught:
        world.run(["nft", "-f", "-"], text="no such thing")
    assert "syntax error" in caught.value.problem.seen
    assert world.run(["cat"], text="to and fro") == "to and fro"


def test_command_without_a_world_says_so(world: World) -> None:
    with pytest.raises(LabError) as caught:
        world.run(["true"])
    assert "lab.up" in caught.value.problem.seen


def test_half_that_outlives_its_caller_makes_nothing(world: World) -> None:
    """The caller dies while its privileged half waits for the lab's lock."""
    world.paths.root.mkdir(parents=True)
    handle = os.open(world.paths.root, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    caller = start_python(create_code(world, ["br-a"]))
    half = wait_for(lambda: [pid for pid in children_of(caller.pid) if "create" in command_of(pid)])[0]
    caller.kill()
    caller.wait()
    os.close(handle)
    wait_for(lambda: not command_of(half))
    assert not world.exists()


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["caller", "privileged"])
def test_creator_killed_at_any_moment_leaves_nothing(world: World, victim: str) -> None:
    """kill -9 of either half of the creator at random moments, each followed by destroy() at once."""
    rng = random.Random(2)
    code = create_code(world, ["br-a", "br-b", "br-c", "br-d"])
    before = host_state()
    for _ in range(25):
        creator = start_python(code)
        time.sleep(rng.uniform(0.0, 0.35))
        if victim == "privileged":
            for pid in children_of(creator.pid):
                os.kill(pid, signal.SIGKILL)
        creator.kill()
        creator.wait()
        world.destroy()
        # A half that outlived its caller may come to its work only now: it must make nothing.
        wait_for(lambda: not [pid for pid in all_pids() if str(world.paths.root) in command_of(pid)])
        assert host_state() == before
        assert members(world.paths) == []


def create_code(world: World, bridges: list[str]) -> str:
    return (
        f"from lab.host.world import World; from lab.paths import LabPaths; from pathlib import Path\n"
        f"World(LabPaths(Path({str(world.paths.root)!r}))).create({bridges!r})"
    )


def start_python(code: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=project_root(), stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


def wait_for(condition: Callable[[], T], seconds: float = 30.0) -> T:
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return value


def pid_of(world: World, command: str) -> int:
    return next(process.pid for process in world.processes() if process.command == command)


def all_pids() -> list[int]:
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]  # noqa: PTH208


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def children_of(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []

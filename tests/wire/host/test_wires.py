"""The bridges' tables on real bridges: read, put back, and read again the quick way."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.host.bridge_tables import learnt as learnt_quickly
from lab.host.members import NETNS
from lab.host.wires import Seen, Wires, learnt
from lab.host.world import World
from lab.paths import LabPaths

pytestmark = pytest.mark.wire

MASTER = Seen("00:00:5e:00:01:01", "master-lan", "br-lan")
BACKUP = Seen("00:00:5e:00:01:01", "backup-lan", "br-lan")
CLIENT = Seen("52:54:00:00:00:07", "client-lan", "br-lan")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(LabPaths(tmp_path / "wirestest"))
    made.create(("br-lan", "br-wan"))
    for port in ("master-lan", "backup-lan", "client-lan"):
        made.run(["ip", "link", "add", port, "type", "veth", "peer", "name", f"p-{port}"])
        made.run(["ip", "link", "set", f"p-{port}", "up"])
        made.run(["ip", "link", "set", port, "master", "br-lan", "up"])
    yield made
    made.destroy()


def test_what_was_learnt_comes_back_and_what_came_later_is_forgotten(world: World) -> None:
    wires = Wires(world)
    wires.write((MASTER, CLIENT))
    kept = wires.read()
    assert set(kept) == {MASTER, CLIENT}
    wires.write((BACKUP,))
    assert wires.read() == (BACKUP,)
    wires.write(kept)
    assert set(wires.read()) == {MASTER, CLIENT}


def test_a_port_that_is_gone_is_no_obstacle(world: World) -> None:
    world.run(["ip", "link", "del", "client-lan"])
    Wires(world).write((CLIENT, MASTER))
    assert Wires(world).read() == (MASTER,)


def test_a_disturbance_of_the_wires_ends(world: World) -> None:
    world.run(
        ["nft", "-f", "-"], "table bridge disturb { chain c { type filter hook forward priority 0; policy drop; }; }"
    )
    Wires(world).write((MASTER,))
    assert "disturb" not in world.run(["nft", "list", "ruleset"])


def test_the_quick_look_sees_the_same_with_its_age(world: World) -> None:
    Wires(world).write((MASTER,))
    time.sleep(0.3)
    # A process with a sysfs of its own in that namespace, as every guest of a lab is.
    script = "mount -t sysfs sysfs /sys && echo ready && exec sleep 60"
    inside = ["nsenter", f"--net={NETNS / world.paths.namespace}", "unshare", "--mount", "sh", "-c", script]
    with subprocess.Popen(inside, stdout=subprocess.PIPE, text=True) as guest:
        try:
            assert guest.stdout is not None
            assert guest.stdout.readline() == "ready\n"
            (seen,) = learnt_quickly(Path(f"/proc/{guest.pid}/root/sys/class/net"), "br-lan")
        finally:
            guest.kill()
    assert (seen.mac.hex(":"), seen.port) == (MASTER.mac, MASTER.port)
    assert 0.2 <= seen.age < 60
    assert os.sysconf("SC_CLK_TCK") == 100


def test_own_and_permanent_entries_are_not_learnt_ones() -> None:
    text = """[
        {"mac": "33:33:00:00:00:01", "ifname": "br-lan", "flags": ["self"], "state": "permanent"},
        {"mac": "aa:bb:cc:00:00:01", "ifname": "master-lan", "master": "br-lan", "state": "permanent"},
        {"mac": "00:00:5e:00:01:01", "ifname": "master-lan", "flags": [], "master": "br-lan", "state": ""}]"""
    assert learnt(text) == (MASTER,)
    assert learnt("") == ()

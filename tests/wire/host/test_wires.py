"""The bridges' tables on real bridges, read and put back; and the kernel's own list of who advertises."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.host.advert_watch import heard
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


FROM_VHID_1 = "01005e00001200005e0001010800"
HEADER = "45100038000040 00ff700000ac1101fee0000012".replace(" ", "")
ADVERT = """
import socket
card = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
card.bind(("p-{port}", 0))
card.send(bytes.fromhex("{frame}") + bytes(36))
"""


def _advertise(world: World, port: str) -> None:
    world.run([sys.executable, "-c", ADVERT.format(port=port, frame=FROM_VHID_1 + HEADER)])


def test_the_kernel_writes_down_who_advertises(world: World) -> None:
    assert heard(world.paths) == ()
    _advertise(world, "master-lan")
    _advertise(world, "backup-lan")
    found = heard(world.paths)
    assert found is not None
    assert {(one.port, one.vhid) for one in found} == {("master-lan", 1), ("backup-lan", 1)}
    assert all(0.0 <= one.age < 15.0 for one in found)


def test_a_second_up_keeps_what_was_heard_and_a_restore_forgets_it(world: World) -> None:
    _advertise(world, "master-lan")
    world.create(("br-lan", "br-wan"))
    assert heard(world.paths)
    Wires(world).write((MASTER,))
    assert heard(world.paths) == ()
    _advertise(world, "backup-lan")
    assert heard(world.paths)


def test_own_and_permanent_entries_are_not_learnt_ones() -> None:
    text = """[
        {"mac": "33:33:00:00:00:01", "ifname": "br-lan", "flags": ["self"], "state": "permanent"},
        {"mac": "aa:bb:cc:00:00:01", "ifname": "master-lan", "master": "br-lan", "state": "permanent"},
        {"mac": "00:00:5e:00:01:01", "ifname": "master-lan", "flags": [], "master": "br-lan", "state": ""}]"""
    assert learnt(text) == (MASTER,)
    assert learnt("") == ()

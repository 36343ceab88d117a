"""What is told to `ip`, and the DHCP client's lease."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

from standin.apply import note_leases
from standin.dhcp import parse_lease
from standin.facts import gather
from standin.network import (
    STATE_TABLE,
    Nic,
    interface_plan,
    lease_plan,
    missing_nics,
    read_nics,
    rename_plan,
    route_plan,
    write_sysctls,
)
from standin.places import Places
from standin.settings_xml import read

from tests.golden_files import GOLDEN

MASTER = read((GOLDEN / "standin" / "uranus-master.xml").read_bytes())
SINK = read((GOLDEN / "standin" / "kitchen-sink.xml").read_bytes())


def nic(name: str, *place: str) -> Nic:
    return Nic(name, place, True)


def test_nics_are_numbered_in_pci_order() -> None:
    lines = rename_plan(
        [nic("eth1", "0000:00:02.0"), nic("eth0", "0000:00:04.0"), Nic("eth2", ("0000:00:03.0",), False)]
    )
    assert lines == [
        "link set dev eth1 down",
        "link set dev eth0 down",
        "link set dev eth1 name vtnet0",
        "link set dev eth0 name vtnet1",
    ]


def test_a_bridge_counts_where_it_stands() -> None:
    behind = nic("eth0", "0000:00:02.0", "0000:01:00.0")
    beside = nic("eth1", "0000:00:03.0")
    assert rename_plan([beside, behind])[-2:] == ["link set dev eth0 name vtnet0", "link set dev eth1 name vtnet1"]


def test_nics_that_hold_each_others_names_are_parked() -> None:
    lines = rename_plan([nic("vtnet1", "0000:00:02.0"), nic("vtnet0", "0000:00:03.0")])
    names = {"vtnet1": "first", "vtnet0": "second"}
    for line in lines:
        words = line.split()
        if "name" in words:
            assert words[5] not in names, "a name that is still held"
            names[words[5]] = names.pop(words[3])
    assert names == {"vtnet0": "first", "vtnet1": "second"}


def test_nothing_is_renamed_twice() -> None:
    assert rename_plan([nic("vtnet0", "0000:00:02.0"), nic("vtnet1", "0000:00:03.0")]) == []


def test_nics_are_read_from_sysfs(tmp_path: Path) -> None:
    device = tmp_path / "devices/pci0000:00/0000:00:05.0/virtio3"
    (device / "net/eth0").mkdir(parents=True)
    net = tmp_path / "class"
    net.mkdir()
    (net / "eth0").symlink_to(device / "net/eth0")
    (device / "net/eth0/device").symlink_to(device)
    (net / "lo").mkdir()
    assert read_nics(net) == [Nic("eth0", ("0000:00:05.0",), True)]


def test_missing_nics(tmp_path: Path) -> None:
    for name in ("vtnet0", "vtnet1", "vtnet2", "vtnet3"):
        (tmp_path / name).mkdir()
    assert missing_nics(MASTER, tmp_path) == ["vtnet4"]


def test_interface_plan() -> None:
    lan = MASTER.interfaces[1]
    assert interface_plan(MASTER, lan) == [
        "addr flush dev vtnet1 scope global",
        "link set dev vtnet1 up",
        "addr replace 172.17.1.254/24 broadcast 172.17.1.255 dev vtnet1",
    ]
    assert "addr replace 172.17.1.253/24 broadcast 172.17.1.255 dev vtnet1" in interface_plan(SINK, SINK.interfaces[1])
    assert interface_plan(SINK, SINK.interfaces[3])[-1] == "link set dev vtnet3 down"


def test_routes() -> None:
    assert route_plan(SINK, gather(SINK, {})) == [
        "route replace 10.99.0.0/16 via 172.17.2.9",
        "route replace default via 192.168.1.1",
    ]


def test_lease() -> None:
    lease = parse_lease({"ip": "192.168.1.168", "mask": "24", "router": "192.168.1.1 192.168.1.2", "dns": "1.1.1.1"})
    assert lease
    assert lease.address == IPv4Interface("192.168.1.168/24")
    assert lease.router == IPv4Address("192.168.1.1")
    assert parse_lease({"ip": "", "mask": ""}) is None


def test_an_address_that_stays_is_not_touched() -> None:
    """Taking it away for a moment would take the default route away with it."""
    lease = parse_lease({"ip": "192.168.1.168", "mask": "24", "router": "192.168.1.1"})
    assert lease is not None
    facts, wan = gather(MASTER, {"wan": lease}), MASTER.interfaces[0]
    replace = "addr replace 192.168.1.168/24 broadcast 192.168.1.255 dev vtnet0"
    assert lease_plan(facts, wan, ["192.168.1.168/24"]) == [replace]
    assert lease_plan(facts, wan, ["192.168.1.77/24"]) == ["addr del 192.168.1.77/24 dev vtnet0", replace]


def test_a_lease_is_obeyed_once(tmp_path: Path) -> None:
    places = Places(tmp_path)
    lease = places.lease("vtnet0")
    lease.parent.mkdir(parents=True)
    assert note_leases(places, MASTER)
    assert not note_leases(places, MASTER)
    lease.write_text("ip=192.168.1.168\n")
    assert note_leases(places, MASTER)
    assert not note_leases(places, MASTER)
    lease.unlink()
    assert note_leases(places, MASTER)


def test_the_state_table_is_no_smaller_than_a_busy_minute(tmp_path: Path) -> None:
    """With 1536 states, what a kernel of 160 MB gives itself, a drill filled it, and new flows were dropped."""
    for name, _ in STATE_TABLE:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "net/ipv4/conf").mkdir(parents=True)
    write_sysctls(tmp_path)
    assert int((tmp_path / "net/netfilter/nf_conntrack_max").read_text()) >= 20_000

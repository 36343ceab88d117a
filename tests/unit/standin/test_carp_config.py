from __future__ import annotations

from dataclasses import asdict, replace
from ipaddress import IPv4Interface
from typing import Any

import pytest
from standin.carp_config import VipError, changes, group, read_vip
from standin.model import CarpVip
from standin.virtual_mac import virtual_nic

from lab.carp.engine import Host
from lab.carp.events import BACKUP, MASTER, AddressAdd, AddressDelete, Event, InterfaceNew, VhidSet
from lab.carp.packet import pack_address

LAN = CarpVip("lan", "vtnet1", 1, 1, 0, "secret", IPv4Interface("172.17.1.252/24"), "u1", "")
SRV = CarpVip("opt1", "vtnet2", 2, 1, 0, "secret", IPv4Interface("172.17.2.252/24"), "u2", "")


class Running:
    """A host that has been told to run VIPs; remembers what that took."""

    def __init__(self) -> None:
        self.host = Host(lambda: 0)
        for nic in ("vtnet1", "vtnet2"):
            self.host.handle(InterfaceNew(nic, bytes(6)), 0)
        self.time = 0

    def configure(self, *vips: CarpVip) -> list[Event]:
        done = []
        for event in changes(self.host, group(read_vip(asdict(vip)) for vip in vips)):
            self.host.handle(event, self.time)
            done.append(event)
        return done

    def elapse(self, seconds: int) -> None:
        self.time += seconds * 1_000_000
        self.host.advance(self.time)

    def states(self) -> dict[int, str]:
        return {vhid.vhid: vhid.state for vhid in self.host.vhids()}


@pytest.fixture
def running() -> Running:
    made = Running()
    made.configure(LAN, SRV)
    made.elapse(4)
    assert made.states() == {1: MASTER, 2: MASTER}
    return made


def test_the_same_again_touches_nothing(running: Running) -> None:
    assert running.configure(LAN, SRV) == []
    assert running.configure(SRV, replace(LAN, descr="other words")) == []


@pytest.mark.parametrize("change", [{"advskew": 254}, {"advbase": 2}, {"password": "other"}])
def test_skew_base_and_key_change_without_a_flap(running: Running, change: dict[str, Any]) -> None:
    (event,) = running.configure(replace(LAN, **change), SRV)
    assert isinstance(event, VhidSet)
    assert event.state is None
    assert running.states() == {1: MASTER, 2: MASTER}


def test_a_vip_that_is_gone_leaves_and_the_other_stays(running: Running) -> None:
    running.configure(SRV)
    assert running.states() == {2: MASTER}


def test_a_changed_address_keeps_the_vhid_and_starts_it_anew(running: Running) -> None:
    new = replace(LAN, address=IPv4Interface("172.17.1.250/24"))
    add, delete = running.configure(new, SRV)
    assert (add, delete) == (
        AddressAdd("vtnet1", pack_address("172.17.1.250"), 1),
        AddressDelete("vtnet1", pack_address("172.17.1.252")),
    )
    assert running.states() == {1: BACKUP, 2: MASTER}


def test_two_addresses_of_one_vhid(running: Running) -> None:
    running.configure(LAN, replace(LAN, address=IPv4Interface("172.17.1.251/24")), SRV)
    assert len(running.host.vhids()[0].addresses) == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"vhid": 0}, "vhid"),
        ({"vhid": 256}, "vhid"),
        ({"advbase": 0}, "advbase"),
        ({"advskew": 255}, "advskew"),
        ({"advskew": "x"}, "number"),
        ({"address": "fd00::1/64"}, "address"),
        ({"address": "172.17.1.252/33"}, "address"),
        ({"nic": "a-nic-of-15-char"}, "15 characters"),
    ],
)
def test_an_impossible_vip_is_refused_with_the_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(VipError, match=field):
        read_vip({**asdict(LAN), **change})


def test_a_missing_field_is_named() -> None:
    given = asdict(LAN)
    del given["password"]
    with pytest.raises(VipError, match="password"):
        read_vip(given)


def test_one_vhid_has_one_skew() -> None:
    with pytest.raises(VipError, match="different"):
        group(read_vip(asdict(vip)) for vip in (LAN, replace(LAN, advskew=1)))


def test_device_of_the_virtual_mac() -> None:
    assert virtual_nic("vtnet1", 255) == "vtnet1.255"
    with pytest.raises(ValueError, match="15"):
        virtual_nic("long-nic-name", 12)

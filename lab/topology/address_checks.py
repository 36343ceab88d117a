"""Every address of a topology: inside its subnet, a host's, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from lab.topology.findings import Issue
from lab.topology.model import NetworkRole, Topology
from lab.topology.source import Path

OUTSIDE = "outside its network {network}, {subnet}"
NETWORK_ADDRESS = "the network address of {network}, no host's"
BROADCAST_ADDRESS = "the broadcast address of {network}, no host's"
TAKEN = "already the address of {owner}"
TAKEN_BY_VIP = "the same address as another VIP"
VHID_TAKEN = "VHID {vhid} is already used on {network}"
NO_ADDRESS = "no address on {networks}"
UNKNOWN_NETWORK = "an address on an unknown network"
PUBLIC_INSIDE = "lies inside network {network}, {subnet}"
PUBLIC_NOT_HOST = "not an address a host can have"

EXPECT_HOST = "an address from {first} to {last}"
EXPECT_FREE = "an address that no firewall, machine or VIP has"
EXPECT_NETWORKS = "one address for each network: {words}"
EXPECT_VHID = "a VHID from 1 to 255 that no other VIP of this network has"
EXPECT_PUBLIC = "an address outside the lab's networks, as 203.0.113.10"

HINT_VIP = "a CARP address is a third one, beside those of the two firewalls"
HINT_VHID = "two VIPs with one VHID would share the virtual MAC 00:00:5e:00:01:{vhid:02x}"


@dataclass(frozen=True)
class _Claim:
    """One address that stands in the file."""

    path: Path
    network: str
    address: IPv4Address
    owner: str
    vip: bool = False


def check_addresses(topology: Topology) -> Iterator[Issue]:
    """All of them, without an order."""
    yield from _missing(topology)
    claims = [claim for claim in _claims(topology) if claim.network in topology.networks]
    for claim in claims:
        yield from _host(claim, topology.networks[claim.network].subnet)
    yield from _duplicates(topology, claims)
    yield from _vhids(topology)
    yield from _public(topology)


def _claims(topology: Topology) -> Iterator[_Claim]:
    """Firewalls, machines, then VIPs: of two that clash the later one is reported."""
    for name, firewall in topology.firewalls.items():
        for network, address in firewall.addresses.items():
            yield _Claim(("firewalls", name, "addresses", network), network, address, f"firewall {name}")
    for name, machine in topology.machines.items():
        yield _Claim(("machines", name, "address"), machine.network, machine.address, f"machine {name}")
    for number, vip in enumerate(topology.carp.vips):
        path = ("carp", "vips", number, "address")
        yield _Claim(path, vip.network, vip.address, f"VHID {vip.vhid}", vip=True)


def _missing(topology: Topology) -> Iterator[Issue]:
    expected = EXPECT_NETWORKS.format(words=", ".join(topology.networks))
    for name, firewall in topology.firewalls.items():
        path = ("firewalls", name, "addresses")
        missing = [network for network in topology.networks if network not in firewall.addresses]
        if missing:
            yield Issue(path, NO_ADDRESS.format(networks=", ".join(missing)), expected)
        for network in firewall.addresses:
            if network not in topology.networks:
                yield Issue((*path, network), UNKNOWN_NETWORK, expected, network, about_key=True)


def _host(claim: _Claim, subnet: IPv4Network) -> Iterator[Issue]:
    if subnet.num_addresses < 4:
        return  # too small a network is a finding of its own
    expected = EXPECT_HOST.format(first=subnet[1], last=subnet[-2])
    place = {"network": claim.network, "subnet": subnet}
    if claim.address not in subnet:
        yield Issue(claim.path, OUTSIDE.format(**place), expected, str(claim.address))
    elif claim.address == subnet.network_address:
        yield Issue(claim.path, NETWORK_ADDRESS.format(**place), expected, str(claim.address))
    elif claim.address == subnet.broadcast_address:
        yield Issue(claim.path, BROADCAST_ADDRESS.format(**place), expected, str(claim.address))


def _duplicates(topology: Topology, claims: list[_Claim]) -> Iterator[Issue]:
    owners: dict[tuple[str, IPv4Address], _Claim] = {}
    for claim in claims:
        first = owners.setdefault((claim.network, claim.address), claim)
        if first is claim or _same_wan_address(topology, first, claim):
            continue
        if claim.vip and first.vip:
            summary, hint = TAKEN_BY_VIP, ""
        else:
            summary, hint = TAKEN.format(owner=first.owner), HINT_VIP if claim.vip else ""
        yield Issue(claim.path, summary, EXPECT_FREE, str(claim.address), hint)


def _same_wan_address(topology: Topology, first: _Claim, second: _Claim) -> bool:
    """The document's own mistake: it must load, so that lint can show it."""
    on_wan = topology.networks[first.network].role is NetworkRole.WAN
    return on_wan and first.path[0] == second.path[0] == "firewalls"


def _vhids(topology: Topology) -> Iterator[Issue]:
    seen: set[tuple[str, int]] = set()
    for number, vip in enumerate(topology.carp.vips):
        if (vip.network, vip.vhid) in seen:
            summary = VHID_TAKEN.format(vhid=vip.vhid, network=vip.network)
            hint = HINT_VHID.format(vhid=vip.vhid)
            yield Issue(("carp", "vips", number, "vhid"), summary, EXPECT_VHID, str(vip.vhid), hint)
        seen.add((vip.network, vip.vhid))


def _public(topology: Topology) -> Iterator[Issue]:
    for name, machine in topology.machines.items():
        public = machine.public
        if public is None:
            continue
        path = ("machines", name, "public")
        if (
            public.is_multicast
            or public.is_loopback
            or public.is_link_local
            or public.is_reserved
            or public.packed[0] == 0
        ):
            yield Issue(path, PUBLIC_NOT_HOST, EXPECT_PUBLIC, str(public))
        for network_name, network in topology.networks.items():
            if public in network.subnet:
                summary = PUBLIC_INSIDE.format(network=network_name, subnet=network.subnet)
                yield Issue(path, summary, EXPECT_PUBLIC, str(public))

"""What one field cannot tell: networks, firewalls, machines and names that must fit together.

Everything here makes a lab impossible. What is possible but unwise is `lint`'s business: the same WAN address on both
firewalls, for one, loads.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from lab.topology.address_checks import check_addresses
from lab.topology.findings import Issue
from lab.topology.model import ANYWHERE, THIS_FIREWALL, MachineRole, NetworkRole, Topology
from lab.topology.plan import MAX_NICS, tap_name
from lab.topology.rule_checks import check_rules
from lab.topology.source import Path

MACHINE_LIMIT = 64
"""More than one computer holds; and a MAC has two digits for the machine's number."""

PREFIX_MIN, PREFIX_MAX = 8, 30
"""A /30 has room for the two firewalls of a sync network, and no smaller one has."""

RESERVED_NETWORKS = (ANYWHERE, THIS_FIREWALL)
"""Rules use these words for something else."""

RESERVED_MACHINES = ("br", "lab")
"""`br-NETWORK` would be a card's name as well as the bridge's; `lab` stands for all machines in messages."""

UNKNOWN_NETWORK = "unknown network"
NO_WAN = "no network with role wan"
MANY_WANS = "a second network with role wan"
NO_SYNC = "no network with role sync"
MANY_SYNCS = "a second network with role sync"
NOT_SYNC = "this network has not the role sync"
NO_INSIDE = "no network with role inside"
TOO_MANY_NETWORKS = "too many networks"
TOO_MANY_MACHINES = "too many machines"
OVERLAP = "overlaps {other}"
BAD_SIZE = "a subnet of the wrong size"
BAD_RANGE = "a range that hosts cannot have"
NOT_TWO = "not two firewalls"
NAME_TAKEN = "a firewall has this name already"
NAME_RESERVED = "a reserved name"
HOST_NAME_TAKEN = "both firewalls have this host name"
TAP_TAKEN = "its card on {network} would have the same name as another machine's: {tap}"
DHCP_INSIDE = "only the WAN may use DHCP"
GATEWAY_INSIDE = "only the WAN has a gateway"
NO_GATEWAY = "a static WAN needs a gateway"
NO_INTERNET = "no machine with role internet"
MANY_INTERNETS = "a second machine with role internet"
INTERNET_INSIDE = "the internet machine must stand on the WAN"
NO_PUBLIC = "the internet machine needs a public address"
PUBLIC_ELSEWHERE = "only the internet machine has a public address"
GATEWAY_NOBODY = "nobody answers at this gateway"
NO_ROOM = "{network} has no room for {count} addresses"

ONE_OF = "one of: {words}"
EXPECT_SYNC = "exactly one network with `role: sync`, the one `sync.network` names"
EXPECT_WAN = "exactly one network with `role: wan`"
EXPECT_INSIDE = "at least one network for machines: it becomes pfSense's LAN"
EXPECT_SIZE = "a prefix length from /{low} to /{high}"
EXPECT_TWO = "two firewalls: the master, then the backup"
EXPECT_GATEWAY = "the address of machine {machine}, {address}"
EXPECT_AT_MOST = "{limit} at most"
EXPECT_INTERNET = "exactly one machine with `role: internet`: upstream router, DHCP server of the WAN and public host"
EXPECT_PUBLIC = "an address outside the lab's networks, as 203.0.113.10"

HINT_RESERVED = "the lab uses this word itself: take another"
HINT_OVERLAP = "give each network a range of its own"
HINT_SLOTS = "a firewall has one card per network, and {limit} PCI slots are kept for them"


def check(topology: Topology) -> Iterator[Issue]:
    """All of them, without an order."""
    yield from _networks(topology)
    yield from _subnets(topology)
    yield from _wan_fields(topology)
    yield from _firewalls(topology)
    yield from _names(topology)
    yield from _internet(topology)
    yield from _references(topology)
    yield from check_addresses(topology)
    yield from check_rules(topology)


def _networks(topology: Topology) -> Iterator[Issue]:
    by_role: dict[NetworkRole, list[str]] = {role: [] for role in NetworkRole}
    for name, network in topology.networks.items():
        by_role[network.role].append(name)
    here = ("networks",)
    if not by_role[NetworkRole.WAN]:
        yield Issue(here, NO_WAN, EXPECT_WAN)
    if not by_role[NetworkRole.SYNC]:
        yield Issue(here, NO_SYNC, EXPECT_SYNC)
    if not by_role[NetworkRole.INSIDE]:
        yield Issue(here, NO_INSIDE, EXPECT_INSIDE)
    for name in by_role[NetworkRole.WAN][1:]:
        yield Issue(("networks", name, "role"), MANY_WANS, EXPECT_WAN)
    for name in by_role[NetworkRole.SYNC][1:]:
        yield Issue(("networks", name, "role"), MANY_SYNCS, EXPECT_SYNC)
    if len(topology.networks) > MAX_NICS:
        hint = HINT_SLOTS.format(limit=MAX_NICS)
        yield Issue(here, TOO_MANY_NETWORKS, EXPECT_AT_MOST.format(limit=MAX_NICS), str(len(topology.networks)), hint)


def _subnets(topology: Topology) -> Iterator[Issue]:
    for name, network in topology.networks.items():
        subnet = network.subnet
        path = ("networks", name, "subnet")
        if not PREFIX_MIN <= subnet.prefixlen <= PREFIX_MAX:
            yield Issue(path, BAD_SIZE, EXPECT_SIZE.format(low=PREFIX_MIN, high=PREFIX_MAX), str(subnet))
            continue
        if (
            subnet.is_multicast
            or subnet.is_loopback
            or subnet.is_link_local
            or subnet.is_reserved
            or subnet[0].packed[0] == 0
        ):
            yield Issue(path, BAD_RANGE, seen=str(subnet))
    for (one, first), (other, second) in combinations(topology.networks.items(), 2):
        if first.subnet.overlaps(second.subnet):
            summary = OVERLAP.format(other=f"{one} ({first.subnet})")
            yield Issue(("networks", other, "subnet"), summary, seen=str(second.subnet), hint=HINT_OVERLAP)


def _wan_fields(topology: Topology) -> Iterator[Issue]:
    for name, network in topology.networks.items():
        path = ("networks", name)
        if network.role is NetworkRole.WAN:
            if network.addressing == "static" and network.gateway is None:
                yield Issue(path, NO_GATEWAY)
            continue
        if network.addressing == "dhcp":
            yield Issue((*path, "addressing"), DHCP_INSIDE, "static", "dhcp")
        if network.gateway is not None:
            yield Issue((*path, "gateway"), GATEWAY_INSIDE, seen=str(network.gateway))


def _firewalls(topology: Topology) -> Iterator[Issue]:
    if len(topology.firewalls) != 2:
        yield Issue(("firewalls",), NOT_TWO, EXPECT_TWO, ", ".join(topology.firewalls) or "none")
    seen: set[str] = set()
    for name, firewall in topology.firewalls.items():
        if firewall.hostname.lower() in seen:
            yield Issue(("firewalls", name, "hostname"), HOST_NAME_TAKEN, seen=firewall.hostname)
        seen.add(firewall.hostname.lower())


def _names(topology: Topology) -> Iterator[Issue]:
    for name in topology.networks:
        if name in RESERVED_NETWORKS:
            yield Issue(("networks", name), NAME_RESERVED, seen=name, hint=HINT_RESERVED, about_key=True)
    if len(topology.machines) > MACHINE_LIMIT:
        limit = EXPECT_AT_MOST.format(limit=MACHINE_LIMIT)
        yield Issue(("machines",), TOO_MANY_MACHINES, limit, str(len(topology.machines)))
    taps: set[str] = set()
    homes = [("firewalls", name, list(topology.networks)) for name in topology.firewalls]
    homes += [("machines", name, [machine.network]) for name, machine in topology.machines.items()]
    for section, name, networks in homes:
        path = (section, name)
        if name in RESERVED_MACHINES:
            yield Issue(path, NAME_RESERVED, seen=name, hint=HINT_RESERVED, about_key=True)
        elif section == "machines" and name in topology.firewalls:
            yield Issue(path, NAME_TAKEN, seen=name, about_key=True)
            continue
        for network in networks:
            tap = tap_name(name, network)
            if tap in taps:
                yield Issue(path, TAP_TAKEN.format(network=network, tap=tap), about_key=True)
            taps.add(tap)


def _internet(topology: Topology) -> Iterator[Issue]:
    found = [name for name, machine in topology.machines.items() if machine.role is MachineRole.INTERNET]
    if not found:
        yield Issue(("machines",), NO_INTERNET, EXPECT_INTERNET)
    for name in found[1:]:
        yield Issue(("machines", name, "role"), MANY_INTERNETS, EXPECT_INTERNET)
    for name, machine in topology.machines.items():
        if name not in found:
            if machine.public is not None:
                yield Issue(("machines", name, "public"), PUBLIC_ELSEWHERE, seen=str(machine.public))
            continue
        network = topology.networks.get(machine.network)
        if network is not None and network.role is not NetworkRole.WAN:
            yield Issue(("machines", name, "network"), INTERNET_INSIDE, seen=machine.network)
        if machine.public is None:
            yield Issue(("machines", name), NO_PUBLIC, EXPECT_PUBLIC)
        gateway = network.gateway if network else None
        if gateway is not None and gateway != machine.address and name == found[0]:
            expected = EXPECT_GATEWAY.format(machine=name, address=machine.address)
            yield Issue(("networks", machine.network, "gateway"), GATEWAY_NOBODY, expected, str(gateway))


def _references(topology: Topology) -> Iterator[Issue]:
    """Every place that names a network, rules excepted."""
    named: list[tuple[Path, str]] = [(("sync", "network"), topology.sync.network)]
    named += [(("carp", "vips", number, "network"), vip.network) for number, vip in enumerate(topology.carp.vips)]
    named += [(("machines", name, "network"), machine.network) for name, machine in topology.machines.items()]
    expected = ONE_OF.format(words=", ".join(topology.networks))
    for path, name in named:
        if name not in topology.networks:
            yield Issue(path, UNKNOWN_NETWORK, expected, name)
    sync = topology.networks.get(topology.sync.network)
    if sync is not None and sync.role is not NetworkRole.SYNC:
        yield Issue(("sync", "network"), NOT_SYNC, EXPECT_SYNC, topology.sync.network)

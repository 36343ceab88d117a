"""Which packets pass, computed from the topology: who may reach whom, by which rule, at which stage.

The law is pf's as pfSense uses it: rules of the interface a connection comes in on, first match wins, what no rule
passes is denied, everything may go out, replies follow the state of their connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Literal

from lab.topology.model import MachineRole, Rule, Topology
from lab.topology.stage import Stage

Protocol = Literal["icmp", "tcp", "udp", "pfsync"]

WEB_PORT = 80
"""Where every machine of a lab serves a page."""

GUI_PORT = 443
"""pfSense's web configurator, and XML-RPC behind it."""

ANTI_LOCKOUT_PORTS = (443, 80)
"""Ports of the LAN address that no user rule can close (observed/rules-master.pf.txt, "anti-lockout rule")."""

PRIVATE_NETWORKS = tuple(IPv4Network(text) for text in ("10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
"""What pfSense's `blockpriv` drops (filter.inc)."""


class Why(StrEnum):
    """What decides about a packet."""

    RULE = "rule"
    ANTI_LOCKOUT = "anti-lockout rule"
    DEFAULT_DENY = "default deny"
    BLOCK_PRIVATE = "private networks blocked on this interface"
    SAME_SEGMENT = "same segment, no firewall between"
    NO_VIP_YET = "the gateway is a virtual address that does not exist at this stage"
    NO_ROUTE = "no route"


@dataclass(frozen=True)
class Packet:
    """The first packet of a connection. on: network it comes in on. port: destination port, None for icmp and pfsync."""

    on: str
    source: IPv4Address
    destination: IPv4Address
    protocol: Protocol
    port: int | None = None


@dataclass(frozen=True)
class Verdict:
    """rule: the rule that decided, if one did. missing: the topology's rule that would pass it, but comes at a later stage."""

    allowed: bool
    why: Why
    rule: Rule | None = None
    missing: Rule | None = None

    @property
    def reason(self) -> str:
        """One line for people."""
        if self.rule is not None:
            return f"{self.rule.action} by rule '{self.rule.descr}' on {self.rule.on}"
        if self.missing is not None:
            return (
                f"{self.why.value}; rule '{self.missing.descr}' on {self.missing.on} comes at stage {Stage.RULES.value}"
            )
        return self.why.value


class PathKind(StrEnum):
    """What a path shows. INBOUND: from the WAN to an inside machine; FIREWALL: from the WAN to a node's own address."""

    GATEWAY = "gateway"
    ZONE = "zone"
    INTERNET = "internet"
    INBOUND = "inbound"
    FIREWALL = "firewall"


@dataclass(frozen=True)
class Path:
    """One thing to try. source: machine. target: name of what stands at `destination`.

    via: next hop the source must use although it has no route there (an attacker on the WAN), else None.
    """

    kind: PathKind
    source: str
    target: str
    destination: IPv4Address
    protocol: Protocol
    port: int | None
    verdict: Verdict
    via: IPv4Address | None = None

    @property
    def id(self) -> str:
        """Stable name, for example `client>web:tcp/80`."""
        port = f"/{self.port}" if self.port else ""
        return f"{self.source}>{self.target}:{self.protocol}{port}"


def default_lan_rule(topology: Topology) -> Rule:
    """The pass rule a new pfSense has on its LAN."""
    lan = topology.lan
    return Rule.model_validate(
        {"on": lan, "action": "pass", "from": lan, "to": "any", "descr": "Default allow LAN to any rule"}
    )


def rules_at(topology: Topology, stage: Stage) -> tuple[Rule, ...]:
    """The user rules in force: the topology's from stage `rules` on, before that what a new pfSense has."""
    return topology.rules if stage.reaches(Stage.RULES) else (default_lan_rule(topology),)


def judge(topology: Topology, stage: Stage, packet: Packet) -> Verdict:
    """What the firewall does with the first packet of a connection that comes in on `packet.on`."""
    network = topology.networks[packet.on]
    if network.block_private and any(packet.source in private for private in PRIVATE_NETWORKS):
        return Verdict(False, Why.BLOCK_PRIVATE)
    if _locked_in(topology, stage, packet):
        return Verdict(True, Why.ANTI_LOCKOUT)
    rule = first_match(topology, rules_at(topology, stage), packet)
    if rule is not None:
        return Verdict(rule.action == "pass", Why.RULE, rule)
    later = first_match(topology, topology.rules, packet)
    return Verdict(False, Why.DEFAULT_DENY, missing=later if later and later.action == "pass" else None)


def first_match(topology: Topology, rules: tuple[Rule, ...], packet: Packet) -> Rule | None:
    """The first rule of the packet's interface that speaks about it."""
    for rule in rules:
        if (
            rule.on == packet.on
            and rule.protocol in ("any", packet.protocol)
            and (rule.port is None or rule.port == packet.port)
            and _covers(topology, rule.source, packet.source)
            and _covers(topology, rule.destination, packet.destination)
        ):
            return rule
    return None


def reach(
    topology: Topology, stage: Stage, source: str, destination: IPv4Address, protocol: Protocol, port: int | None = None
) -> Verdict:
    """Whether a machine gets an answer from `destination` through the cluster."""
    machine = topology.machines[source]
    network = topology.networks[machine.network]
    at_the_firewall = destination in firewall_addresses(topology)
    if destination in network.subnet and not at_the_firewall:
        return Verdict(True, Why.SAME_SEGMENT)
    virtual = {vip.address for vip in topology.carp.vips}
    has_vips = stage.reaches(Stage.VIPS)
    if not has_vips:
        through_gateway = destination not in network.subnet
        if destination in virtual or (through_gateway and topology.gateway_of(source) in virtual):
            return Verdict(False, Why.NO_VIP_YET)
    verdict = judge(topology, stage, Packet(machine.network, machine.address, destination, protocol, port))
    if verdict.allowed and not at_the_firewall and not _routed(topology, destination):
        return Verdict(False, Why.NO_ROUTE)
    return verdict


def sync_paths(topology: Topology, stage: Stage) -> dict[str, Verdict]:
    """`xmlrpc` (master to backup) and `pfsync` (either way: the rules are the same on both nodes) over the sync network."""
    on = topology.sync.network
    source = topology.firewalls[topology.master].addresses[on]
    destination = topology.firewalls[topology.backup].addresses[on]
    return {
        "xmlrpc": judge(topology, stage, Packet(on, source, destination, "tcp", GUI_PORT)),
        "pfsync": judge(topology, stage, Packet(on, source, destination, "pfsync")),
    }


def states_synced(topology: Topology, stage: Stage = Stage.RULES) -> bool:
    """Whether each node holds the other's states: pfsync is configured and the rules let it through."""
    return topology.sync.pfsync and stage.reaches(Stage.PFSYNC) and sync_paths(topology, stage)["pfsync"].allowed


def firewall_addresses(topology: Topology) -> frozenset[IPv4Address]:
    """What the word `firewall` means in a rule: every address of the nodes, virtual ones too."""
    own = {address for firewall in topology.firewalls.values() for address in firewall.addresses.values()}
    return frozenset(own | {vip.address for vip in topology.carp.vips})


def inside_machines(topology: Topology) -> tuple[str, ...]:
    """Machines that stand behind the cluster."""
    return tuple(name for name, machine in topology.machines.items() if machine.role is not MachineRole.INTERNET)


def matrix(topology: Topology, stage: Stage) -> tuple[Path, ...]:
    """Every path a check tries, denied ones included, each with its verdict."""
    return tuple(_inside_paths(topology, stage)) + tuple(_outside_paths(topology, stage))


def _inside_paths(topology: Topology, stage: Stage) -> Iterator[Path]:
    names = inside_machines(topology)
    public = topology.machines[topology.internet].public
    for name in names:
        gateway = topology.gateway_of(name)
        if gateway is not None:
            verdict = reach(topology, stage, name, gateway, "icmp")
            yield Path(PathKind.GATEWAY, name, "gateway", gateway, "icmp", None, verdict)
        for other in names:
            if topology.machines[other].network != topology.machines[name].network:
                yield from _both(topology, stage, PathKind.ZONE, name, other, topology.machines[other].address)
        if public is not None:
            yield from _both(topology, stage, PathKind.INTERNET, name, topology.internet, public)


def _both(
    topology: Topology, stage: Stage, kind: PathKind, source: str, target: str, address: IPv4Address
) -> Iterator[Path]:
    ping = reach(topology, stage, source, address, "icmp")
    yield Path(kind, source, target, address, "icmp", None, ping)
    connection = reach(topology, stage, source, address, "tcp", WEB_PORT)
    yield Path(kind, source, target, address, "tcp", WEB_PORT, connection)


def _outside_paths(topology: Topology, stage: Stage) -> Iterator[Path]:
    internet, wan = topology.internet, topology.wan
    node = topology.firewalls[topology.master].addresses[wan]
    for name in inside_machines(topology):
        address = topology.machines[name].address
        verdict = reach(topology, stage, internet, address, "icmp")
        yield Path(PathKind.INBOUND, internet, name, address, "icmp", None, verdict, via=node)
        verdict = reach(topology, stage, internet, address, "tcp", WEB_PORT)
        yield Path(PathKind.INBOUND, internet, name, address, "tcp", WEB_PORT, verdict, via=node)
    for name, firewall in topology.firewalls.items():
        address = firewall.addresses[wan]
        verdict = reach(topology, stage, internet, address, "tcp", GUI_PORT)
        yield Path(PathKind.FIREWALL, internet, name, address, "tcp", GUI_PORT, verdict)


def _locked_in(topology: Topology, stage: Stage, packet: Packet) -> bool:
    lan = topology.lan
    if packet.on != lan or packet.protocol != "tcp" or packet.port not in ANTI_LOCKOUT_PORTS:
        return False
    addresses = {firewall.addresses[lan] for firewall in topology.firewalls.values()}
    if stage.reaches(Stage.VIPS):
        addresses |= {vip.address for vip in topology.carp.vips if vip.network == lan}
    return packet.destination in addresses


def _covers(topology: Topology, selector: str, address: IPv4Address) -> bool:
    """Whether a rule's source or destination speaks about an address."""
    if selector.startswith("!"):
        return not _covers(topology, selector[1:], address)
    if selector == "any":
        return True
    if selector == "firewall":
        return address in firewall_addresses(topology)
    if selector in topology.networks:
        return address in topology.networks[selector].subnet
    return address in IPv4Network(selector)


def _routed(topology: Topology, destination: IPv4Address) -> bool:
    wan = topology.networks[topology.wan]
    return wan.gateway is not None or any(destination in network.subnet for network in topology.networks.values())

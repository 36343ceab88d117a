"""What a drawing of a lab shows, whatever it is drawn with: the networks as rows, the firewalls as columns."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from lab.topology.model import NetworkRole
from lab.topology.plan import Plan, PlannedMachine

SYNC_BOTH = "states and configuration"
SYNC_STATES = "states"
SYNC_CONFIGURATION = "configuration"
SYNC_NOTHING = "no sync"


@dataclass(frozen=True)
class Port:
    """Where a firewall meets a network."""

    firewall: str
    device: str
    address: IPv4Address
    dhcp: bool


@dataclass(frozen=True)
class Mark:
    """A CARP address on a network."""

    address: IPv4Address
    vhid: int


@dataclass(frozen=True)
class Guest:
    """A machine on a network. public: the public host's address behind it, or None."""

    name: str
    role: str
    address: IPv4Address
    gateway: IPv4Address | None
    public: IPv4Address | None


@dataclass(frozen=True)
class Row:
    """One network. purpose: what the sync network carries, "" elsewhere."""

    name: str
    subnet: IPv4Network
    role: NetworkRole
    ports: tuple[Port, ...]
    marks: tuple[Mark, ...]
    guests: tuple[Guest, ...]
    purpose: str

    def short(self, address: IPv4Address) -> str:
        """The part of an address that the subnet leaves open: `.254` in a /24."""
        kept = self.subnet.prefixlen // 8
        return "." + ".".join(str(address).split(".")[kept:]) if kept else str(address)


@dataclass(frozen=True)
class Column:
    """One firewall."""

    name: str
    title: str
    hostname: str
    advskew: int


@dataclass(frozen=True)
class Scene:
    """The whole drawing, top to bottom and left to right."""

    title: str
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]


def make_scene(plan: Plan) -> Scene:
    """What is drawn of a plan, whoever draws it."""
    topology = plan.topology
    columns = tuple(
        Column(node.name, node.title, node.hostname, topology.firewalls[node.name].advskew) for node in plan.firewalls
    )
    return Scene(topology.title or topology.name, tuple(_row(plan, name) for name in topology.networks), columns)


def _row(plan: Plan, name: str) -> Row:
    network = plan.topology.networks[name]
    return Row(
        name=name,
        subnet=network.subnet,
        role=network.role,
        ports=tuple(_port(node, name) for node in plan.firewalls),
        marks=tuple(Mark(vip.address.ip, vip.vhid) for vip in plan.vips if vip.network == name),
        guests=tuple(
            Guest(machine.name, machine.role, machine.nics[0].address.ip, machine.gateway, machine.public)
            for machine in plan.clients
            if machine.nics[0].network == name
        ),
        purpose=_purpose(plan, name),
    )


def _port(node: PlannedMachine, network: str) -> Port:
    nic = node.nic_on(network)
    return Port(node.name, nic.device, nic.address.ip, nic.dhcp)


def _purpose(plan: Plan, name: str) -> str:
    sync = plan.topology.sync
    if sync.network != name:
        return ""
    match (sync.pfsync, sync.xmlrpc):
        case (True, True):
            return SYNC_BOTH
        case (True, False):
            return SYNC_STATES
        case (False, True):
            return SYNC_CONFIGURATION
        case _:
            return SYNC_NOTHING

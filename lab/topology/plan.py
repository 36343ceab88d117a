"""Everything a topology implies and nobody should have to write: MACs, PCI slots, device, tap and bridge names, VIP keys.

One object serves every way to boot: all providers render from the same plan.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Interface

from lab.topology.model import MachineRole, Outbound, Topology

LINK_NAME_LIMIT = 15
"""Characters in a Linux interface name (IFNAMSIZ less its end mark)."""

FIRST_NIC_SLOT = 0x10
"""NICs take PCI slots 0x10 and up on bus 0: guests number them in that order, whatever else is plugged below."""

MAX_NICS = 0x20 - FIRST_NIC_SLOT


class Kind(StrEnum):
    """Whether a machine is a node of the cluster or stands behind it."""

    FIREWALL = "firewall"
    CLIENT = "client"


@dataclass(frozen=True)
class Nic:
    """One network card.

    key:     pfSense's interface key (`wan`, `lan`, `opt1`...); on a client the network's name.
    device:  name inside the guest (`vtnet0` on a firewall, `eth0` on a client).
    address: static address with prefix; where `dhcp` is true the address the reservation gives.
    slot:    PCI slot on bus 0.
    """

    index: int
    network: str
    key: str
    device: str
    bridge: str
    tap: str
    mac: str
    slot: int
    address: IPv4Interface
    dhcp: bool


@dataclass(frozen=True)
class PlannedVip:
    """One CARP address as it will stand in config.xml. uniqid: 13 hex digits, the same on both nodes."""

    network: str
    key: str
    device: str
    vhid: int
    address: IPv4Interface
    uniqid: str
    descr: str


@dataclass(frozen=True)
class PlannedMachine:
    """One guest. role: a client's part; "firewall" for a node. gateway: default route, None where there is none to set."""

    name: str
    kind: Kind
    role: str
    hostname: str
    title: str
    nics: tuple[Nic, ...]
    gateway: IPv4Address | None
    public: IPv4Address | None = None

    def nic_on(self, network: str) -> Nic:
        """The card on a network. Raises KeyError where there is none."""
        for nic in self.nics:
            if nic.network == network:
                return nic
        raise KeyError(f"{self.name} has no card on {network}")


@dataclass(frozen=True)
class Plan:
    """The topology with every derived value. machines: firewalls first, then clients, in the file's order."""

    topology: Topology
    machines: tuple[PlannedMachine, ...]
    vips: tuple[PlannedVip, ...]

    @property
    def firewalls(self) -> tuple[PlannedMachine, ...]:
        return tuple(machine for machine in self.machines if machine.kind is Kind.FIREWALL)

    @property
    def clients(self) -> tuple[PlannedMachine, ...]:
        return tuple(machine for machine in self.machines if machine.kind is Kind.CLIENT)

    @property
    def bridges(self) -> tuple[str, ...]:
        return tuple(bridge_name(network) for network in self.topology.networks)

    def machine(self, name: str) -> PlannedMachine:
        """Raises KeyError for an unknown name."""
        for machine in self.machines:
            if machine.name == name:
                return machine
        raise KeyError(name)

    @property
    def reservations(self) -> tuple[tuple[str, IPv4Address], ...]:
        """DHCP reservations of the WAN: (MAC, address)."""
        return tuple((nic.mac, nic.address.ip) for machine in self.firewalls for nic in machine.nics if nic.dhcp)

    @property
    def nat_address(self) -> IPv4Address | None:
        """The VIP that outbound NAT translates to; None where each node uses its own WAN address."""
        if self.topology.nat.outbound is not Outbound.VIP:
            return None
        vip = self.topology.vip_on(self.topology.wan)
        return vip.address if vip else None


def make_plan(topology: Topology) -> Plan:
    """Derive everything. Deterministic: the same topology gives the same plan on any machine."""
    keys = interface_keys(topology)
    machines = tuple(
        [_firewall(topology, keys, number, name) for number, name in enumerate(topology.firewalls)]
        + [_client(topology, 0x10 + number, name) for number, name in enumerate(topology.machines)]
    )
    return Plan(topology, machines, _vips(topology, keys))


def interface_keys(topology: Topology) -> dict[str, str]:
    """Network name -> pfSense's interface key: the WAN is `wan`, the first inside network `lan`, the others `opt1`, `opt2`...

    The sync network is never `lan`: pfSense opens its web interface there and passes everything by default.
    """
    keys: dict[str, str] = {}
    optional = 0
    for name in topology.networks:
        if name == topology.wan:
            keys[name] = "wan"
        elif name == topology.lan:
            keys[name] = "lan"
        else:
            optional += 1
            keys[name] = f"opt{optional}"
    return keys


def bridge_name(network: str) -> str:
    return f"br-{network}"


def tap_name(machine: str, network: str) -> str:
    """`machine-network`; where that is too long, its head and four digits of its hash."""
    name = f"{machine}-{network}"
    if len(name) <= LINK_NAME_LIMIT:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:4]
    return f"{name[: LINK_NAME_LIMIT - 5]}-{digest}"


def mac_address(machine: int, nic: int) -> str:
    """52:54:00 is QEMU's prefix; then 17 for the lab, the machine's number and the card's, so that a student can read it."""
    return f"52:54:00:17:{machine:02x}:{nic:02x}"


def _firewall(topology: Topology, keys: dict[str, str], number: int, name: str) -> PlannedMachine:
    firewall = topology.firewalls[name]
    nics = tuple(
        Nic(
            index=index,
            network=network_name,
            key=keys[network_name],
            device=f"vtnet{index}",
            bridge=bridge_name(network_name),
            tap=tap_name(name, network_name),
            mac=mac_address(number, index),
            slot=FIRST_NIC_SLOT + index,
            address=IPv4Interface((firewall.addresses[network_name], network.subnet.prefixlen)),
            dhcp=network.addressing == "dhcp",
        )
        for index, (network_name, network) in enumerate(topology.networks.items())
    )
    gateway = topology.networks[topology.wan].gateway
    return PlannedMachine(name, Kind.FIREWALL, "firewall", firewall.hostname, firewall.title or name, nics, gateway)


def _client(topology: Topology, number: int, name: str) -> PlannedMachine:
    machine = topology.machines[name]
    subnet = topology.networks[machine.network].subnet
    nic = Nic(
        index=0,
        network=machine.network,
        key=machine.network,
        device="eth0",
        bridge=bridge_name(machine.network),
        tap=tap_name(name, machine.network),
        mac=mac_address(number, 0),
        slot=FIRST_NIC_SLOT,
        address=IPv4Interface((machine.address, subnet.prefixlen)),
        dhcp=False,
    )
    public = machine.public if machine.role is MachineRole.INTERNET else None
    return PlannedMachine(name, Kind.CLIENT, machine.role.value, name, name, (nic,), topology.gateway_of(name), public)


def _vips(topology: Topology, keys: dict[str, str]) -> tuple[PlannedVip, ...]:
    order = list(topology.networks)
    return tuple(
        PlannedVip(
            network=vip.network,
            key=keys[vip.network],
            device=f"vtnet{order.index(vip.network)}",
            vhid=vip.vhid,
            address=IPv4Interface((vip.address, topology.networks[vip.network].subnet.prefixlen)),
            uniqid=hashlib.sha256(f"{topology.name} {vip.network} {vip.vhid} {vip.address}".encode()).hexdigest()[:13],
            descr=vip.descr,
        )
        for vip in topology.carp.vips
    )

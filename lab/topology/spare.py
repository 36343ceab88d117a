"""Addresses of a network that nothing in the topology has."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from lab.topology.model import Topology


def spare_addresses(topology: Topology, network: str) -> Iterator[IPv4Address]:
    """From the highest down."""
    taken = {firewall.addresses[network] for firewall in topology.firewalls.values()}
    taken |= {vip.address for vip in topology.carp.vips} | {m.address for m in topology.machines.values()}
    gateway = topology.networks[network].gateway
    subnet = topology.networks[network].subnet
    for number in range(int(subnet.broadcast_address) - 1, int(subnet.network_address), -1):
        if (address := IPv4Address(number)) not in taken and address != gateway:
            yield address

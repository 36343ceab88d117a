"""Which rule decides about a connection: pf's order, first match on the interface it comes in on."""

from __future__ import annotations

from ipaddress import IPv4Address

from lab.topology.endpoint import Endpoint, parse_endpoint
from lab.topology.model import Rule, Topology


def deciding_rule(
    topology: Topology, on: str, protocol: str, source: IPv4Address, destination: IPv4Address, port: int | None = None
) -> Rule | None:
    """The first rule that matches a packet coming in on a network; None: denied by default."""
    for rule in topology.rules:
        if rule.on != on or rule.protocol not in ("any", protocol) or rule.port not in (None, port):
            continue
        if covers(topology, rule.source, source) and covers(topology, rule.destination, destination):
            return rule
    return None


def covers(topology: Topology, text: str, address: IPv4Address) -> bool:
    """Whether a rule's `from` or `to` speaks about an address."""
    endpoint = parse_endpoint(text, topology.networks)
    return _inside(topology, endpoint, address) is not endpoint.negated


def _inside(topology: Topology, endpoint: Endpoint, address: IPv4Address) -> bool:
    match endpoint.kind:
        case "any":
            return True
        case "firewall":
            own = {held for firewall in topology.firewalls.values() for held in firewall.addresses.values()}
            return address in own or address in {vip.address for vip in topology.carp.vips}
        case "network":
            return address in topology.networks[endpoint.name].subnet
        case "address":
            return address == IPv4Address(endpoint.name)

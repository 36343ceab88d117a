"""Rules and NAT: what they name must exist, and what they ask must be possible."""

from __future__ import annotations

from collections.abc import Iterator

from lab.topology.endpoint import parse_endpoint
from lab.topology.explain import did_you_mean
from lab.topology.findings import Issue
from lab.topology.model import ANYWHERE, THIS_FIREWALL, NetworkRole, Outbound, Topology

UNKNOWN_NETWORK = "unknown network"
UNKNOWN_ENDPOINT = "neither a network nor an address"
PORT_WITHOUT_PROTOCOL = "a port needs `protocol: tcp` or `udp`"
NO_WAN_VIP = "no CARP address on the WAN to translate to"

ONE_OF = "one of: {words}"
EXPECT_ENDPOINT = "any, firewall, an address, or a network ({words}); `!` in front of the last two"
EXPECT_PORT = "tcp or udp"
HINT_WAN_VIP = "add one to carp.vips with `network: {wan}`, or write `outbound: interface`"


def check_rules(topology: Topology) -> Iterator[Issue]:
    """All of them, without an order."""
    networks = ", ".join(topology.networks)
    words = [*topology.networks, ANYWHERE, THIS_FIREWALL]
    for number, rule in enumerate(topology.rules):
        path = ("rules", number)
        if rule.on not in topology.networks:
            hint = did_you_mean(rule.on, list(topology.networks))
            yield Issue((*path, "on"), UNKNOWN_NETWORK, ONE_OF.format(words=networks), rule.on, hint)
        for key, text in (("from", rule.source), ("to", rule.destination)):
            try:
                parse_endpoint(text, topology.networks)
            except ValueError:
                hint = did_you_mean(text.removeprefix("!"), words)
                yield Issue((*path, key), UNKNOWN_ENDPOINT, EXPECT_ENDPOINT.format(words=networks), text, hint)
        if rule.port is not None and rule.protocol not in ("tcp", "udp"):
            yield Issue((*path, "port"), PORT_WITHOUT_PROTOCOL, EXPECT_PORT, f"protocol {rule.protocol}")
    if topology.nat.outbound is Outbound.VIP:
        wan = [name for name, network in topology.networks.items() if network.role is NetworkRole.WAN]
        if wan and topology.vip_on(wan[0]) is None:
            yield Issue(("nat", "outbound"), NO_WAN_VIP, seen="vip", hint=HINT_WAN_VIP.format(wan=wan[0]))

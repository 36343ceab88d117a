"""Lint rules about NAT and filter rules (U040 to U059)."""

from __future__ import annotations

from collections.abc import Iterator

from lab.topology.findings import Issue
from lab.topology.model import ANYWHERE, NetworkRole, Outbound, Rule, Topology
from lab.topology.reach import deciding_rule

XMLRPC_PORT = 443

NAT_INTERFACE = "outbound NAT to each node's own WAN address"
NAT_INTERFACE_SEEN = "connections to the internet that were open at a failover are lost, though their states are synced"
NAT_INTERFACE_HINT = "a CARP address on the WAN and `outbound: vip`"

XMLRPC_DENIED = "no rule on {network} lets configuration sync reach the backup"
XMLRPC_EXPECTED = "{{on: {network}, protocol: tcp, from: {network}, to: firewall, port: 443}}"
PFSYNC_DENIED = "no rule on {network} lets state sync through"
PFSYNC_EXPECTED = "{{on: {network}, protocol: pfsync, from: {network}, to: firewall}}"
NO_RULE = "no rule matches: denied by default"
BLOCKING_RULE = "rule {number} of the file comes first: {action}"

UNREACHED = "never reached: rule {number} of the file matches the same and more"
NO_RULES = "no rule on {network}: nothing may come from there"


def nat_to_interface(topology: Topology) -> Iterator[Issue]:
    """Outbound NAT translates to addresses that do not move."""
    if topology.nat.outbound is Outbound.INTERFACE:
        yield Issue(("nat", "outbound"), NAT_INTERFACE, seen=NAT_INTERFACE_SEEN, hint=NAT_INTERFACE_HINT)


def configuration_sync_denied(topology: Topology) -> Iterator[Issue]:
    """Configuration sync is on, but TCP 443 on the sync network is denied."""
    if topology.sync.xmlrpc:
        yield from _sync_denied(topology, "tcp", XMLRPC_PORT, XMLRPC_DENIED, XMLRPC_EXPECTED)


def state_sync_denied(topology: Topology) -> Iterator[Issue]:
    """pfsync is on, but its protocol is denied on the sync network."""
    if topology.sync.pfsync:
        yield from _sync_denied(topology, "pfsync", None, PFSYNC_DENIED, PFSYNC_EXPECTED)


def rule_never_reached(topology: Topology) -> Iterator[Issue]:
    """An earlier rule on the same interface matches everything this one does."""
    for number, rule in enumerate(topology.rules):
        for earlier, other in enumerate(topology.rules[:number]):
            if _swallows(other, rule):
                yield Issue(("rules", number), UNREACHED.format(number=earlier + 1))
                break


def network_without_rules(topology: Topology) -> Iterator[Issue]:
    """An inside network with machines but not one rule."""
    ruled = {rule.on for rule in topology.rules}
    peopled = {machine.network for machine in topology.machines.values()}
    for name, network in topology.networks.items():
        if network.role is NetworkRole.INSIDE and name in peopled and name not in ruled:
            yield Issue(("networks", name), NO_RULES.format(network=name))


def _sync_denied(topology: Topology, protocol: str, port: int | None, summary: str, expected: str) -> Iterator[Issue]:
    network = topology.sync.network
    master, backup = (firewall.addresses[network] for firewall in topology.firewalls.values())
    rule = deciding_rule(topology, network, protocol, master, backup, port)
    if rule is not None and rule.action == "pass":
        return
    seen = NO_RULE
    path: tuple[str | int, ...] = ("rules",)
    if rule is not None:
        number = topology.rules.index(rule)
        seen, path = BLOCKING_RULE.format(number=number + 1, action=rule.action), ("rules", number)
    yield Issue(path, summary.format(network=network), expected.format(network=network), seen)


def _swallows(earlier: Rule, later: Rule) -> bool:
    """Whether everything the later rule matches is matched by the earlier one. Careful: unsure is no."""
    return (
        earlier.on == later.on
        and earlier.protocol in (ANYWHERE, later.protocol)
        and earlier.source in (ANYWHERE, later.source)
        and earlier.destination in (ANYWHERE, later.destination)
        and earlier.port in (None, later.port)
    )

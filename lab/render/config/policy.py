"""`<filter>` and `<nat>`."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from lxml import etree

from lab.render.config.tree import branch, flags, leaf
from lab.topology.endpoint import parse_endpoint
from lab.topology.model import NetworkRole, Port, Rule
from lab.topology.plan import Plan, interface_keys
from lab.topology.stage import Stage

FIRST_TRACKER = 1700000001
"""Trackers are ten digits and unique; the GUI takes the time of day, a lab counts."""

DEFAULT_LAN_TRACKER = "0100000101"
DEFAULT_LAN_RULE = "Default allow LAN to any rule"
NAT_RULE = "{network} to the internet by the WAN's CARP address"


def filter_rules(plan: Plan, stage: Stage) -> etree._Element:
    """Before RULES only the rule pfSense ships with (LAN to any); from RULES on the topology's rules and nothing else."""
    if not stage.reaches(Stage.RULES):
        return branch("filter", _default_lan_rule())
    keys = interface_keys(plan.topology)
    rules = plan.topology.rules
    return branch("filter", *(_rule(rule, keys, FIRST_TRACKER + number) for number, rule in enumerate(rules)))


def nat(plan: Plan, stage: Stage) -> etree._Element:
    """Outbound NAT: automatic, or at RULES manual rules to the WAN's CARP address.

    Manual rules name the inside networks one by one and never `any` or the firewall itself: translating a backup's own
    traffic to an address it does not hold would cut it off.
    """
    address = plan.nat_address
    if address is None or not stage.reaches(Stage.RULES):
        return branch("nat", branch("outbound", leaf("mode", "automatic")))
    inside = [
        _outbound_rule(name, network.subnet, address)
        for name, network in plan.topology.networks.items()
        if network.role is NetworkRole.INSIDE
    ]
    return branch("nat", branch("outbound", leaf("mode", "advanced"), *inside))


def _default_lan_rule() -> etree._Element:
    return branch(
        "rule",
        leaf("type", "pass"),
        leaf("ipprotocol", "inet"),
        leaf("descr", DEFAULT_LAN_RULE),
        leaf("interface", "lan"),
        leaf("tracker", DEFAULT_LAN_TRACKER),
        branch("source", leaf("network", "lan")),
        branch("destination", *flags("any")),
    )


def _rule(rule: Rule, keys: dict[str, str], tracker: int) -> etree._Element:
    protocol = [] if rule.protocol == "any" else [leaf("protocol", rule.protocol)]
    return branch(
        "rule",
        leaf("tracker", tracker),
        leaf("type", rule.action),
        leaf("interface", keys[rule.on]),
        leaf("ipprotocol", "inet"),
        leaf("statetype", "keep state"),
        *protocol,
        branch("source", *_endpoint(rule.source, keys)),
        branch("destination", *_endpoint(rule.destination, keys, rule.port)),
        leaf("descr", rule.descr),
    )


def _endpoint(text: str, keys: dict[str, str], port: Port | None = None) -> list[etree._Element]:
    """Address kind, then `not`, then port: the order of pfSense's pconfig_to_address."""
    endpoint = parse_endpoint(text, keys)
    match endpoint.kind:
        case "any":
            found = flags("any")
        case "firewall":
            found = [leaf("network", "(self)")]
        case "network":
            found = [leaf("network", keys[endpoint.name])]
        case "address":
            found = [leaf("address", endpoint.name)]
    if endpoint.negated:
        found += flags("not")
    if port is not None:
        found.append(leaf("port", port))
    return found


def _outbound_rule(name: str, subnet: IPv4Network, address: IPv4Address) -> etree._Element:
    return branch(
        "rule",
        branch("source", leaf("network", subnet)),
        leaf("sourceport"),
        leaf("descr", NAT_RULE.format(network=name.upper())),
        leaf("target", address),
        leaf("targetip"),
        leaf("targetip_subnet"),
        leaf("interface", "wan"),
        leaf("poolopts"),
        leaf("source_hash_key"),
        branch("destination", *flags("any")),
    )

"""`<filter>` and `<aliases>`."""

from __future__ import annotations

from collections.abc import Iterator

from lab.config.check.defect import Defect
from lab.config.check.node import Config, Node
from lab.config.check.values import ALIAS_NAME, is_address, is_network, is_port, listed, repeated, word

ACTIONS = ("pass", "block", "reject", "match")
FAMILIES = ("inet", "inet6", "inet46")
STATES = ("keep state", "sloppy state", "synproxy state", "modulate state", "none")
DIRECTIONS = ("any", "in", "out")
PROTOCOLS = frozenset(
    """any tcp udp tcp/udp icmp esp ah gre etherip ipv6 igmp pim ospf sctp carp pfsync ipv6-icmp vrrp""".split()  # noqa: SIM905
)
WITH_PORTS = ("tcp", "udp", "tcp/udp")
VIRTUAL = ("any", "openvpn", "enc0", "ipsec", "l2tp", "pppoe", "wireguard", "lo0")
"""Interfaces of a rule that stand in no `<interfaces>`."""

SPECIAL = ("(self)", "any", "pppoe", "l2tp", "openvpn", "pptp")
"""Words a `<network>` may hold beside interfaces (firewall_rules_edit.php)."""

KINDS = ("host", "network", "port", "url", "url_ports", "urltable", "urltable_ports")
UNKNOWN_INTERFACE = "names no interface"
BAD_WORD = "is none of the words pfSense knows"
HINT_CASE = "pfSense writes them in lower case"
NO_SIDE = "any, network or address"
TWO_KINDS = "says more than one thing"
ONE_KIND = "one of any, network, address"
NOTHING = "matches nothing that is said"
HINT_NOTHING = "pfSense would write a comment into its rules instead of a rule"
UNKNOWN_NETWORK = "is neither an interface nor one of pfSense's words"
HINT_NETWORK = "an address, a network in figures or an alias stands in <address>"
NO_ADDRESS = "is neither an address, a network nor an alias of this file"
ADDRESS = "10.0.0.1, 10.0.0.0/24, or an alias"
NO_PORT = "is neither a port, a range nor an alias of this file"
PORT = "443, 8000-8010, or an alias"
NO_PROTOCOL_FOR_PORT = "has a port, but the rule's protocol has none"
HINT_PORT = "pf takes ports with tcp and udp alone"
UNKNOWN_GATEWAY = "is no gateway"
UNKNOWN_SCHEDULE = "is no schedule"
BAD_TRACKER = "is no tracker"
TRACKER = "a decimal number, ten digits as pfSense gives them"
TAKEN = "is taken twice"
FREE = "a value of its own"
FIRST = "also in line {line}"
BAD_ALIAS = "is no name for an alias"
ALIAS = "up to 31 letters, digits and underscores"
LARGEST_TRACKER = (1 << 32) - 1


def rules(config: Config) -> Iterator[Defect]:
    """Every rule, disabled ones too: they are one click from being obeyed."""
    for rule in config.root.all_at("filter/rule"):
        if rule.is_section:
            yield from _rule(config, rule)


def trackers(config: Config) -> Iterator[Defect]:
    """A number, and one for each rule: pf's counters and logs know a rule by it."""
    found = config.root.all_at("filter/rule")
    for rule in found:
        node = rule.child("tracker")
        if rule.is_section and not (node and node.value):
            yield rule.lacks("tracker", TRACKER)
        elif node:
            good = node.value.isascii() and node.value.isdigit() and 0 < int(node.value) <= LARGEST_TRACKER
            if not good:
                yield node.defect(BAD_TRACKER, TRACKER)
    for later, first in repeated(found, "tracker"):
        yield later.defect(TAKEN, FREE, f"{later.value}, {FIRST.format(line=first.line)}")


def aliases(config: Config) -> Iterator[Defect]:
    """Names that pf takes for a table, each once."""
    found = config.root.all_at("aliases/alias")
    for alias in found:
        name = alias.child("name")
        if name is None or not name.value:
            yield alias.lacks("name", ALIAS)
        elif not ALIAS_NAME.match(name.value):
            yield name.defect(BAD_ALIAS, ALIAS)
        yield from word(alias, "type", KINDS)
    for later, first in repeated(found, "name"):
        yield later.defect(TAKEN, FREE, f"{later.value}, {FIRST.format(line=first.line)}")


def side(config: Config, rule: Node, tag: str) -> Iterator[Defect]:
    """`<source>` or `<destination>` of a rule: one kind of address, and perhaps a port."""
    node = rule.child(tag)
    if node is None:
        yield rule.lacks(tag, NO_SIDE)
        return
    kinds = [each for each in node.nodes if each.tag in ("any", "network", "address")]
    if len(kinds) > 1:
        yield node.defect(TWO_KINDS, ONE_KIND, ", ".join(each.tag for each in kinds))
    elif not kinds and not node.has("port"):
        yield node.defect(NOTHING, ONE_KIND, hint=HINT_NOTHING)
    network, address, port = node.child("network"), node.child("address"), node.child("port")
    if network and not is_special(config, network.value):
        yield network.defect(UNKNOWN_NETWORK, listed((*config.interfaces, *SPECIAL)), hint=HINT_NETWORK)
    if address and not is_target(config, address.value):
        yield address.defect(NO_ADDRESS, ADDRESS)
    if port and port.value and not (is_port(port.value) or port.value in (*config.aliases, "any")):
        yield port.defect(NO_PORT, PORT)
    elif port and port.value and port.value != "any" and rule.text("protocol").lower() not in WITH_PORTS:
        yield port.defect(NO_PROTOCOL_FOR_PORT, listed(WITH_PORTS), hint=HINT_PORT)


def is_special(config: Config, text: str) -> bool:
    """An interface, its address (`lanip`), a group or one of pfSense's words."""
    return text in SPECIAL or text in config.interface_groups or text.removesuffix("ip") in config.interfaces


def is_target(config: Config, text: str) -> bool:
    return is_address(text) or is_network(text) or text in config.aliases


def _rule(config: Config, rule: Node) -> Iterator[Defect]:
    # The rule that a port forward brings along has no type, which counts as pass.
    yield from word(rule, "type", ACTIONS, required=not rule.has("associated-rule-id"))
    yield from word(rule, "ipprotocol", FAMILIES)
    yield from word(rule, "protocol", PROTOCOLS, hint=HINT_CASE)
    yield from word(rule, "statetype", STATES)
    yield from word(rule, "direction", DIRECTIONS)
    yield from on_interfaces(config, rule, floating=rule.has("floating"))
    for tag in ("source", "destination"):
        yield from side(config, rule, tag)
    gateway = rule.child("gateway")
    if gateway and gateway.value and gateway.value not in config.gateways:
        yield gateway.defect(UNKNOWN_GATEWAY, listed(sorted(config.gateways)))
    schedule = rule.child("sched")
    known = {node.text("name") for node in config.root.all_at("schedules/schedule")}
    if schedule and schedule.value and schedule.value not in known:
        yield schedule.defect(UNKNOWN_SCHEDULE, listed(sorted(known)))


def on_interfaces(config: Config, rule: Node, floating: bool = False) -> Iterator[Defect]:
    """The interface of a rule, several with commas in a floating one."""
    node = rule.child("interface")
    keys = listed(config.interfaces)
    if node is None or not node.value:
        if not floating:
            yield rule.lacks("interface", keys)
        return
    known = {*config.interfaces, *config.interface_groups, *VIRTUAL}
    for name in node.value.split(",") if floating else [node.value]:
        if name.strip() not in known:
            yield node.defect(UNKNOWN_INTERFACE, keys)

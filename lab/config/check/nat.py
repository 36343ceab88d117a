"""`<nat>`."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from lab.config.check.defect import Defect
from lab.config.check.node import Config, Node, vip_network
from lab.config.check.policy import is_special, is_target, on_interfaces, side
from lab.config.check.values import is_address, is_network, is_port, listed, word

MODES = ("automatic", "hybrid", "advanced", "disabled")
PROTOCOLS = [
    "any",
    "tcp",
    "udp",
    "tcp/udp",
    "icmp",
    "esp",
    "ah",
    "gre",
    "ipv6",
    "igmp",
    "pim",
    "ospf",
    "carp",
    "pfsync",
]
BAD_NETWORK = "is neither a network nor a word or alias of this file"
NETWORK = "10.0.0.0/24, an interface, an alias, any or (self)"
OTHER = "other-subnet"
BAD_TARGET = "is neither an address nor an alias of this file"
TARGET = "empty (the interface's address), an address, an alias, or other-subnet"
NOT_OURS = "is no address of this firewall"
HINT_NOT_OURS = "the answers would go to another machine: give a virtual IP or an interface's address"
BAD_PORT = "is neither a port, a range nor an alias of this file"
PORT = "443, 8000-8010, or an alias"


def outbound(config: Config) -> Iterator[Defect]:
    """The mode, and each rule of the manual modes."""
    section = config.root.at("nat/outbound")
    if section is None:
        return
    yield from word(section, "mode", MODES)
    for rule in section.children("rule"):
        if rule.is_section:
            yield from _rule(config, rule)


def forwards(config: Config) -> Iterator[Defect]:
    """Port forwards."""
    for rule in config.root.all_at("nat/rule"):
        if not rule.is_section:
            continue
        yield from on_interfaces(config, rule)
        yield from word(rule, "protocol", PROTOCOLS)
        yield from side(config, rule, "source")
        yield from side(config, rule, "destination")
        target, port = rule.child("target"), rule.child("local-port")
        if (target is None or not target.value) and not rule.has("nordr"):
            yield rule.lacks("target", "an address behind the firewall")
        elif target and target.value and not (is_target(config, target.value) or is_special(config, target.value)):
            yield target.defect(BAD_TARGET, "an address behind the firewall, or an alias")
        yield from _port(config, port)


def _rule(config: Config, rule: Node) -> Iterator[Defect]:
    yield from on_interfaces(config, rule)
    yield from word(rule, "protocol", PROTOCOLS)
    source = rule.at("source/network")
    if source is None or not source.value:
        holder = rule.child("source")
        yield holder.lacks("network", NETWORK) if holder else rule.lacks("source", NETWORK)
    elif not (is_special(config, source.value) or is_target(config, source.value)):
        yield source.defect(BAD_NETWORK, NETWORK)
    for tag in ("sourceport", "dstport", "natport"):
        yield from _port(config, rule.child(tag))
    target = rule.child("target")
    if target is None or not target.value or target.value.startswith(OTHER):
        return
    if not is_target(config, target.value):
        yield target.defect(BAD_TARGET, TARGET)
    elif is_address(target.value) and not is_network(target.value):
        own = {*config.own_addresses, *(vip.text("subnet") for vip in config.vips)}
        if target.value not in own and not _in_a_pool(config, target.value) and not _outside(config, rule):
            yield target.defect(NOT_OURS, listed(sorted(own)), hint=HINT_NOT_OURS)


def _in_a_pool(config: Config, address: str) -> bool:
    """A virtual IP may be a whole network."""
    pools = [vip_network(vip) for vip in config.vips if vip.text("type") == "network"]
    return any(pool is not None and ip_address(address) in pool.network for pool in pools)


def _outside(config: Config, rule: Node) -> bool:
    """An interface whose address is not in the file: it may be anything."""
    node = config.interfaces.get(rule.text("interface"))
    return (
        node is not None
        and not is_address(node.text("ipaddr"))
        and not any(vip.text("interface") == rule.text("interface") for vip in config.vips)
    )


def _port(config: Config, node: Node | None) -> Iterator[Defect]:
    if node and node.value and not (is_port(node.value) or node.value in (*config.aliases, "any")):
        yield node.defect(BAD_PORT, PORT)

"""`<nat>`: outbound translation and port forwards as lines of two nft chains."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from standin.match import (
    LOOPBACK,
    Names,
    Unmatchable,
    address_match,
    device_match,
    port_match,
    protocol_match,
    quoted,
)
from standin.settings import Interface, OutboundRule, PortForward
from standin.user_rules import PORT_PROTOCOLS, port_parts

# pf rewrites source ports into this range unless the rule keeps them ("static port").
PORT_RANGE = ":1024-65535"
PORTS = "meta l4proto { tcp, udp }"
IKE = 500


def outbound_lines(names: Names) -> list[str]:
    """Lines of the postrouting chain, in the order in which pfSense tries them: user rules, then automatic ones."""
    outbound = names.settings.outbound
    lines: list[str] = []
    if outbound.mode in ("hybrid", "advanced"):
        for rule in outbound.rules:
            lines += _outbound_rule(rule, names)
    if outbound.mode in ("automatic", "hybrid"):
        for interface in names.settings.enabled:
            lines += _automatic(interface, names)
    return lines


def forward_lines(names: Names) -> list[str]:
    """Lines of the prerouting chain."""
    return [line for rule in names.settings.forwards for line in _forward(rule, names)]


def forward_passes(names: Names) -> list[str]:
    """Filter lines for port forwards that pass by themselves (no filter rule of their own)."""
    return [line for rule in names.settings.forwards if rule.passes for line in _forward_pass(rule, names)]


def _forward_pass(rule: PortForward, names: Names) -> list[str]:
    """None where the forward itself is left out; the chain of forwards says why."""
    forward = _forward(rule, names)[0]
    if rule.no_rdr or forward.startswith("#"):
        return []
    target = address_match("daddr", names.hosts(rule.target), False)
    return [_line("ct status dnat", protocol_match(rule.protocol, ()), target, "return")]


def local_networks(names: Names) -> list[IPv4Network]:
    """What automatic NAT translates: loopback, every network without a gateway, static routes behind those."""
    settings, facts = names.settings, names.facts
    inside = {each.key for each in settings.enabled if not each.has_gateway}
    nets = [LOOPBACK, *(facts.addresses[key].network for key in inside if key in facts.addresses)]
    inner_gateways = {each.name for each in settings.gateways if each.interface in inside}
    return nets + [route.network for route in settings.routes if route.gateway in inner_gateways]


def _automatic(interface: Interface, names: Names) -> list[str]:
    address = names.facts.addresses.get(interface.key)
    if not interface.has_gateway:
        return []
    if address is None:
        return [f"# {interface.key} has no address yet: nothing to translate to"]
    front = f"{device_match('oifname', [interface.nic])} {address_match('saddr', local_networks(names), False)}"
    label = f"comment {quoted(f'automatic: local networks to {interface.descr}')}"
    return [
        f"{front} {PORTS} th dport {IKE} snat ip to {address.ip} {label}",
        f"{front} {PORTS} snat ip to {address.ip}{PORT_RANGE} {label}",
        f"{front} snat ip to {address.ip} {label}",
    ]


def _outbound_rule(rule: OutboundRule, names: Names) -> list[str]:
    label = " ".join((rule.descr or "outbound rule").split())
    try:
        interface = _in_force(rule, names)
        parts = [device_match("oifname", [interface.nic])]
        parts.append(address_match("saddr", names.anything(rule.source), rule.source_negated))
        parts.append(address_match("daddr", _destination(rule, names), rule.destination.negated))
        ports = _outbound_ports(rule, names)
        protocol = protocol_match(rule.protocol, ())
        target = "" if rule.no_nat else _target(rule, names)
        range_ = _port_range(rule, names)
    except Unmatchable as why:
        return [f"# outbound rule left out: {label}: {why}"]
    comment = f"comment {quoted(f'outbound: {rule.descr}')}"
    if rule.no_nat:
        return [_line(*parts, protocol or (PORTS if ports else ""), *ports, "accept", comment)]
    lines = []
    if rule.protocol in ("", "any", *PORT_PROTOCOLS):
        lines.append(_line(*parts, protocol or PORTS, *ports, f"snat ip to {target}{range_}", comment))
    if rule.protocol not in PORT_PROTOCOLS and not ports:
        lines.append(_line(*parts, protocol, f"snat ip to {target}", comment))
    return lines


def _destination(rule: OutboundRule, names: Names) -> list[IPv4Network] | None:
    end = rule.destination
    return names.anything(end.network or end.address)


def _outbound_ports(rule: OutboundRule, names: Names) -> list[str]:
    parts = [port_match("sport", names.ports(rule.source_port))] if rule.source_port else []
    port = rule.destination.port
    return parts + ([port_match("dport", names.ports(port))] if port else [])


def _port_range(rule: OutboundRule, names: Names) -> str:
    """What stands behind the address: the rule's own ports, none where it keeps the source port, else pf's range."""
    if rule.nat_port:
        ((first, last), *_) = names.ports(rule.nat_port)
        return f":{first}" if first == last else f":{first}-{last}"
    return "" if rule.static_port else PORT_RANGE


def _target(rule: OutboundRule, names: Names) -> str:
    """The address to translate to: the interface's own unless the rule names another, or a subnet as a range."""
    if rule.target in ("", "(self)") or rule.target == f"{rule.interface}ip":
        address = names.facts.addresses.get(rule.interface)
        if address is None:
            raise Unmatchable(f"{rule.interface} has no address yet")
        return str(address.ip)
    networks = names.hosts(rule.target)
    if len(networks) != 1:
        raise Unmatchable(f"target {rule.target} is not one address")
    first, last = networks[0][0], networks[0][-1]
    return str(first) if first == last else f"{first}-{last}"


def _in_force(rule: OutboundRule | PortForward, names: Names) -> Interface:
    """The interface of a rule that counts. Raises Unmatchable with the reason why it does not."""
    if rule.disabled:
        raise Unmatchable("disabled")
    interface = names.settings.interface(rule.interface)
    if interface is None or not interface.enabled:
        raise Unmatchable(f"{rule.interface} is not an enabled interface")
    return interface


def _forward(rule: PortForward, names: Names) -> list[str]:
    label = " ".join((rule.descr or "port forward").split())
    try:
        interface = _in_force(rule, names)
        parts = [device_match("iifname", [interface.nic]), protocol_match(rule.protocol, ())]
        parts.append(address_match("saddr", names.endpoint_networks(rule.source), rule.source.negated))
        parts.append(address_match("daddr", names.endpoint_networks(rule.destination), rule.destination.negated))
        if rule.protocol in PORT_PROTOCOLS:
            parts += port_parts(rule.source, rule.destination, names)
        verdict = "accept" if rule.no_rdr else f"dnat ip to {_forward_target(rule, names)}"
    except Unmatchable as why:
        return [f"# port forward left out: {label}: {why}"]
    return [_line(*parts, verdict, f"comment {quoted(f'forward: {rule.descr}')}")]


def _line(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _forward_target(rule: PortForward, names: Names) -> IPv4Address | str:
    networks = names.hosts(rule.target)
    if len(networks) != 1 or networks[0].prefixlen != 32:
        raise Unmatchable(f"target {rule.target} is not one host")
    host = IPv4Interface(networks[0]).ip
    if rule.protocol not in PORT_PROTOCOLS or not rule.local_port:
        return host
    outside, inside = names.ports(rule.destination.port or rule.local_port), names.ports(rule.local_port)
    if len(outside) != 1 or len(inside) != 1:
        raise Unmatchable("a forward of several separate ports is not offered here")
    if outside[0][0] == inside[0][0]:
        return host
    if outside[0][0] != outside[0][1]:
        raise Unmatchable("a range of ports forwarded to another range is not offered here")
    return f"{host}:{inside[0][0]}"

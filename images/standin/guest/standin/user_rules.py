"""User rules of `<filter>` as lines of nft chains.

A chain says "pass" by `return` (the base chain then opens a state), "block" by `drop`. A floating rule without quick
only leaves its verdict in the packet's mark; the last such rule counts, unless a quick one decides.
"""

from __future__ import annotations

from collections.abc import Sequence

from standin.match import Names, Unmatchable, address_match, device_match, port_match, protocol_match, quoted
from standin.settings import Endpoint, Rule

MARKS = {"pass": 1, "block": 2, "reject": 3}
STATE_PROTOCOLS = ("", "any", "pfsync")
PORT_PROTOCOLS = ("tcp", "udp", "tcp/udp")


def rule_lines(rule: Rule, names: Names, devices: str = "", states: bool = False) -> list[str]:
    """Lines of one rule, or one comment line that says why it matches nothing.

    devices: match expression put in front. states: the chain judges state-sync packets, where `pfsync` is the protocol and
    ports do not exist.
    """
    label = f"{rule.descr or 'no description'} ({rule.tracker or 'no tracker'})"
    try:
        reason = _left_out(rule, states)
        if reason:
            raise Unmatchable(reason)
        match = _match(rule, names, states)
    except Unmatchable as why:
        return [f"# {rule.action} rule left out: {_one_line(label)}: {why}"]
    parts = [devices, *match, "counter"]
    if rule.log:
        parts.append(f"log prefix {quoted(f'rule {rule.tracker} {rule.action} ')} level info")
    comment = f"comment {quoted(f'USER_RULE: {rule.descr} id:{rule.tracker}')}"
    front = " ".join(part for part in parts if part)
    return [f"{each} {comment}".strip() for each in _verdicts(rule, front)]


def floating_devices(rule: Rule, nics: Sequence[str], direction: str) -> str:
    """A floating rule without interfaces stands on all of them."""
    return device_match(direction, nics) if nics else ""


def _left_out(rule: Rule, states: bool) -> str:
    if rule.disabled:
        return "disabled"
    if rule.action == "match":
        return "a match rule decides nothing"
    if rule.ipprotocol == "inet6":
        return "IPv6 is off here"
    if states and rule.protocol not in STATE_PROTOCOLS:
        return f"{rule.protocol} is not pfsync"
    if not states and rule.protocol == "pfsync":
        return "pfsync; see chain states"
    return ""


def _match(rule: Rule, names: Names, states: bool) -> list[str]:
    source, destination = rule.source, rule.destination
    parts = [] if states else [protocol_match(rule.protocol, rule.icmptypes)]
    parts.append(address_match("saddr", names.endpoint_networks(source), source.negated))
    parts.append(address_match("daddr", names.endpoint_networks(destination), destination.negated))
    if rule.protocol in PORT_PROTOCOLS:
        parts += port_parts(source, destination, names)
    return parts


def port_parts(source: Endpoint, destination: Endpoint, names: Names) -> list[str]:
    parts = [port_match("sport", names.ports(source.port))] if source.port not in ("", "any") else []
    return parts + ([port_match("dport", names.ports(destination.port))] if destination.port not in ("", "any") else [])


def _verdicts(rule: Rule, front: str) -> list[str]:
    if not rule.quick:
        return [f"{front} meta mark set {MARKS[rule.action]}"]
    if rule.action == "pass":
        return [f"{front} return"]
    if rule.action == "block":
        return [f"{front} drop"]
    return [f"{front} goto refuse"]


def _one_line(text: str) -> str:
    return " ".join(text.split())

"""`<dhcpd>` and `<cron>`."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from lab.config.check.defect import Defect
from lab.config.check.node import Config, Node, interface_network
from lab.config.check.values import ADDRESS, NO_IPV4, is_ipv4, listed

UNKNOWN_INTERFACE = "is no interface"
NO_STATIC = "serves on an interface without a static address"
OWN_ADDRESS = "is this node's own address"
OUTSIDE = "is not in the interface's network"
BACKWARDS = "ends before it begins"
JOB_FIELDS = ("minute", "hour", "mday", "month", "wday", "who", "command")


def dhcp_servers(config: Config) -> Iterator[Defect]:
    """A server that is on has an interface with a static address, and a range in its network."""
    section = config.root.child("dhcpd")
    for server in section.nodes if section else ():
        interface = config.interfaces.get(server.tag)
        if not server.has("enable"):
            continue
        if interface is None:
            yield server.defect(UNKNOWN_INTERFACE, listed(config.interfaces), server.tag)
            continue
        own = interface_network(interface)
        if own is None:
            yield server.defect(NO_STATIC, "an interface with a static address", interface.text("ipaddr"))
            continue
        ends = [server.at("range/from"), server.at("range/to")]
        for node in ends:
            if node and node.value and not is_ipv4(node.value):
                yield node.defect(NO_IPV4, ADDRESS)
            elif node and node.value and IPv4Address(node.value) not in own.network:
                yield node.defect(OUTSIDE, f"an address in {own.network}")
        yield from _order(*ends)
        for node in (*server.children("gateway"), *server.children("dnsserver"), *server.children("failover_peerip")):
            if node.value and node.value != "none" and not is_ipv4(node.value):
                yield node.defect(NO_IPV4, ADDRESS)
        peer = server.child("failover_peerip")
        if peer and peer.value == str(own.ip):
            yield peer.defect(OWN_ADDRESS, "the other node's address")


def jobs(config: Config) -> Iterator[Defect]:
    """A job without a command, or without a time, would be a broken line in crontab."""
    for job in config.root.all_at("cron/item"):
        for tag in JOB_FIELDS:
            if job.is_section and not job.text(tag):
                yield job.lacks(tag)


def _order(first: Node | None, last: Node | None) -> Iterator[Defect]:
    readable = first and last and is_ipv4(first.value) and is_ipv4(last.value)
    if readable and first and last and IPv4Address(last.value) < IPv4Address(first.value):
        yield last.defect(BACKWARDS, f"{first.value} or above")

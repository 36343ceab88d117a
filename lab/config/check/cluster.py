"""`<virtualip>` and `<hasync>`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lab.config.check.defect import Defect
from lab.config.check.node import Config, Node, interface_network, vip_network
from lab.config.check.values import ADDRESS, NO_ADDRESS, NO_IPV4, is_address, is_ipv4, listed, number, word

MODES = ("carp", "ipalias", "proxyarp", "other")
TYPES = ("single", "network")
KEY_BYTES = 19
"""The kernel's key has 20 bytes, and ifconfig keeps one for its end mark (FreeBSD ip_carp.h, sbin/ifconfig/carp.c)."""

UNKNOWN_PARENT = "is no interface"
NOT_ENABLED = "is not enabled: pfSense would skip this address"
PARENT_WITHOUT_ADDRESS = "has no address of its own, so it cannot carry this one"
NO_LOOPBACK = "cannot carry CARP"
NO_CARP_ON_CARP = "is a CARP address: only an ipalias may stand on one"
PASSWORD = "a password that both nodes share"
HINT_PASSWORD = "adverts are signed with it: without the same one on both nodes both are master"
TOO_LONG = "is longer than the kernel's key"
AT_MOST = "{bytes} bytes at most"
HINT_TOO_LONG = "what comes after is cut off: it makes nothing safer"
UNUSABLE = "is the network's or the broadcast address"
USABLE = "an address of a host in {network}"
OUTSIDE = "is in no network of its interface"
HINT_OUTSIDE = "the other machines of that network could not reach it"
OTHER_MASK = "is not its interface's prefix length"
HINT_MASK = "a CARP address wants its network's real mask, not /32"
TAKEN = "is taken twice"
FREE = "a value of its own"
FIRST = "also in line {line}"
VHID_TAKEN = "is already in use on interface {interface}"
IDENTIFIER = "a name of its own, such as uniqid() gives: 13 hexadecimal digits"
BAD_IDENTIFIER = "is no identifier"
HOST_ID = "1 to 8 hexadecimal digits, not zero"
BAD_HOST_ID = "is no host id"
OWN_ADDRESS = "is this node's own address"
PEER = "the other node's address"
SYNC_PASSWORD = "the other node's password, in clear text"
HINT_LOOP = "a node that synchronises to itself calls itself without end"

_IDENTIFIER = re.compile(r"^[A-Za-z0-9.]+$")
_HOST_ID = re.compile(r"^(?=.*[1-9a-fA-F])[0-9a-fA-F]{1,8}$")


def virtual_ips(config: Config) -> Iterator[Defect]:
    """Each field as the page would have stored it."""
    for vip in config.vips:
        mode = vip.text("mode")
        yield from word(vip, "mode", MODES, required=True)
        yield from word(vip, "type", TYPES, required=True)
        yield from _address(config, vip)
        yield from _parent(config, vip, mode)
        if mode == "carp":
            yield from _carp(vip)
        if mode in ("carp", "ipalias"):
            yield from _identifier(vip)


def numbers_taken_twice(config: Config) -> Iterator[Defect]:
    """A VHID once on an interface, an identifier once in the file."""
    seen: dict[tuple[str, str], Node] = {}
    for vip in config.vips:
        pairs = ((vip.text("interface"), "vhid"), ("", "uniqid"))
        for scope, tag in pairs:
            node = vip.child(tag)
            if node is None or not node.value or (tag == "vhid" and vip.text("mode") != "carp"):
                continue
            value = str(int(node.value)) if node.value.isdigit() and tag == "vhid" else node.value
            first = seen.setdefault((scope + tag, value), node)
            if first is not node:
                said = VHID_TAKEN.format(interface=scope) if tag == "vhid" else TAKEN
                yield node.defect(said, FREE, f"{node.value}, {FIRST.format(line=first.line)}")


def sync(config: Config) -> Iterator[Defect]:
    """State sync and configuration sync."""
    section = config.root.child("hasync")
    if section is None:
        return
    interface, peer = section.child("pfsyncinterface"), section.child("pfsyncpeerip")
    keys = listed(config.interfaces)
    if interface and interface.value and interface.value not in config.interfaces and interface.value != "lo0":
        yield interface.defect(UNKNOWN_PARENT, keys)
    elif section.has("pfsyncenabled") and not (interface and interface.value):
        yield section.lacks("pfsyncinterface", keys)
    if peer and peer.value:
        yield from _far(config, peer, is_ipv4(peer.value), NO_IPV4, "")
    host_id = section.child("pfhostid")
    if host_id and host_id.value and not _HOST_ID.match(host_id.value):
        yield host_id.defect(BAD_HOST_ID, HOST_ID)
    target = section.child("synchronizetoip")
    if target and target.value:
        yield from _far(config, target, is_address(target.value), NO_ADDRESS, HINT_LOOP)
        if not section.text("password"):
            yield section.lacks("password", SYNC_PASSWORD)


def _far(config: Config, node: Node, well_formed: bool, summary: str, hint: str) -> Iterator[Defect]:
    if not well_formed:
        yield node.defect(summary, ADDRESS)
    elif node.value in config.own_addresses:
        yield node.defect(OWN_ADDRESS, PEER, hint=hint)


def _carp(vip: Node) -> Iterator[Defect]:
    yield from number(vip, "vhid", 1, 255, required=True)
    yield from number(vip, "advbase", 1, 254, required=True)
    yield from number(vip, "advskew", 0, 254, required=True)
    password = vip.child("password")
    if password is None or not password.value:
        yield vip.lacks("password", PASSWORD, HINT_PASSWORD)
    elif len(password.value.replace(" ", "").encode()) > KEY_BYTES:
        yield password.quiet_warning(TOO_LONG, AT_MOST.format(bytes=KEY_BYTES), HINT_TOO_LONG)


def _identifier(vip: Node) -> Iterator[Defect]:
    node = vip.child("uniqid")
    if node is None or not node.value:
        yield vip.lacks("uniqid", IDENTIFIER)
    elif not _IDENTIFIER.match(node.value):
        yield node.defect(BAD_IDENTIFIER, IDENTIFIER)


def _address(config: Config, vip: Node) -> Iterator[Defect]:
    node = vip.child("subnet")
    if node is None or not node.value:
        yield vip.lacks("subnet", ADDRESS)
        return
    if not is_address(node.value):
        yield node.defect(NO_ADDRESS, ADDRESS)
        return
    yield from number(vip, "subnet_bits", 1, 128 if ":" in node.value else 32, required=True)
    found = vip_network(vip)
    parent = config.interfaces.get(vip.text("interface"))
    if found is None or ":" in node.value or vip.text("mode") not in ("carp", "ipalias"):
        return
    edge = (found.network.network_address, found.network.broadcast_address)
    if found.network.prefixlen < 31 and found.ip in edge:
        yield node.defect(UNUSABLE, USABLE.format(network=found.network))
    own = interface_network(parent) if parent else None
    if own and vip.text("mode") == "carp":
        bits = vip.child("subnet_bits")
        others = [
            there
            for other in config.vips
            if other.text("mode") == "ipalias" and other.text("interface") == vip.text("interface")
            if (there := vip_network(other))
        ]
        if not any(found.ip in each.network for each in (own, *others)):
            yield node.warning(OUTSIDE, USABLE.format(network=own.network), HINT_OUTSIDE)
        elif bits and found.ip in own.network and found.network.prefixlen != own.network.prefixlen:
            yield bits.warning(OTHER_MASK, str(own.network.prefixlen), HINT_MASK)


def _parent(config: Config, vip: Node, mode: str) -> Iterator[Defect]:
    node = vip.child("interface")
    keys = listed(config.interfaces)
    if node is None or not node.value:
        yield vip.lacks("interface", keys)
    elif node.value.startswith("_vip"):
        if mode != "ipalias":
            yield node.defect(NO_CARP_ON_CARP, keys)
        elif node.value not in config.vip_names:
            yield node.defect(UNKNOWN_PARENT, listed(sorted(config.vip_names)))
    elif node.value == "lo0":
        if mode != "ipalias":
            yield node.defect(NO_LOOPBACK, keys)
    elif node.value not in config.interfaces:
        yield node.defect(UNKNOWN_PARENT, keys)
    else:
        parent = config.interfaces[node.value]
        if not (parent.text("ipaddr") or parent.text("ipaddrv6")):
            yield node.defect(PARENT_WITHOUT_ADDRESS, "an interface with an address")
        elif not parent.has("enable"):
            yield node.warning(NOT_ENABLED, "an enabled interface")

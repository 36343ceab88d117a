"""`<interfaces>`, `<gateways>` and `<staticroutes>`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address

from lab.config.check.defect import Defect
from lab.config.check.node import Config, Node, interface_network, vip_network
from lab.config.check.values import (
    ADDRESS,
    NETWORK,
    NO_ADDRESS,
    NO_NETWORK,
    is_address,
    is_ipv4,
    is_network,
    listed,
    number,
    repeated,
    word,
)
from lab.config.reserved import is_reserved

KINDS = ("dhcp", "pppoe", "ppp", "pptp", "l2tp")
"""What `<ipaddr>` may say instead of an address."""

MAC = re.compile(r"^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$")
BAD_MAC = "is no hardware address"
KEY = re.compile(r"^(wan|lan|opt[1-9]\d*)$")
BAD_KEY = "is no interface key"
KEYS = "wan, lan, opt1, opt2, …"
NO_WAN = "pfSense always has a WAN"
DEVICE = "the name of a card, such as vtnet0"
BAD_KIND = "is neither an IPv4 address nor a kind of address"
BITS = "a prefix length from 1 to 32"
BITS_WITH_ADDRESS = "a static address needs its prefix length"
UNUSABLE = "is the network's or the broadcast address"
USABLE = "an address of a host in {network}"
TAKEN = "is taken twice"
FREE = "a value of its own"
FIRST = "also in line {line}: {path}"
OVERLAPS = "its network overlaps another interface's"
UNKNOWN_GATEWAY = "is no gateway"
UNKNOWN_INTERFACE = "is no interface"
NOT_ON_LINK = "is not in its interface's network"
HINT_ON_LINK = "pfSense sets such a route only with `nonlocalgateway`"
DYNAMIC = ("dynamic", "dynamic6")
NO_DEFAULT = ("", "-")
DESCR = re.compile(r"^[A-Za-z0-9_]+$")
BAD_DESCR = "has characters that pf takes in no name"
GOOD_DESCR = "letters, digits and underscores"
RESERVED_DESCR = "is a word of pf or of pfSense"
FREE_WORD = "another name"
HINT_DESCR = "the description becomes the macro of the interface in the rules"


def interfaces(config: Config) -> Iterator[Defect]:
    """Keys, cards, addresses."""
    section = config.root.child("interfaces")
    if section is None:
        return
    if not section.has("wan"):
        yield section.lacks("wan", hint=NO_WAN)
    for node in section.nodes:
        yield from _interface(config, node)
    for later, first in repeated(list(section.nodes), "if"):
        yield later.defect(TAKEN, FREE, _also(later, first))
    descriptions: dict[str, Node] = {}
    for node in section.nodes:
        descr = node.child("descr")
        name = (descr.value if descr else "") or node.tag.upper()
        if name.upper() in descriptions and descr:
            yield descr.defect(TAKEN, FREE, _also(descr, descriptions[name.upper()]))
        descriptions.setdefault(name.upper(), descr or node)


def addresses_taken_twice(config: Config) -> Iterator[Defect]:
    """One address once, interfaces and virtual IPs together; no two interfaces in one network."""
    first: dict[str, Node] = {}
    holders = [node.child("ipaddr") for node in config.interfaces.values() if is_address(node.text("ipaddr"))]
    holders += [vip.child("subnet") for vip in config.vips if vip.text("type") != "network"]
    for node in holders:
        if node and node.value:
            key = str(ip_address(node.value)) if is_address(node.value) else node.value
            if key in first:
                yield node.defect(TAKEN, FREE, _also(node, first[key]))
            first.setdefault(key, node)
    networks = [
        (node, found)
        for node in config.interfaces.values()
        if node.has("enable") and (found := interface_network(node))
    ]
    for number_, (node, own) in enumerate(networks):
        other = next((each for each, theirs in networks[:number_] if own.network.overlaps(theirs.network)), None)
        address = node.child("ipaddr")
        if other and address and own.network.prefixlen < 31:
            yield address.defect(OVERLAPS, FREE, f"{own.network}, {FIRST.format(line=other.line, path=other.path)}")


def gateways(config: Config) -> Iterator[Defect]:
    """Each has a name, an interface that exists, and an address in its network."""
    items = config.root.all_at("gateways/gateway_item")
    for item in items:
        yield from _gateway(config, item)
    for later, first in repeated(items, "name"):
        yield later.defect(TAKEN, FREE, _also(later, first))
    section = config.root.child("gateways")
    for member in (item for group in config.root.all_at("gateways/gateway_group") for item in group.children("item")):
        name = member.value.partition("|")[0]
        if name not in config.gateways:
            yield member.defect(UNKNOWN_GATEWAY, listed(sorted(config.gateways)))
    for tag in ("defaultgw4", "defaultgw6"):
        default = section.child(tag) if section else None
        if default and default.value not in NO_DEFAULT and default.value not in config.gateways:
            yield default.defect(UNKNOWN_GATEWAY, listed(sorted(config.gateways)))


def routes(config: Config) -> Iterator[Defect]:
    """`<staticroutes>`: a network, or an alias, by a gateway that exists."""
    for route in config.root.all_at("staticroutes/route"):
        network, gateway = route.child("network"), route.child("gateway")
        if network is None or not network.value:
            yield route.lacks("network", NETWORK)
        elif not is_network(network.value) and network.value not in config.aliases:
            yield network.defect(NO_NETWORK, NETWORK)
        if gateway is None or not gateway.value:
            yield route.lacks("gateway", listed(sorted(config.gateways)))
        elif gateway.value not in config.gateways and not gateway.value.startswith("Null"):
            yield gateway.defect(UNKNOWN_GATEWAY, listed(sorted(config.gateways)))


def _interface(config: Config, node: Node) -> Iterator[Defect]:
    if not KEY.match(node.tag):
        yield node.defect(BAD_KEY, KEYS, node.tag)
    if not node.text("if"):
        yield node.lacks("if", DEVICE)
    descr = node.child("descr")
    if descr and descr.value and not DESCR.match(descr.value):
        yield descr.defect(BAD_DESCR, GOOD_DESCR, hint=HINT_DESCR)
    elif descr and is_reserved(descr.value):
        yield descr.defect(RESERVED_DESCR, FREE_WORD, hint=HINT_DESCR)
    yield from number(node, "mtu", 576, 9000)
    mac = node.child("spoofmac")
    if mac and mac.value and not MAC.match(mac.value):
        yield mac.defect(BAD_MAC, "six pairs of hexadecimal digits with colons")
    address = node.child("ipaddr")
    kind = address.value if address else ""
    if address and kind and kind not in KINDS:
        yield from _static(node, address)
    gateway = node.child("gateway")
    if gateway and gateway.value not in ("", "none") and gateway.value not in config.gateways:
        yield gateway.defect(UNKNOWN_GATEWAY, listed(sorted(config.gateways)))


def _static(node: Node, address: Node) -> Iterator[Defect]:
    if not is_ipv4(address.value):
        yield address.defect(BAD_KIND, f"{ADDRESS}, or one of {listed(KINDS)}")
        return
    if not node.text("subnet"):
        yield node.lacks("subnet", BITS, BITS_WITH_ADDRESS)
        return
    yield from number(node, "subnet", 1, 32)
    own = interface_network(node)
    if own and own.network.prefixlen < 31 and own.ip in (own.network.network_address, own.network.broadcast_address):
        yield address.defect(UNUSABLE, USABLE.format(network=own.network))


def _gateway(config: Config, item: Node) -> Iterator[Defect]:
    if not item.text("name"):
        yield item.lacks("name")
    yield from word(item, "ipprotocol", ("inet", "inet6"), required=True)
    yield from number(item, "weight", 1, 30)
    interface = item.child("interface")
    if interface is None or not interface.value:
        yield item.lacks("interface", listed(config.interfaces))
        return
    parent = config.interfaces.get(interface.value)
    if parent is None:
        yield interface.defect(UNKNOWN_INTERFACE, listed(config.interfaces))
    address = item.child("gateway")
    if address is None or not address.value:
        yield item.lacks("gateway", ADDRESS)
    elif address.value in DYNAMIC:
        return
    elif not is_address(address.value):
        yield address.defect(NO_ADDRESS, f"{ADDRESS}, or dynamic")
    elif parent and not item.has("nonlocalgateway") and is_ipv4(address.value):
        own = interface_network(parent)
        aliases = [found for vip in config.vips if vip.text("interface") == parent.tag and (found := vip_network(vip))]
        if own and not any(ip_address(address.value) in each.network for each in (own, *aliases)):
            yield address.defect(NOT_ON_LINK, RANGE_OF.format(network=own.network), hint=HINT_ON_LINK)


RANGE_OF = "an address in {network}"


def _also(later: Node, first: Node) -> str:
    return f"{later.value}, {FIRST.format(line=first.line, path=first.path)}"

"""Any topology that may be built, for hypothesis: other networks, names, orders, VHIDs, skews, rules; WAN static or by DHCP."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from lab.topology.checks import check
from lab.topology.model import CARP_PASSWORD_LIMIT, Topology

PUBLIC = "203.0.113.10"
NETWORK_NAMES = st.from_regex(r"\A[a-z][a-z0-9]{0,11}\Z").filter(lambda name: name not in ("any", "firewall"))
MACHINE_NAMES = st.from_regex(r"\A[a-z][a-z0-9-]{0,5}\Z").filter(lambda name: name not in ("br", "lab"))
WORDS = st.text(st.sampled_from("abz09 éÉçß€漢.,;:!?&<>\"'`$%{}[]()/\\#|*+=~^@_-"), max_size=40)
PASSWORDS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=CARP_PASSWORD_LIMIT)


@st.composite
def subnets(draw: st.DrawFn, count: int) -> list[IPv4Network]:
    """Private networks that do not overlap, from /16 to /28."""
    found = []
    for number in draw(st.lists(st.integers(0, 254), min_size=count, max_size=count, unique=True)):
        prefix = draw(st.integers(16, 28))
        found.append(
            IPv4Network((f"10.{number}.{draw(st.integers(0, 255))}.{draw(st.integers(0, 255))}", prefix), strict=False)
        )
    return found


@st.composite
def valid_topologies(draw: st.DrawFn) -> Topology:
    """Built to be valid; what the lab's own checks still refuse is not drawn."""
    count = draw(st.integers(3, 7))
    names = draw(st.lists(NETWORK_NAMES, min_size=count, max_size=count, unique=True))
    ranges = dict(zip(names, draw(subnets(count)), strict=True))
    wan, sync, *inside = draw(st.permutations(names))
    hosts = {name: draw(_hosts(ranges[name])) for name in names}
    dhcp = draw(st.booleans())
    networks: dict[str, dict[str, Any]] = {name: {"subnet": str(ranges[name])} for name in names}
    networks[sync]["role"] = "sync"
    networks[wan] |= {"role": "wan", "gateway": hosts[wan][2], "addressing": "dhcp" if dhcp else "static"}
    networks[wan] |= {"block_private": draw(st.booleans()), "block_bogons": draw(st.booleans())}
    first, second, internet, *others = draw(st.lists(MACHINE_NAMES, min_size=4, max_size=5, unique=True))
    vips = [
        {"network": name, "address": hosts[name][3 + number], "vhid": vhid, "descr": draw(WORDS)}
        for name in draw(st.lists(st.sampled_from(names), unique=True))
        for number, vhid in enumerate(draw(st.lists(st.integers(1, 255), min_size=1, max_size=2, unique=True)))
    ]
    on_wan = any(vip["network"] == wan for vip in vips)
    value = {
        "name": draw(st.from_regex(r"\A[a-z][a-z0-9-]{0,10}\Z")),
        "networks": networks,
        "firewalls": {
            node: {"hostname": host, "advskew": skew, "addresses": {name: hosts[name][number] for name in names}}
            for number, (node, host, skew) in enumerate(
                [(first, "fw-a", draw(st.integers(0, 254))), (second, "FW2", draw(st.integers(0, 254)))]
            )
        },
        "carp": {"advbase": draw(st.integers(1, 254)), "password": draw(PASSWORDS), "vips": vips},
        "sync": {"network": sync, "pfsync": draw(st.booleans()), "xmlrpc": draw(st.booleans())},
        "nat": {"outbound": draw(st.sampled_from(["interface", "vip"])) if on_wan else "interface"},
        "rules": draw(st.lists(_rules(names, hosts), max_size=5)),
        "machines": {internet: {"network": wan, "address": hosts[wan][2], "role": "internet", "public": PUBLIC}}
        | {name: {"network": inside[0], "address": hosts[inside[0]][2]} for name in others[:1]},
    }
    topology = Topology.model_validate(value)
    assume(not list(check(topology)))
    return topology


def _hosts(subnet: IPv4Network) -> st.SearchStrategy[list[str]]:
    """Five addresses of different hosts."""
    numbers = st.lists(st.integers(1, subnet.num_addresses - 2), min_size=5, max_size=5, unique=True)
    return numbers.map(lambda found: [str(subnet[number]) for number in found])


def _rules(names: list[str], hosts: dict[str, list[str]]) -> st.SearchStrategy[dict[str, Any]]:
    addresses = [address for found in hosts.values() for address in found[:3]]
    plain = st.sampled_from([*names, *addresses])
    ends = st.one_of(st.sampled_from(["any", "firewall"]), plain, plain.map(lambda text: f"!{text}"))
    base: dict[str, st.SearchStrategy[Any]] = {
        "on": st.sampled_from(names),
        "action": st.sampled_from(["pass", "block", "reject"]),
        "from": ends,
        "to": ends,
        "descr": WORDS,
    }
    protocol = st.sampled_from(["any", "tcp", "udp", "icmp", "pfsync"])
    with_port = st.sampled_from(["tcp", "udp"])
    return st.one_of(
        st.fixed_dictionaries(base | {"protocol": protocol}),
        st.fixed_dictionaries(base | {"protocol": with_port, "port": st.integers(1, 65535)}),
    )

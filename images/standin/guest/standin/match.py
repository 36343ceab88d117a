"""From what config.xml calls an address, a port or a protocol to what nft calls it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, summarize_address_range

from standin.facts import Facts
from standin.settings import Endpoint, Settings

EVERYWHERE = IPv4Network("0.0.0.0/0")
LOOPBACK = IPv4Network("127.0.0.0/8")
# IANA protocol numbers of what pfSense's rule page offers beside TCP, UDP and ICMP.
PROTOCOLS = {
    "igmp": 2, "ipencap": 4, "ipv6": 41, "gre": 47, "esp": 50, "ah": 51, "etherip": 97, "ospf": 89, "pim": 103,
    "carp": 112, "sctp": 132, "pfsync": 240,
}  # fmt: skip
# pf's icmp type names.
ICMP_TYPES = {
    "echorep": 0, "unreach": 3, "squench": 4, "redir": 5, "althost": 6, "echoreq": 8, "routeradv": 9, "routersol": 10,
    "timex": 11, "paramprob": 12, "timereq": 13, "timerep": 14, "inforeq": 15, "inforep": 16, "maskreq": 17,
    "maskrep": 18, "trace": 30, "dataconv": 31, "mobredir": 32, "ipv6-where": 33, "ipv6-here": 34, "mobregreq": 35,
    "mobregrep": 36, "skip": 39, "photuris": 40,
}  # fmt: skip
MAX_ALIAS_DEPTH = 32


class Unmatchable(Exception):
    """A rule that can match nothing, or that names what the stand-in does not know; the text says why."""


@dataclass(frozen=True)
class Names:
    """What the words in a rule stand for on this node, now."""

    settings: Settings
    facts: Facts

    def networks(self, keyword: str) -> list[IPv4Network]:
        """`lan` = its subnet, `lanip` = its address, `(self)` = every own address, VIPs and loopback included.

        Raises Unmatchable when the interface does not exist or has no address.
        """
        if keyword == "(self)":
            return [LOOPBACK, *self.own_addresses()]
        address = self.facts.addresses.get(keyword)
        if address:
            return [address.network]
        address = self.facts.addresses.get(keyword.removesuffix("ip")) if keyword.endswith("ip") else None
        if address:
            return [IPv4Network(address.ip)]
        raise Unmatchable(f"{keyword} has no address")

    def own_addresses(self) -> list[IPv4Network]:
        """Every address this firewall answers for, as MASTER or not."""
        own = [each.ip for each in self.facts.addresses.values()]
        own += [vip.address.ip for vip in self.settings.vips]
        own += [alias.address.ip for alias in self.settings.ip_aliases]
        return [IPv4Network(each) for each in own]

    def addresses_on(self, key: str) -> list[IPv4Network]:
        """The addresses of one interface, VIPs included."""
        real = self.facts.addresses.get(key)
        own = [real.ip] if real else []
        own += [vip.address.ip for vip in self.settings.vips if vip.key == key]
        own += [alias.address.ip for alias in self.settings.ip_aliases if alias.parent == key]
        return [IPv4Network(each) for each in own]

    def hosts(self, text: str, depth: int = 0) -> list[IPv4Network]:
        """Networks behind an IP, a CIDR, a range `a-b` or an alias of hosts or networks."""
        alias = next((each for each in self.settings.aliases if each.name == text), None)
        if alias:
            if depth > MAX_ALIAS_DEPTH:
                raise Unmatchable(f"alias {text} contains itself")
            return [net for entry in alias.entries for net in self.hosts(entry, depth + 1)]
        if ":" in text:
            raise Unmatchable(f"{text} is IPv6, which is off here")
        try:
            if "-" in text:
                first, last = text.split("-", 1)
                return list(summarize_address_range(IPv4Address(first), IPv4Address(last)))
            return [IPv4Network(text, strict=False)]
        except (ValueError, TypeError):
            raise Unmatchable(f"{text} is neither an address nor an alias (host names are not resolved here)") from None

    def ports(self, text: str, depth: int = 0) -> list[tuple[int, int]]:
        """Port ranges behind a number, `a-b`, `a:b` or an alias of ports."""
        alias = next((each for each in self.settings.aliases if each.name == text and each.kind == "port"), None)
        if alias:
            if depth > MAX_ALIAS_DEPTH:
                raise Unmatchable(f"alias {text} contains itself")
            return [pair for entry in alias.entries for pair in self.ports(entry, depth + 1)]
        first, _, last = text.replace(":", "-").partition("-")
        if not (first.isdigit() and (last or first).isdigit()):
            raise Unmatchable(f"{text} is neither a port nor an alias of ports")
        pair = (int(first), int(last or first))
        if not 0 <= pair[0] <= pair[1] <= 65535:
            raise Unmatchable(f"{text} is no range of ports")
        return [pair]

    def endpoint_networks(self, end: Endpoint) -> list[IPv4Network] | None:
        """None = any."""
        if end.network:
            return self.networks(end.network)
        if end.address:
            return self.hosts(end.address)
        return None

    def anything(self, text: str) -> list[IPv4Network] | None:
        """The source of an outbound NAT rule: `any`, a keyword, or what `hosts` takes."""
        if text in ("", "any"):
            return None
        if text == "(self)" or text in self.facts.addresses:
            return self.networks(text)
        return self.hosts(text)


def address_match(side: str, networks: Sequence[IPv4Network] | None, negated: bool) -> str:
    """`ip saddr …`; "" when every address matches. side: saddr or daddr.

    Raises Unmatchable when none does (an empty alias).
    """
    merged = _without_repeats(networks) if networks is not None else [EVERYWHERE]
    everywhere = merged == [EVERYWHERE]
    if (everywhere and negated) or (not merged and not negated):
        raise Unmatchable(f"no {'source' if side == 'saddr' else 'destination'} address is left")
    if everywhere or not merged:
        return ""
    return f"ip {side} {'!= ' if negated else ''}{braces(_plain(each) for each in merged)}"


def port_match(side: str, ranges: Sequence[tuple[int, int]]) -> str:
    """`th dport …`, for TCP and UDP alike. side: sport or dport."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    if not merged:
        raise Unmatchable("no port is left")
    return f"th {side} {braces(f'{a}-{b}' if a != b else str(a) for a, b in merged)}"


def device_match(direction: str, nics: Sequence[str]) -> str:
    """Packets of these interfaces. A VIP's packets come in on `NIC.VHID` while this node is MASTER.

    direction: iifname or oifname.
    """
    return f"{direction} {braces(name for nic in nics for name in (quoted(nic), quoted(f'{nic}.*')))}"


def protocol_match(protocol: str, icmptypes: Sequence[str]) -> str:
    """ "" = any. Raises Unmatchable for a name that is not known here."""
    if protocol in ("", "any"):
        return ""
    if protocol == "tcp/udp":
        return "meta l4proto { tcp, udp }"
    if protocol in ("tcp", "udp"):
        return f"meta l4proto {protocol}"
    if protocol == "icmp":
        unknown = [each for each in icmptypes if each not in ICMP_TYPES]
        if unknown:
            raise Unmatchable(f"ICMP type {unknown[0]} is not known here")
        return f"icmp type {braces(str(ICMP_TYPES[each]) for each in icmptypes)}" if icmptypes else "meta l4proto icmp"
    if protocol not in PROTOCOLS:
        raise Unmatchable(f"protocol {protocol} is not known here")
    return f"meta l4proto {PROTOCOLS[protocol]}"


def braces(items: Iterable[str]) -> str:
    """One item bare, several as an anonymous set."""
    found = list(items)
    return found[0] if len(found) == 1 else f"{{ {', '.join(found)} }}"


def quoted(text: str) -> str:
    """A string of nft's language; what it cannot hold is left out, and it is cut to the 127 bytes a comment may have."""
    clean = "".join(each for each in text if each.isprintable() and each not in '"\\')
    return '"' + clean.encode()[:120].decode(errors="ignore") + '"'


def _without_repeats(networks: Sequence[IPv4Network]) -> list[IPv4Network]:
    """Sorted, without those that lie in another one (nft refuses overlaps); neighbours stay apart, as a person wrote them."""
    kept: list[IPv4Network] = []
    for network in sorted(set(networks), key=lambda each: (each.network_address, each.prefixlen)):
        if not (kept and network.subnet_of(kept[-1])):
            kept.append(network)
    return kept


def _plain(network: IPv4Network) -> str:
    return str(network.network_address) if network.prefixlen == 32 else str(network)

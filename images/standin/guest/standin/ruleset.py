"""Settings and facts -> the complete nftables ruleset, as one text that replaces the old one in a single transaction.

As in pf, what comes in is judged by the rules of the interface it comes in on (default: block), what goes out is passed
unless a floating rule says otherwise, and a verdict is sought only for the first packet of a connection. In pf antispoof
lines are not quick, so any user rule overrules them: here they stand behind the user rules too, and only give the drop a name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network

from standin.facts import Facts
from standin.match import Names, address_match, braces, device_match, quoted
from standin.nat_rules import forward_lines, forward_passes, outbound_lines
from standin.settings import Interface, Rule, Settings
from standin.user_rules import MARKS, floating_devices, rule_lines

TABLE = "standin"
STATE_SYNC_PORT = 3780
CARP = 112
PRIVATE = ("10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
# What no host on the internet may have as its address (RFC 6890), RFC 1918 left to blockpriv.
BOGONS = (
    "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/3",
)  # fmt: skip
OPENING_FLAGS = "tcp flags & (fin | syn | rst | ack) != syn"
# Denied packets are logged for people to read, not to fill a disk.
DENY_LOG = 'limit rate 5/second burst 20 packets log prefix "default deny: " level info'


@dataclass(frozen=True)
class Ruleset:
    """text: for `nft -f`. notes: rules that were left out, and why, a line each."""

    text: str
    notes: tuple[str, ...]


def compile_ruleset(settings: Settings, facts: Facts) -> Ruleset:
    """The whole ruleset of a node."""
    names = Names(settings, facts)
    chains = [
        _chain(
            "untracked", [f"ip protocol {CARP} notrack"], "type filter hook prerouting priority raw; policy accept;"
        ),
        _chain("input", _arrival(["jump arriving"]), "type filter hook input priority filter; policy drop;"),
        _chain(
            "forward",
            _arrival(["jump arriving", "jump leaving"]),
            "type filter hook forward priority filter; policy drop;",
        ),
        _chain("output", _output(settings), "type filter hook output priority filter; policy drop;"),
        _chain("opened", _opened(settings)),
        _chain("arriving", _arriving(names)),
        *(_chain(f"in_{each.key}", _interface_lines(each, names)) for each in settings.enabled),
        *([_chain("states", _state_lines(names))] if settings.state_sync else []),
        _chain("undecided", _undecided(names)),
        _chain("leaving", _leaving(names)),
        _chain("refuse", ["meta l4proto tcp reject with tcp reset", "reject with icmp port-unreachable"]),
        _chain("deny", [DENY_LOG, "counter drop"]),
        _chain("port_forwards", forward_lines(names), "type nat hook prerouting priority dstnat; policy accept;"),
        _chain(
            "outbound",
            [f"ip protocol {CARP} accept", *outbound_lines(names)],
            "type nat hook postrouting priority srcnat; policy accept;",
        ),
    ]
    # The empty table in front makes `delete` succeed the first time too.
    head = f"table inet {TABLE} {{}}\ndelete table inet {TABLE}\ntable inet {TABLE} {{\n"
    text = head + "\n".join(chains) + "}\n"
    notes = tuple(line.strip("# \t") for line in text.splitlines() if line.lstrip().startswith("#"))
    return Ruleset(text, notes)


def _chain(name: str, lines: Iterable[str], hook: str = "") -> str:
    body = [hook] if hook else []
    return "".join((f"\tchain {name} {{\n", *(f"\t\t{line}\n" for line in (*body, *lines)), "\t}\n"))


def _arrival(jumps: list[str]) -> list[str]:
    return [
        'iifname "lo" accept',
        "meta nfproto ipv6 drop",
        "ct state established,related accept",
        *jumps,
        "goto opened",
    ]


def _output(settings: Settings) -> list[str]:
    return [
        'oifname "lo" accept',
        "meta nfproto ipv6 drop",
        "ct state established,related accept",
        "jump leaving",
        _creator(settings),
        "accept",
    ]


def _opened(settings: Settings) -> list[str]:
    """Every rule that passes ends here: only the first packet of a connection may open a state."""
    return [f"{OPENING_FLAGS} goto deny", _creator(settings), "ct state new,untracked accept", "goto deny"]


def _creator(settings: Settings) -> str:
    """pf stamps a state with the host id of the node that made it; state sync carries the mark to the peer."""
    return f"ct state new ct mark set {settings.host_id:#x}"


def _arriving(names: Names) -> list[str]:
    """Automatic rules that no user rule can overrule, then floating rules, then the interface's own chain."""
    settings = names.settings
    lines = [
        "meta mark set 0",
        "ip saddr 169.254.0.0/16 drop",
        "ip daddr 169.254.0.0/16 drop",
        "meta l4proto { tcp, udp } th sport 0 drop",
        "meta l4proto { tcp, udp } th dport 0 drop",
    ]
    if settings.vips:
        own = address_match("saddr", names.own_addresses(), False)
        lines += [f"ip protocol {CARP} {own} drop", f"ip protocol {CARP} return"]
    for interface in settings.enabled:
        lines += _guards(interface)
    lines += _anti_lockout(names)
    if settings.state_sync:
        sync = settings.state_sync
        devices = device_match("iifname", [sync.nic])
        lines.append(f"{devices} ip daddr {sync.local} udp dport {STATE_SYNC_PORT} goto states")
    lines += forward_passes(names)
    lines += _floating(names, "iifname", ("in", "any"))
    lines += [f"{device_match('iifname', [each.nic])} goto in_{each.key}" for each in settings.enabled]
    return [*lines, "goto deny"]


def _guards(interface: Interface) -> list[str]:
    """blockbogons, blockpriv, and the DHCP client's replies, in pfSense's order."""
    devices = device_match("iifname", [interface.nic])
    lines = []
    if interface.block_bogons:
        lines.append(f'{devices} ip saddr {braces(BOGONS)} counter drop comment "block bogon networks"')
    if interface.block_private:
        lines.append(f'{devices} ip saddr {braces(PRIVATE)} counter drop comment "block private networks"')
    if interface.dhcp:
        lines.append(f'{devices} udp sport 67 udp dport 68 return comment "allow dhcp replies"')
    return lines


def _anti_lockout(names: Names) -> list[str]:
    """The web pages and ssh stay reachable from LAN (from WAN where that is all there is)."""
    settings = names.settings
    key = "lan" if settings.interface("lan") else "wan"
    interface = settings.interface(key)
    addresses = names.addresses_on(key)
    if not settings.anti_lockout or interface is None or not interface.enabled or not addresses:
        return []
    # Port 80 sends a browser on to https.
    redirect = [80] if settings.webgui_protocol == "https" else []
    ports = {settings.webgui_port, *redirect, *([settings.ssh_port] if settings.ssh_enabled else [])}
    daddr = address_match("daddr", addresses, False)
    devices = device_match("iifname", [interface.nic])
    dport = braces(str(each) for each in sorted(ports))
    return [f'{devices} {daddr} tcp dport {dport} return comment "anti-lockout rule"']


def _floating(names: Names, direction: str, directions: tuple[str, ...]) -> list[str]:
    lines = []
    for rule in names.settings.rules:
        if rule.floating and rule.direction in directions:
            nics = _nics(rule, names.settings)
            if rule.interfaces and "any" not in rule.interfaces and not nics:
                continue
            lines += rule_lines(rule, names, floating_devices(rule, nics, direction))
    return lines


def _nics(rule: Rule, settings: Settings) -> list[str]:
    return [each.nic for each in settings.enabled if each.key in rule.interfaces]


def _interface_lines(interface: Interface, names: Names) -> list[str]:
    own = (rule for rule in names.settings.rules if not rule.floating and interface.key in rule.interfaces)
    return [*(line for rule in own for line in rule_lines(rule, names)), "goto undecided"]


def _state_lines(names: Names) -> list[str]:
    """State-sync packets, judged as what they are on a real pfSense: protocol pfsync, not UDP."""
    sync = names.settings.state_sync
    keys = {each.key for each in names.settings.enabled if sync and each.nic == sync.nic}
    lines = []
    for rule in names.settings.rules:
        applies = keys & set(rule.interfaces) or (rule.floating and not rule.interfaces)
        if applies and rule.direction in ("in", "any"):
            lines += rule_lines(rule, names, states=True)
    return [*lines, "goto undecided"]


def _undecided(names: Names) -> list[str]:
    """No quick rule matched: the last floating rule's mark decides, else the default."""
    marked = any(rule.floating and not rule.quick for rule in names.settings.rules)
    verdicts = {"pass": "return", "block": "counter drop", "reject": "goto refuse"}
    lines = [f"meta mark {MARKS[action]} {verdict}" for action, verdict in verdicts.items()] if marked else []
    for interface in names.settings.enabled:
        address = names.facts.addresses.get(interface.key)
        if address:
            lines.append(_antispoof(interface, address.network))
    return [*lines, "goto deny"]


def _antispoof(interface: Interface, network: IPv4Network) -> str:
    """A source of this interface's network that came in elsewhere."""
    elsewhere = f"iifname != {{ {quoted(interface.nic)}, {quoted(f'{interface.nic}.*')} }}"
    return f"{elsewhere} ip saddr {network} counter drop comment {quoted(f'antispoof for {interface.descr}')}"


def _leaving(names: Names) -> list[str]:
    """Everything out is passed, unless a floating rule for that direction says otherwise."""
    lines = ["meta mark set 0", *_floating(names, "oifname", ("out", "any"))]
    marked = any(rule.floating and not rule.quick for rule in names.settings.rules)
    return lines + (
        [f"meta mark {MARKS['block']} counter drop", f"meta mark {MARKS['reject']} goto refuse"] if marked else []
    )

"""Interfaces, addresses, routes and kernel switches, as config.xml wants them."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from standin.facts import Facts
from standin.run import run
from standin.settings import Interface, Settings

# Forwarding is switched on when the ruleset is in force, not before.
# One answer each for a VIP on a macvlan and the real address under it: without the arp_* and rp_filter lines both
# devices answer for both addresses. tcp_loose=0: only a SYN opens a TCP state.
# tcp_be_liberal=1: pfsync keeps a connection's sequence windows alike on both nodes, conntrackd does not. While one node sends and the
# other receives (CARP off on a master that goes on routing), each sees one direction alone and would drop it as out of window.
SYSCTLS = (
    ("net/ipv4/ip_forward", "0"),
    ("net/ipv6/conf/all/disable_ipv6", "1"),
    ("net/ipv6/conf/default/disable_ipv6", "1"),
    ("net/ipv4/conf/all/arp_ignore", "1"),
    ("net/ipv4/conf/all/arp_announce", "2"),
    ("net/ipv4/conf/all/rp_filter", "0"),
    ("net/ipv4/conf/default/rp_filter", "0"),
    ("net/ipv4/conf/all/send_redirects", "0"),
    ("net/ipv4/conf/default/send_redirects", "0"),
    ("net/ipv4/conf/all/accept_redirects", "0"),
    ("net/netfilter/nf_conntrack_tcp_loose", "0"),
    ("net/netfilter/nf_conntrack_tcp_be_liberal", "1"),
)

# The kernel's own limit follows its memory, and a small guest has room for 1536 states: a minute of fresh connections. pfSense
# takes a tenth of the memory, 1 KB a state (pfsense-utils.inc, pfsense_default_state_size), but never so few on any real machine.
STATE_TABLE = (
    ("net/netfilter/nf_conntrack_buckets", "16384"),
    ("net/netfilter/nf_conntrack_max", "65536"),
)
"""For the whole kernel: only the guest itself may set them, no namespace."""


@dataclass(frozen=True)
class Nic:
    """name: as the kernel has it now. place: PCI addresses on the way to it, outermost first. virtio: has that driver."""

    name: str
    place: tuple[str, ...]
    virtio: bool


def read_nics(sys_net: Path = Path("/sys/class/net")) -> list[Nic]:
    """The NICs that sit on a bus (not lo, macvlan, ...)."""
    found = []
    for link in sorted(sys_net.iterdir()):
        device = link / "device"
        if device.exists():
            real = device.resolve()
            place = tuple(part for part in real.parts if part.count(":") == 2 and "." in part)
            found.append(Nic(link.name, place, real.name.startswith("virtio")))
    return found


def rename_plan(nics: Iterable[Nic]) -> list[str]:
    """`ip -batch` lines that name virtio NICs vtnet0..N in PCI order, as FreeBSD would. Empty when all fits already.

    A bus path sorts as FreeBSD probes: a bridge's children where the bridge stands.
    """
    ordered = sorted((nic for nic in nics if nic.virtio), key=lambda nic: nic.place)
    wanted = [(nic.name, f"vtnet{number}") for number, nic in enumerate(ordered) if nic.name != f"vtnet{number}"]
    taken = {new for _, new in wanted} & {old for old, _ in wanted}
    lines = [f"link set dev {old} down" for old, _ in wanted]
    # A name that another NIC still holds is reached through a name nobody has.
    parked = {old: f"vtmp{number}" for number, (old, new) in enumerate(wanted) if new in taken}
    lines += [f"link set dev {old} name {parking}" for old, parking in parked.items()]
    return lines + [f"link set dev {parked.get(old, old)} name {new}" for old, new in wanted]


def missing_nics(settings: Settings, sys_net: Path = Path("/sys/class/net")) -> list[str]:
    """Devices that config.xml names and the machine does not have."""
    names = {entry.name for entry in sys_net.iterdir()}
    # As on pfSense: a VLAN is there as soon as the NIC below it is.
    names |= {vlan.name for vlan in settings.vlans if vlan.parent in names}
    return [each.nic for each in settings.interfaces if each.nic not in names]


def vlan_plan(settings: Settings, sys_net: Path = Path("/sys/class/net")) -> list[str]:
    """`ip -batch` lines that make the VLAN interfaces that are not there yet, and bring their NICs up."""
    lines = []
    for vlan in settings.vlans:
        if not (sys_net / vlan.name).exists():
            lines.append(f"link set dev {vlan.parent} up")
            lines.append(f"link add link {vlan.parent} name {vlan.name} type vlan id {vlan.tag}")
    return lines


def interface_plan(settings: Settings, interface: Interface, present: Sequence[str] | None = None) -> list[str]:
    """`ip -batch` lines that bring one interface to its static state; a disabled one loses address and link.

    present: its addresses now, of which those that are wanted stay untouched. None: whatever there is goes first.
    """
    mtu = f" mtu {interface.mtu}" if interface.mtu else ""
    link = f"link set dev {interface.nic} {'up' if interface.enabled else 'down'}{mtu}"
    addresses = [interface.address] if interface.address and interface.enabled else []
    if interface.enabled:
        addresses += [alias.address for alias in settings.ip_aliases if alias.parent == interface.key]
    wanted = {str(each): each.network.broadcast_address for each in addresses}
    if present is None:
        lines = [f"addr flush dev {interface.nic} scope global", link]
    else:
        lines = [*(f"addr del {each} dev {interface.nic}" for each in present if each not in wanted), link]
    return lines + [
        f"addr replace {each} broadcast {broadcast} dev {interface.nic}"
        for each, broadcast in wanted.items()
        if each not in (present or ())
    ]


def lease_plan(facts: Facts, interface: Interface, present: Iterable[str] = ()) -> list[str]:
    """`ip -batch` lines that give a DHCP interface the address of its lease, and that alone.

    present: its addresses now. An address that stays is not touched: taking it away for a moment would take the routes
    through it away as well.
    """
    address = facts.addresses.get(interface.key)
    if not interface.dhcp or address is None:
        return []
    stale = [each for each in present if each != str(address)]
    return [
        # Before the new one comes: the first address of a subnet takes the others along when it goes.
        *(f"addr del {each} dev {interface.nic}" for each in stale),
        f"addr replace {address} broadcast {address.network.broadcast_address} dev {interface.nic}",
    ]


def present_addresses(nic: str) -> list[str]:
    """The IPv4 addresses of a device now, with prefix lengths."""
    listed = run(["ip", "-o", "-4", "addr", "show", "dev", nic, "scope", "global"])
    return [line.split()[3] for line in listed.splitlines() if line.split()[2:3] == ["inet"]]


def all_addresses() -> dict[str, list[str]]:
    """The same of every device that has one."""
    found: dict[str, list[str]] = {}
    for line in run(["ip", "-o", "-4", "addr", "show", "scope", "global"]).splitlines():
        words = line.split()
        if words[2:3] == ["inet"]:
            found.setdefault(words[1].partition("@")[0], []).append(words[3])
    return found


def route_plan(settings: Settings, facts: Facts) -> list[str]:
    """`ip -batch` lines for static routes and the default route."""
    lines = [
        f"route replace {route.network} via {facts.gateways[route.gateway]}"
        for route in settings.routes
        if route.gateway in facts.gateways
    ]
    if facts.default_gateway:
        lines.append(f"route replace default via {facts.default_gateway}")
    return lines


def apply(lines: Sequence[str]) -> None:
    """Run `ip -batch` lines, all of them, in one process.

    Raises CommandError with what `ip` said about the lines it refused.
    """
    if lines:
        run(["ip", "-force", "-batch", "-"], "\n".join(lines) + "\n")


def write_sysctls(proc_sys: Path = Path("/proc/sys")) -> list[str]:
    """Set the kernel's switches; names of those this kernel does not have."""
    absent = []
    interfaces = (path.name for path in (proc_sys / "net/ipv4/conf").iterdir())
    # rp_filter is the larger of `all` and the device's own: links that exist already need theirs cleared too.
    own = tuple((f"net/ipv4/conf/{name}/rp_filter", "0") for name in interfaces)
    for name, value in (*SYSCTLS, *STATE_TABLE, *own):
        try:
            (proc_sys / name).write_text(value)
        except OSError:
            absent.append(name.replace("/", "."))
    return absent


def forward_packets(on: bool, proc_sys: Path = Path("/proc/sys")) -> None:
    (proc_sys / "net/ipv4/ip_forward").write_text("1" if on else "0")


def set_hostname(name: str) -> None:
    """The kernel's host name, fully qualified as on pfSense; at most 64 bytes."""
    socket.sethostname(name[:64])

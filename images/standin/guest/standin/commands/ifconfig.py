"""`ifconfig` in FreeBSD's format. Addresses are the kernel's, CARP's part is the daemon's word."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

from standin import cluster, network
from standin.apply import load
from standin.netlink import Rtnetlink
from standin.places import Places
from standin.run import CommandError
from standin.settings import Settings
from standin.xmlnode import SettingsError

NO_INTERFACE = "ifconfig: interface {name} does not exist\n"
USAGE = "usage: ifconfig [-l | [-a] [INTERFACE] | INTERFACE up | down | vhid N [advskew N] [advbase N] [pass WORD] [state master|backup]]\n"
# FreeBSD net/if.h: BROADCAST, SIMPLEX, MULTICAST and NEEDSEPOCH are set on any Ethernet card.
ALWAYS = 0x8822
FLAGS = ((0x1, "UP"), (0x2, "BROADCAST"), (0x8, "LOOPBACK"), (0x40, "RUNNING"), (0x100, "PROMISC"), (0x800, "SIMPLEX"))
LINUX_UP = 0x1
MULTICAST = "MULTICAST"
LOOPBACK_TEXT = "lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> metric 0 mtu 16384\n\tinet 127.0.0.1 netmask 0xff000000\n\tgroups: lo\n"
PFSYNC_TEXT = (
    "pfsync0: flags=41<UP,RUNNING> metric 0 mtu 1500\n"
    "\tpfsync: syncdev: {nic} syncpeer: {peer} maxupd: 128 defer: off\n"
    "\tsyncok: 1\n\tgroups: pfsync\n"
)


@dataclass(frozen=True)
class Card:
    """One NIC as it is now. vhids: the CARP daemon's entries for it."""

    name: str
    description: str
    mac: str
    mtu: int
    up: bool
    carrier: bool
    addresses: tuple[IPv4Interface, ...]
    vhids: tuple[dict[str, Any], ...]


def main(name: str, arguments: list[str], places: Places) -> int:
    wanted = [each for each in arguments if each != "-a"]
    if len(wanted) > 1:
        return _change(wanted)
    settings = _settings(places)
    cards = read_cards({each.nic: each.descr for each in settings.enabled} if settings else {})
    if wanted == ["-l"]:
        sys.stdout.write(" ".join((*(card.name for card in cards), "lo0")) + "\n")
        return 0
    chosen = [card for card in cards if not wanted or card.name == wanted[0]]
    for card in chosen:
        sys.stdout.write(describe(card))
    if not wanted or wanted == ["lo0"]:
        sys.stdout.write(LOOPBACK_TEXT)
    sync = settings.state_sync if settings and (not wanted or wanted == ["pfsync0"]) else None
    extra = PFSYNC_TEXT.format(nic=sync.nic, peer=sync.peer) if sync else ""
    sys.stdout.write(extra)
    if wanted and not chosen and not extra and wanted != ["lo0"]:
        sys.stderr.write(NO_INTERFACE.format(name=wanted[0]))
        return 1
    return 0


def describe(card: Card) -> str:
    """The block of one card."""
    lines = [f"{card.name}: flags={_flags(card)} metric 0 mtu {card.mtu}"]
    lines += [f"\tdescription: {card.description}"] if card.description else []
    lines.append(f"\tether {card.mac}")
    lines += [f"\t{_inet(address)}" for address in card.addresses]
    for vhid in card.vhids:
        lines += [f"\t{_inet(IPv4Interface(text))} vhid {vhid['vhid']}" for text in vhid["addresses"]]
    for vhid in card.vhids:
        law = f"advbase {vhid['advbase']} advskew {vhid['advskew']}"
        lines.append(f"\tcarp: {vhid['state']} vhid {vhid['vhid']} {law}")
    lines.append("\tmedia: Ethernet autoselect (10Gbase-T <full-duplex>)")
    lines.append(f"\tstatus: {'active' if card.carrier else 'no carrier'}")
    return "\n".join(lines) + "\n"


def _flags(card: Card) -> str:
    value = ALWAYS | (0x41 if card.up else 0) | (0x100 if card.vhids else 0)
    words = [word for bit, word in FLAGS if value & bit]
    return f"{value:x}<{','.join((*words, MULTICAST))}>"


def _inet(address: IPv4Interface) -> str:
    net = address.network
    return f"inet {address.ip} netmask 0x{int(net.netmask):08x} broadcast {net.broadcast_address}"


def read_cards(descriptions: Mapping[str, str], sys_net: Path = Path("/sys/class/net")) -> list[Card]:
    """vtnet0, vtnet1, ... in order, whatever else the kernel has. descriptions: by device."""
    kernel = Rtnetlink()
    try:
        links = {link.ifindex: link for link in kernel.links()}
        addresses = kernel.addresses()
    finally:
        kernel.close()
    vhids = carp_state()["vhids"]
    cards = []
    for link in links.values():
        folder = sys_net / link.name
        if link.name.startswith("vtnet") and "." not in link.name:
            own = tuple(IPv4Interface((each.ip, each.prefix)) for each in addresses if each.ifindex == link.ifindex)
            cards.append(
                Card(
                    name=link.name,
                    description=descriptions.get(link.name, ""),
                    mac=(folder / "address").read_text().strip(),
                    mtu=int((folder / "mtu").read_text()),
                    up=bool(int((folder / "flags").read_text(), 16) & LINUX_UP),
                    carrier=link.up,
                    addresses=own,
                    vhids=tuple(each for each in vhids if each["nic"] == link.name),
                )
            )
    return sorted(cards, key=lambda card: (len(card.name), card.name))


def carp_state() -> dict[str, Any]:
    """The daemon's status; without a daemon, no VHID."""
    try:
        return cluster.request({"do": "status"})
    except cluster.ClusterError:
        return {"vhids": [], "counters": {}, "sysctls": {}}


def _settings(places: Places) -> Settings | None:
    try:
        return load(places)
    except (FileNotFoundError, SettingsError):
        return None


def _change(words: Iterable[str]) -> int:
    """`INTERFACE up|down` and `INTERFACE vhid N …`; the kernel's and the daemon's refusals are passed on."""
    name, *rest = words
    try:
        if rest in (["up"], ["down"]):
            network.apply([f"link set dev {name} {rest[0]}"])
            return 0
        pairs = dict(zip(rest[::2], rest[1::2], strict=True))
        request: dict[str, Any] = {"do": "vhid", "nic": name, "vhid": int(pairs.pop("vhid"))}
        request |= {key: int(pairs.pop(key)) for key in ("advskew", "advbase") if key in pairs}
        request |= {"password": pairs.pop("pass")} if "pass" in pairs else {}
        request |= {"state": pairs.pop("state").upper()} if "state" in pairs else {}
        if pairs:
            raise KeyError
    except (KeyError, ValueError):
        sys.stderr.write(USAGE)
        return 1
    except CommandError as error:
        sys.stderr.write(f"ifconfig: {error}\n")
        return 1
    try:
        cluster.request(request)
    except cluster.ClusterError as error:
        sys.stderr.write(f"ifconfig: {error}\n")
        return 1
    return 0

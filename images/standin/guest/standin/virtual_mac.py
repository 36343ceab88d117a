"""The virtual MAC of a VHID on Linux: a private macvlan on the NIC, there only while the VHID is MASTER.

A macvlan left up on a backup would answer for the address and draw the bridge's table entry to itself.
"""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.carp.packet import virtual_mac

from .netlink import Address, Link, Rtnetlink

_NAME_LIMIT = 15  # IFNAMSIZ - 1
_CONF = Path("/proc/sys/net/ipv4/conf")
_CONF6 = Path("/proc/sys/net/ipv6/conf")
# One ARP answer each: the real MAC for a real address, the virtual one for a VIP.
_ARP_RULES = {"arp_ignore": "1", "arp_announce": "2", "rp_filter": "0"}

NAME_TOO_LONG = "{name}: a device name has at most {limit} characters"


def virtual_nic(nic: str, vhid: int) -> str:
    """Device that carries the VHID's virtual MAC and addresses while MASTER: `vtnet1.4` for VHID 4 on `vtnet1`.

    ValueError when that is longer than the kernel allows.
    """
    name = f"{nic}.{vhid}"
    if len(name) > _NAME_LIMIT:
        raise ValueError(NAME_TOO_LONG.format(name=name, limit=_NAME_LIMIT))
    return name


def prepare_arp(nic: str) -> None:
    """ARP and reverse-path settings under which a macvlan and its NIC share a segment without both answering.

    Written for `all`, `default` and the NIC: of arp_ignore, arp_announce and rp_filter the kernel takes the
    greater of `all` and the device's own.
    """
    for scope in ("all", "default", nic):
        for name, value in _ARP_RULES.items():
            _write(_CONF / scope / name, value)


class VirtualMacs:
    """The macvlans of this host, raised and dropped by VHID. A refusal of the kernel is an OSError."""

    def __init__(self, netlink: Rtnetlink) -> None:
        self._netlink = netlink
        self._raised: dict[tuple[str, int], _Raised] = {}
        self._leaving: dict[str, threading.Thread] = {}

    def sweep(self) -> None:
        """Remove what an earlier process left behind. To be called before the first raise."""
        links = self._netlink.links()
        names = {link.ifindex: link.name for link in links}
        for link in links:
            if _is_virtual(link, names.get(link.parent, "")):
                self._netlink.delete_link(link.ifindex)

    def raise_up(self, nic: str, parent: int, vhid: int, addresses: set[tuple[bytes, int]]) -> None:
        """Make exactly these addresses reachable by the virtual MAC.

        parent: index of `nic`. addresses: packed IPv4 addresses with their prefix lengths.
        """
        raised = self._raised.get((nic, vhid))
        if raised is None:
            raised = self._raised[nic, vhid] = self._create(virtual_nic(nic, vhid), parent, virtual_mac(vhid))
        self._assign(raised, addresses)

    def drop(self, nic: str, vhid: int) -> None:
        """Silence the addresses now; the device goes in the background, since the kernel takes 20 ms to remove it."""
        raised = self._raised.pop((nic, vhid), None)
        if raised is None:
            return
        self._assign(raised, set())
        leaving = threading.Thread(target=_delete, args=(raised.index,))
        leaving.start()
        self._leaving[virtual_nic(nic, vhid)] = leaving

    def drop_all(self) -> None:
        """Drop every VHID and wait until the devices are gone."""
        for nic, vhid in list(self._raised):
            self.drop(nic, vhid)
        for leaving in self._leaving.values():
            leaving.join()

    def _create(self, name: str, parent: int, mac: bytes) -> _Raised:
        if leaving := self._leaving.pop(name, None):
            leaving.join()
        self._netlink.add_private_macvlan(name, parent, mac)
        index = socket.if_nametoindex(name)
        try:
            # Before it is up: it must never send a packet of its own, or a bridge would learn it from that.
            _write(_CONF6 / name / "disable_ipv6", "1")
            _write(_CONF / name / "rp_filter", "0")
            _write(_CONF / name / "promote_secondaries", "1")  # one VIP of several may go alone
            self._netlink.set_up(index)
        except OSError:
            _delete(index)
            raise
        return _Raised(index)

    def _assign(self, raised: _Raised, wanted: set[tuple[bytes, int]]) -> None:
        for ip, prefix in raised.addresses - wanted:
            with _gone_already():
                self._netlink.delete_address(Address(raised.index, ip, prefix))
            raised.addresses.discard((ip, prefix))
        for ip, prefix in wanted - raised.addresses:
            self._netlink.add_address(Address(raised.index, ip, prefix))
            raised.addresses.add((ip, prefix))


class _Raised:
    def __init__(self, index: int) -> None:
        self.index = index
        self.addresses: set[tuple[bytes, int]] = set()


def _is_virtual(link: Link, parent: str) -> bool:
    base, _, number = link.name.rpartition(".")
    return base == parent != "" and number.isdigit() and link.mac == virtual_mac(int(number) & 0xFF)


def _delete(index: int) -> None:
    netlink = Rtnetlink()
    with _gone_already():
        netlink.delete_link(index)
    netlink.close()


@contextmanager
def _gone_already() -> Iterator[None]:
    """A macvlan dies with the NIC below it, and its addresses with it: then there is nothing left to do."""
    try:
        yield
    except OSError as refusal:
        if refusal.errno not in (errno.ENODEV, errno.EADDRNOTAVAIL):
            raise


def _write(path: Path, value: str) -> None:
    if path.exists():  # no IPv6 in the kernel, no file
        path.write_text(value)

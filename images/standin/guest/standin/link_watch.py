"""The devices of this namespace as the kernel sees them now, and their changes as events for the CARP engine."""

from __future__ import annotations

from lab.carp.events import LINK_DOWN, LINK_UP, AddressAdd, AddressDelete, LinkChange

from .netlink import Address, Change, ChangeFeed, Link, Rtnetlink

LinkEvent = LinkChange | AddressAdd | AddressDelete


class Nic:
    """up: administratively up and with carrier. A device that is not there is down and has index 0.

    addresses: packed IPv4 addresses, the primary one first.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.index = 0
        self.mac = bytes(6)
        self.up = False
        self.addresses: list[bytes] = []

    @property
    def link_state(self) -> int:
        return LINK_UP if self.up else LINK_DOWN


class LinkWatch:
    """Every device by name, kept current from the kernel's announcements."""

    def __init__(self, netlink: Rtnetlink) -> None:
        self._netlink = netlink
        self._feed = ChangeFeed()  # before the dump, so that nothing falls between the two
        self._nics: dict[int, Nic] = {}
        self._reload()

    def fileno(self) -> int:
        return self._feed.fileno()

    def close(self) -> None:
        self._feed.close()

    def nic(self, name: str) -> Nic:
        return next((nic for nic in self._nics.values() if nic.name == name), None) or Nic(name)

    def read(self) -> list[LinkEvent]:
        """What changed since the last call, in order: a flap is two events."""
        changes = self._feed.read()
        if changes is None:
            return self._reload()
        return [event for change in changes for event in self._apply(change)]

    def _reload(self) -> list[LinkEvent]:
        """A fresh picture, and what it changes against the old one."""
        links, addresses = self._netlink.links(), self._netlink.addresses()
        present = {link.ifindex for link in links}
        changes = [Change(Link(index, nic.name, nic.mac, False, 0), True) for index, nic in self._nics.items()]
        changes = [change for change in changes if change.what.ifindex not in present]
        changes += [Change(link, False) for link in links]
        for nic in self._nics.values():
            kept = {address.ip for address in addresses if address.ifindex == nic.index}
            changes += [Change(Address(nic.index, ip, 0), True) for ip in nic.addresses if ip not in kept]
        changes += [Change(address, False) for address in addresses]
        return [event for change in changes for event in self._apply(change)]

    def _apply(self, change: Change) -> list[LinkEvent]:
        if isinstance(change.what, Link):
            return self._gone(change.what) if change.gone else self._present(change.what)
        return self._address(change.what, change.gone)

    def _present(self, link: Link) -> list[LinkEvent]:
        nic = self._nics.setdefault(link.ifindex, Nic(link.name))
        moved = nic.up != link.up
        nic.name, nic.index, nic.mac, nic.up = link.name, link.ifindex, link.mac, link.up
        return [LinkChange(nic.name, nic.link_state)] if moved else []

    def _gone(self, link: Link) -> list[LinkEvent]:
        nic = self._nics.pop(link.ifindex, None)
        if nic is None:
            return []
        left: list[LinkEvent] = [AddressDelete(nic.name, ip) for ip in nic.addresses]
        return [LinkChange(nic.name, LINK_DOWN), *left] if nic.up else left

    def _address(self, address: Address, gone: bool) -> list[LinkEvent]:
        nic = self._nics.get(address.ifindex)
        if nic is None or gone == (address.ip not in nic.addresses):
            return []
        if gone:
            nic.addresses.remove(address.ip)
            return [AddressDelete(nic.name, address.ip)]
        nic.addresses.append(address.ip)
        return [AddressAdd(nic.name, address.ip)]

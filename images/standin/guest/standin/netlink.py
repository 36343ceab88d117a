"""rtnetlink from the standard library: the few link and address requests of the data plane.

Spawning `ip` costs tens of milliseconds in an emulated guest; a request here is one system call.
Numbers are those of linux/netlink.h, linux/rtnetlink.h, linux/if_link.h and linux/if_addr.h.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
GROUP_LINK, GROUP_IPV4_ADDRESS = 0x1, 0x10

_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_REQUEST, _ACK, _DUMP, _CREATE_NEW = 0x1, 0x4, 0x300, 0x600
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_LINK, _IFLA_LINKINFO = 1, 3, 5, 18
_INFO_KIND, _INFO_DATA, _MACVLAN_MODE, _MACVLAN_PRIVATE = 1, 2, 1, 1
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS, _IFA_NOPREFIXROUTE = 1, 2, 8, 0x200
_IFF_UP, _IFF_LOWER_UP = 0x1, 0x10000

_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_LINK = struct.Struct("=BxHiII")  # family, device type, index, flags, mask of changed flags
_ADDRESS = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, index
_ATTRIBUTE = struct.Struct("=HH")  # length, type


class Link(NamedTuple):
    """One device as the kernel describes it.

    up:     administratively up *and* with carrier: what FreeBSD calls IFF_UP and LINK_STATE_UP.
    parent: index of the device below (macvlan), 0 for none.
    """

    ifindex: int
    name: str
    mac: bytes
    up: bool
    parent: int


class Address(NamedTuple):
    """One IPv4 address (packed) with its prefix length, on a device given by index."""

    ifindex: int
    ip: bytes
    prefix: int


class Change(NamedTuple):
    """What a netlink message reports: a link or an address, present or `gone`."""

    what: Link | Address
    gone: bool


class Rtnetlink:
    """A request socket. Every failure of the kernel is an OSError with its errno."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self._socket.bind((0, 0))
        self._sequence = 0

    def close(self) -> None:
        self._socket.close()

    def add_private_macvlan(self, name: str, parent: int, mac: bytes) -> None:
        """A macvlan in private mode on the device `parent`, left down."""
        data = _attribute(_MACVLAN_MODE, struct.pack("=I", _MACVLAN_PRIVATE))
        info = _attribute(_INFO_KIND, b"macvlan") + _attribute(_INFO_DATA, data)
        body = (
            _LINK.pack(0, 0, 0, 0, 0)
            + _attribute(_IFLA_IFNAME, name.encode() + b"\0")
            + _attribute(_IFLA_LINK, struct.pack("=i", parent))
            + _attribute(_IFLA_ADDRESS, mac)
            + _attribute(_IFLA_LINKINFO, info)
        )
        self._request(RTM_NEWLINK, _CREATE_NEW, body)

    def set_up(self, index: int) -> None:
        self._request(RTM_NEWLINK, 0, _LINK.pack(0, 0, index, _IFF_UP, _IFF_UP))

    def delete_link(self, index: int) -> None:
        self._request(RTM_DELLINK, 0, _LINK.pack(0, 0, index, 0, 0))

    def add_address(self, address: Address) -> None:
        """The address without its prefix route: the device below already has that route."""
        body = (
            _ADDRESS.pack(socket.AF_INET, address.prefix, 0, 0, address.ifindex)
            + _attribute(_IFA_LOCAL, address.ip)
            + _attribute(_IFA_ADDRESS, address.ip)
            + _attribute(_IFA_FLAGS, struct.pack("=I", _IFA_NOPREFIXROUTE))
        )
        self._request(RTM_NEWADDR, _CREATE_NEW, body)

    def delete_address(self, address: Address) -> None:
        body = _ADDRESS.pack(socket.AF_INET, address.prefix, 0, 0, address.ifindex)
        self._request(RTM_DELADDR, 0, body + _attribute(_IFA_LOCAL, address.ip))

    def links(self) -> list[Link]:
        found = self._dump(RTM_GETLINK, _LINK.pack(0, 0, 0, 0, 0))
        return [change.what for change in found if isinstance(change.what, Link)]

    def addresses(self) -> list[Address]:
        """IPv4 addresses in the kernel's order: the first of a device is its primary one."""
        found = self._dump(RTM_GETADDR, _ADDRESS.pack(socket.AF_INET, 0, 0, 0, 0))
        return [change.what for change in found if isinstance(change.what, Address)]

    def _request(self, kind: int, flags: int, body: bytes) -> None:
        self._send(kind, flags | _ACK, body)
        for message_kind, payload in self._answers():
            if message_kind == _NLMSG_ERROR:
                _raise_if_error(payload)
                return

    def _dump(self, kind: int, body: bytes) -> list[Change]:
        self._send(kind, _DUMP, body)
        changes = []
        for message_kind, payload in self._answers():
            if message_kind == _NLMSG_ERROR:
                _raise_if_error(payload)
            if message_kind in (_NLMSG_ERROR, _NLMSG_DONE):
                break
            if change := _change(message_kind, payload):
                changes.append(change)
        return changes

    def _send(self, kind: int, flags: int, body: bytes) -> None:
        self._sequence += 1
        header = _HEADER.pack(_HEADER.size + len(body), kind, flags | _REQUEST, self._sequence, 0)
        self._socket.send(header + body)

    def _answers(self) -> Iterator[tuple[int, bytes]]:
        while True:
            for kind, sequence, payload in _messages(self._socket.recv(65536)):
                if sequence == self._sequence:
                    yield kind, payload


class ChangeFeed:
    """The kernel's announcements of links and IPv4 addresses, from the moment of creation on.

    Non-blocking. Registered in a selector by its `fileno`.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE
        )
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind((0, GROUP_LINK | GROUP_IPV4_ADDRESS))

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def read(self) -> list[Change] | None:
        """All changes announced since the last call; None when some were lost and a fresh dump is needed."""
        changes: list[Change] = []
        while True:
            try:
                datagram = self._socket.recv(65536)
            except BlockingIOError:
                return changes
            except OSError:  # ENOBUFS: the kernel dropped announcements
                return None
            changes += [change for kind, _, payload in _messages(datagram) if (change := _change(kind, payload))]


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + bytes(-len(value) % 4)


def _attributes(data: bytes) -> dict[int, bytes]:
    found, at = {}, 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if length < _ATTRIBUTE.size:
            break
        found[kind & 0x3FFF] = data[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
    return found


def _messages(datagram: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(type, sequence, payload) of each message in one datagram."""
    at = 0
    while at + _HEADER.size <= len(datagram):
        length, kind, _, sequence, _ = _HEADER.unpack_from(datagram, at)
        if length < _HEADER.size:
            return
        yield kind, sequence, datagram[at + _HEADER.size : at + length]
        at += (length + 3) & ~3


def _raise_if_error(payload: bytes) -> None:
    (code,) = struct.unpack_from("=i", payload)
    if code:
        raise OSError(-code, os.strerror(-code))


def _change(kind: int, payload: bytes) -> Change | None:
    if kind in (RTM_NEWLINK, RTM_DELLINK):
        family, _, index, flags, _ = _LINK.unpack_from(payload)
        found = _attributes(payload[_LINK.size :])
        if family != socket.AF_UNSPEC or _IFLA_IFNAME not in found:  # AF_BRIDGE tells of ports, not of links
            return None
        up = flags & _IFF_UP and flags & _IFF_LOWER_UP
        parent = struct.unpack("=i", found[_IFLA_LINK])[0] if _IFLA_LINK in found else 0
        name = found[_IFLA_IFNAME].rstrip(b"\0").decode()
        return Change(Link(index, name, found.get(_IFLA_ADDRESS, b""), bool(up), parent), kind == RTM_DELLINK)
    if kind in (RTM_NEWADDR, RTM_DELADDR):
        family, prefix, _, _, index = _ADDRESS.unpack_from(payload)
        local = _attributes(payload[_ADDRESS.size :]).get(_IFA_LOCAL)
        if family == socket.AF_INET and local is not None:
            return Change(Address(index, local, prefix), kind == RTM_DELADDR)
    return None

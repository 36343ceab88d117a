"""What a CARP host does. Each outcome carries `t`, the instant in microseconds."""

from __future__ import annotations

from typing import NamedTuple

from lab.carp import packet

AD = "sc_ad_tmo"
MD = "sc_md_tmo"
MD6 = "sc_md6_tmo"

LOG_INFO = 6
LOG_DEBUG = 7


class Devd(NamedTuple):
    """The state of a VHID changed: what devd hears, and what a data plane acts on."""

    t: int
    interface: str
    vhid: int
    state: str


class Log(NamedTuple):
    """A line of the kernel log. priority: syslog's."""

    t: int
    priority: int
    message: str


class Tx(NamedTuple):
    """An advert to send. packet: the whole IP packet. error: what the standing SendError makes of it, else 0."""

    t: int
    interface: str
    family: int
    vhid: int
    advbase: int
    advskew: int
    counter: int
    source_mac: bytes
    packet: bytes
    error: int

    @property
    def destination(self) -> bytes:
        """Packed IP destination."""
        return self.packet[16:20] if self.family == 4 else self.packet[24:40]

    @property
    def frame(self) -> bytes:
        """The Ethernet frame of a multicast advert (a unicast peer's MAC is for the sender to resolve)."""
        group = packet.GROUP4_MAC if self.family == 4 else packet.GROUP6_MAC
        return packet.ethernet_frame(self.source_mac, group, self.packet)


class Timer(NamedTuple):
    """A timer is armed (delay and due in microseconds) or, when it was armed, stopped (None)."""

    t: int
    name: str
    vhid: int
    interface: str
    delay: int | None
    due: int | None


class Fire(NamedTuple):
    """A timer fires."""

    t: int
    name: str
    vhid: int
    interface: str


class Garp(NamedTuple):
    """Announce an IPv4 VIP."""

    t: int
    interface: str
    address: bytes
    virtual_mac: bytes
    own_mac: bytes

    @property
    def frame(self) -> bytes:
        """The whole Ethernet frame."""
        return packet.garp_frame(self.own_mac, self.virtual_mac, self.address)


class Na(NamedTuple):
    """Announce an IPv6 VIP. source: the IPv6 source."""

    t: int
    interface: str
    address: bytes
    virtual_mac: bytes
    source: bytes

    @property
    def frame(self) -> bytes:
        """The whole Ethernet frame."""
        return packet.na_frame(self.virtual_mac, self.source, self.address)


class Route(NamedTuple):
    """What happens to the routes of a VIP. op: add_prefix, add_host, add_lle, del_host, del_prefix, del_lle."""

    t: int
    op: str
    address: bytes
    interface: str


class Multicast(NamedTuple):
    """Join or leave a group. group: packed address (for IPv6 solicited nodes: the /104 prefix)."""

    t: int
    interface: str
    family: int
    group: bytes
    join: bool


class Promiscuous(NamedTuple):
    """The interface must take frames of any MAC (on with its first VHID, off with the last)."""

    t: int
    interface: str
    on: bool


class Done(NamedTuple):
    """Always the last outcome of `Host.handle`. rc: 0 or a FreeBSD errno. next: the earliest armed timer."""

    t: int
    rc: int
    next: int | None


Outcome = Devd | Log | Tx | Timer | Fire | Garp | Na | Route | Multicast | Promiscuous | Done

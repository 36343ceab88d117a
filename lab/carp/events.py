"""What can happen to a CARP host. Times are given beside the event, to `Host.handle`.

Records are NamedTuples: a guest under emulation pays for every dataclass it imports.
"""

from __future__ import annotations

from typing import NamedTuple

LINK_UNKNOWN = 0
LINK_DOWN = 1
LINK_UP = 2

INIT = "INIT"
BACKUP = "BACKUP"
MASTER = "MASTER"

# FreeBSD's numbers (sys/errno.h); some differ from Linux's.
OK = 0
ENOENT = 2
ENXIO = 6
EEXIST = 17
EINVAL = 22
ENOPROTOOPT = 42
EADDRNOTAVAIL = 49


class InterfaceNew(NamedTuple):
    """An interface appears. mac: its own six bytes."""

    interface: str
    mac: bytes
    link: int = LINK_UP
    up: bool = True


class AddressAdd(NamedTuple):
    """An address is configured (again). vhid 0: an ordinary address; else the VHID must exist."""

    interface: str
    address: bytes
    vhid: int = 0


class AddressDelete(NamedTuple):
    """An address goes. keep: as the first half of configuring it again, so its VHID survives without address."""

    interface: str
    address: bytes
    keep: bool = False


class VhidSet(NamedTuple):
    """SIOCSVH. advbase 0, advskew None, key b"", state None and peer b"" leave what is there.

    A VHID that does not exist is created (advbase 1, advskew 0, no key).
    peer: packed unicast destination of one family instead of the multicast group.
    """

    interface: str
    vhid: int
    advbase: int = 0
    advskew: int | None = None
    key: bytes = b""
    state: str | None = None
    peer: bytes = b""


class LinkChange(NamedTuple):
    """The driver reports a link state. The same state again counts too: a flap may arrive as one UP."""

    interface: str
    state: int


class InterfaceUp(NamedTuple):
    """`ifconfig IF up`."""

    interface: str


class InterfaceDown(NamedTuple):
    """`ifconfig IF down`."""

    interface: str


class Sysctl(NamedTuple):
    """net.inet.carp.NAME = value; name: allow, preempt, demotion (added, not set), dscp, log, *_demotion_factor."""

    name: str
    value: int


class Demote(NamedTuple):
    """Another subsystem (pfsync) adjusts the demotion counter."""

    by: int


class SendError(NamedTuple):
    """From now on every send on the interface returns this error; 0 = sends work again."""

    interface: str
    error: int


class Sent(NamedTuple):
    """The result of one Tx, for a host made with deferred_sends: error 0 or an errno."""

    interface: str
    vhid: int
    error: int


class Receive(NamedTuple):
    """An IP packet of protocol 112 came in."""

    interface: str
    packet: bytes


class ForUs(NamedTuple):
    """Is a frame to this MAC for us because of CARP? The answer is Done.rc, 1 or 0."""

    interface: str
    mac: bytes


class Run(NamedTuple):
    """Only time passes."""


Event = (
    InterfaceNew
    | AddressAdd
    | AddressDelete
    | VhidSet
    | LinkChange
    | InterfaceUp
    | InterfaceDown
    | Sysctl
    | Demote
    | SendError
    | Sent
    | Receive
    | ForUs
    | Run
)

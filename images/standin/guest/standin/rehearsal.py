"""A take-over rehearsed while CARP is off.

Under emulation code that has never run is translated as it runs, ten times slower than afterwards: the first take-over would
come late. So one is played to its end beforehand, in a state machine of its own and on a device that nobody hears of: it has
no MAC that CARP uses, and its address is of the host alone.
"""

from __future__ import annotations

from lab.carp.engine import Host
from lab.carp.events import AddressAdd, InterfaceNew, Receive, Sysctl, VhidSet
from lab.carp.outcomes import Garp, Outcome, Tx
from lab.carp.packet import garp_frame

from .netlink import Address, Rtnetlink

DEVICE = "rehearsal"
STAGE = "rehearsal"
MAC = bytes.fromhex("020000000001")
OWN, VIP, PEER = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 3)), bytes((192, 0, 2, 2))
LOOPBACK = bytes((127, 255, 255, 254))
ROUNDS = 3


def rehearse(nic: str) -> None:
    """Play a few take-overs; `nic` only lends itself as the lower device. Nothing is sent, nothing is left."""
    for _ in range(ROUNDS):
        _play_machine()
        _play_device(nic)


def _play_machine() -> list[bytes]:
    """A backup hears a worse master and takes over: the frames it would send."""
    worse = _host(advskew=200)
    frames = _frames(worse.advance(10_000_000))
    better = _host(advskew=0)
    return _frames(better.handle(Receive(STAGE, frames[0][14:]), 1_000_000))


def _host(advskew: int) -> Host:
    host = Host(lambda: 1)
    for event in (
        Sysctl("preempt", 1),
        InterfaceNew(STAGE, MAC),
        AddressAdd(STAGE, OWN if advskew else PEER),
        VhidSet(STAGE, 1, advbase=1, advskew=advskew, key=b"rehearsal"),
        AddressAdd(STAGE, VIP, 1),
    ):
        host.handle(event, 0)
    return host


def _frames(outcomes: list[Outcome]) -> list[bytes]:
    frames = [outcome.frame for outcome in outcomes if isinstance(outcome, Tx)]
    frames += [garp_frame(MAC, each.virtual_mac, each.address) for each in outcomes if isinstance(each, Garp)]
    return frames


def _play_device(nic: str) -> None:
    netlink = Rtnetlink()
    try:
        parent = next((link.ifindex for link in netlink.links() if link.name == nic), 0)
        if not parent:
            return
        netlink.add_private_macvlan(DEVICE, parent, MAC)
        index = next(link.ifindex for link in netlink.links() if link.name == DEVICE)
        try:
            netlink.set_up(index)
            netlink.add_address(Address(index, LOOPBACK, 32))
        finally:
            netlink.delete_link(index)
    except OSError:
        pass  # a rehearsal that fails costs nothing: the performance says why
    finally:
        netlink.close()

"""The frames worth a line in a report: CARP adverts, and ARP announcements of the virtual addresses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address

from lab.carp.packet import parse_frame
from lab.experiment.pcap import Frame
from lab.experiment.wire import AdvertSeen, Ledger, Roster, reigns
from lab.topology.model import Topology

ADVERT, ARP, REFUSED = "advert", "arp", "refused"

NEW_MASTER = "VHID {vhid}: {node} is master from here on"
NEW_SKEW = "VHID {vhid}: {node} says advskew {skew} from here on, {before} until now"
REPEATED = "VHID {vhid}: a counter that {node} has sent before"
UNREADABLE = "not an advert: {reason}"


@dataclass(frozen=True)
class Packet:
    """time: nanoseconds since the epoch. at: seconds from the fault. node: who sent it.

    vhid, advbase, advskew: of an advert; address, mac: what an ARP announces, as text. first: the first of a new reign; repeated:
    a counter heard before; was: the sender's skew until now, where it changed. note: the same in words, "" where nothing is remarkable.
    """

    time: int
    at: float
    network: str
    kind: str
    node: str
    vhid: int = 0
    advbase: int = 0
    advskew: int = 0
    address: str = ""
    mac: str = ""
    first: bool = False
    repeated: bool = False
    was: int | None = None
    reason: str = ""
    note: str = ""

    @property
    def steady(self) -> bool:
        """An advert like the one before it."""
        return self.kind == ADVERT and not self.note


def packets(topology: Topology, frames: Iterable[Frame], zero: float) -> tuple[Packet, ...]:
    """In order of time. zero: the fault, seconds since the epoch. Frames' links are networks' names."""
    roster = Roster.of(topology)
    ledger = Ledger(Roster({name: name for name in topology.networks}, roster.nodes))
    heard: list[tuple[Frame, AdvertSeen]] = []
    others: list[Packet] = []
    for frame in sorted(frames):
        malformed = sum(ledger.malformed.values())
        for advert in ledger.feed([frame]):
            heard.append((frame, advert))
        if sum(ledger.malformed.values()) > malformed:
            others.append(_unreadable(frame, zero))
        elif announced := _announcement(topology, roster, frame, zero):
            others.append(announced)
    starts = {(one.network, one.vhid, one.node, one.start) for one in reigns(ledger.adverts)}
    return tuple(sorted([*others, *_adverts(heard, starts, zero)], key=lambda one: one.time))


def _adverts(
    heard: list[tuple[Frame, AdvertSeen]], starts: set[tuple[str, int, str, float]], zero: float
) -> Iterable[Packet]:
    skews: dict[tuple[str, int, str], int] = {}
    heard_before: set[tuple[str, int]] = set()
    for frame, advert in heard:
        sender = (advert.network, advert.vhid, advert.node)
        before = skews.get(sender)
        # Who ruled when the recording began is no change.
        first = (*sender, advert.time) in starts and advert.group in heard_before
        heard_before.add(advert.group)
        was = before if before not in (None, advert.advskew) else None
        skews[sender] = advert.advskew
        yield Packet(
            time=frame.time,
            at=advert.time - zero,
            network=advert.network,
            kind=ADVERT,
            node=advert.node,
            vhid=advert.vhid,
            advbase=advert.advbase,
            advskew=advert.advskew,
            first=first,
            repeated=advert.repeated,
            was=was,
            note=_note(advert, first, was),
        )


def _note(advert: AdvertSeen, first: bool, was: int | None) -> str:
    if first:
        return NEW_MASTER.format(vhid=advert.vhid, node=advert.node)
    if was is not None:
        return NEW_SKEW.format(vhid=advert.vhid, node=advert.node, skew=advert.advskew, before=was)
    return REPEATED.format(vhid=advert.vhid, node=advert.node) if advert.repeated else ""


def _unreadable(frame: Frame, zero: float) -> Packet:
    sighting = parse_frame(frame.data)
    reason = sighting.reason if sighting else ""
    note = UNREADABLE.format(reason=reason)
    return Packet(
        frame.time,
        frame.seconds - zero,
        frame.link,
        REFUSED,
        frame.data[6:12].hex(":"),
        reason=reason,
        note=note,
    )


def _announcement(topology: Topology, roster: Roster, frame: Frame, zero: float) -> Packet | None:
    """An ARP that tells a segment where a virtual address is: sender and target are the same (RFC 5227)."""
    data = frame.data
    if data[12:14] != b"\x08\x06" or len(data) < 42 or data[28:32] != data[38:42]:
        return None
    address = IPv4Address(data[28:32])
    known = {one.address: one.vhid for one in topology.carp.vips if one.network == frame.link}
    if address not in known:
        return None
    mac = data[22:28].hex(":")
    return Packet(
        frame.time,
        frame.seconds - zero,
        frame.link,
        ARP,
        "",
        vhid=known[address],
        address=str(address),
        mac=mac,
        note=str(address),
    )

"""Who is master, by the wire: CARP adverts read out of captured frames.

The wire is the truth; what a firewall says about itself is compared with it, never used instead.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from lab.carp.packet import address_text, parse_frame, virtual_mac
from lab.experiment.pcap import Frame
from lab.topology.model import Topology
from lab.topology.plan import bridge_name

PATIENCE = 1.5
"""A master whose next advert is this many of its own intervals late is no master any more (the timing law allows 3)."""

OFF_PACE = 0.2
"""Seconds off its own pace from which an advert belongs to a new reign, if a better one was heard before it."""

_CARP = b"\x70"  # protocol 112 at its place in an IPv4 header


Group = tuple[str, int]
"""(network, VHID): a number counts on its own segment only."""


class AdvertSeen(NamedTuple):
    """One advert. time: seconds since the epoch. node: the firewall's name, or the source address of a stranger.

    repeated: this counter was heard before from this node on this VHID: a frame sent again. FreeBSD accepts it
    (ip_carp.c), so it is told and not refused. virtual_mac: whether the frame came from 00:00:5e:00:01:VHID.
    """

    time: float
    network: str
    vhid: int
    node: str
    advbase: int
    advskew: int
    counter: int
    repeated: bool
    virtual_mac: bool

    @property
    def group(self) -> Group:
        return self.network, self.vhid

    @property
    def rank(self) -> tuple[int, int]:
        """Lower wins."""
        return self.advbase, self.advskew

    @property
    def interval(self) -> float:
        """Seconds to this sender's next advert."""
        return self.advbase + self.advskew / 256


@dataclass(frozen=True)
class Roster:
    """Who may advertise. networks: bridge -> network. nodes: (network, IPv4 address, packed) -> firewall."""

    networks: Mapping[str, str]
    nodes: Mapping[tuple[str, bytes], str]

    @classmethod
    def of(cls, topology: Topology) -> Roster:
        return cls(
            {bridge_name(network): network for network in topology.networks},
            {
                (network, address.packed): name
                for name, firewall in topology.firewalls.items()
                for network, address in firewall.addresses.items()
            },
        )

    def node(self, network: str, source: bytes) -> str:
        """A stranger is called by its address."""
        return self.nodes.get((network, source)) or address_text(source)


@dataclass(frozen=True)
class Reign:
    """One node advertising one VHID without a break. start, last: its first and last advert, seconds since the epoch.

    skews: (advbase, advskew) in order of appearance. longest: longest wait between two adverts, seconds.
    """

    vhid: int
    network: str
    node: str
    start: float
    last: float
    adverts: int
    skews: tuple[tuple[int, int], ...]
    longest: float


@dataclass(frozen=True)
class Overlap:
    """Two masters of one VHID at once: both advertised within this time."""

    vhid: int
    network: str
    nodes: tuple[str, str]
    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True)
class TakeOver:
    """A VHID's first advert by another node than before. silence: seconds since the old master's last advert.

    rank: (advbase, advskew) of that last advert.
    """

    time: float
    vhid: int
    network: str
    old: str
    new: str
    silence: float
    rank: tuple[int, int]


@dataclass
class Ledger:
    """All adverts heard so far, in order of arrival; fed while a capture runs."""

    roster: Roster
    adverts: list[AdvertSeen] = field(default_factory=list)
    malformed: dict[str, int] = field(default_factory=dict)
    _counters: dict[tuple[Group, str], set[int]] = field(default_factory=dict)

    def feed(self, frames: Iterable[Frame]) -> list[AdvertSeen]:
        """Take in frames; those from links that are no bridge of the lab, and those that are no adverts, are passed over."""
        fresh = [advert for frame in frames if (advert := self._read(frame)) is not None]
        self.adverts += fresh
        return fresh

    def _read(self, frame: Frame) -> AdvertSeen | None:
        network = self.roster.networks.get(frame.link)
        if network is None or (frame.data[12:14] == b"\x08\x00" and frame.data[23:24] != _CARP):
            return None
        sighting = parse_frame(frame.data)
        if sighting is None:
            return None
        if sighting.heard is None:
            self.malformed[sighting.reason] = self.malformed.get(sighting.reason, 0) + 1
            return None
        advert = sighting.heard.advert
        node = self.roster.node(network, sighting.heard.source)
        counters = self._counters.setdefault(((network, advert.vhid), node), set())
        repeated = advert.counter in counters
        counters.add(advert.counter)
        return AdvertSeen(
            time=frame.seconds,
            network=network,
            vhid=advert.vhid,
            node=node,
            advbase=advert.advbase,
            advskew=advert.advskew,
            counter=advert.counter,
            repeated=repeated,
            virtual_mac=sighting.source_mac == virtual_mac(advert.vhid),
        )

    def masters(self, now: float | None = None) -> dict[Group, tuple[AdvertSeen, ...]]:
        """Group -> last advert of every node that is master at `now` (default: the last advert's time), the best first."""
        at = now if now is not None else max((advert.time for advert in self.adverts), default=0.0)
        return masters(self.adverts, at)


def masters(adverts: Sequence[AdvertSeen], now: float) -> dict[Group, tuple[AdvertSeen, ...]]:
    """Who is master at `now`. A node is one while its next advert is not overdue and it has not yielded.

    It has yielded if, after its last advert, it heard one that is as good or better.
    """
    last: dict[tuple[Group, str], AdvertSeen] = {}
    for advert in sorted((advert for advert in adverts if advert.time <= now), key=lambda advert: advert.time):
        last[advert.group, advert.node] = advert
    found: dict[Group, tuple[AdvertSeen, ...]] = {}
    for group in sorted({group for group, _ in last}):
        rivals = [advert for (other, _), advert in last.items() if other == group]
        reigning = [
            mine
            for mine in rivals
            if now - mine.time <= mine.interval * PATIENCE
            and not any(other.time > mine.time and other.rank <= mine.rank for other in rivals)
        ]
        found[group] = tuple(sorted(reigning, key=lambda advert: advert.rank))
    return found


def reigns(adverts: Iterable[AdvertSeen]) -> tuple[Reign, ...]:
    """Mastership over time, per VHID and node, in order of start.

    A reign ends where the next advert is overdue and somebody else advertised meanwhile; where a better one was heard and
    the next advert does not keep the pace or says another skew (it yielded and came back; one that heard nothing goes on as before); or
    where it is overdue by more than the law lets any backup wait.
    """
    found: list[Reign] = []
    for heard in _by_group(adverts).values():
        for node in dict.fromkeys(advert.node for advert in heard):
            others = [advert for advert in heard if advert.node != node]
            found += _reigns_of([advert for advert in heard if advert.node == node], others)
    return tuple(sorted(found, key=lambda reign: (reign.start, reign.vhid)))


def _by_group(adverts: Iterable[AdvertSeen]) -> dict[Group, list[AdvertSeen]]:
    groups: dict[Group, list[AdvertSeen]] = {}
    for advert in sorted(adverts, key=lambda advert: advert.time):
        groups.setdefault(advert.group, []).append(advert)
    return groups


def _reigns_of(own: list[AdvertSeen], others: list[AdvertSeen]) -> list[Reign]:
    times = [advert.time for advert in others]
    runs: list[list[AdvertSeen]] = [[own[0]]]
    for before, after in pairwise(own):
        wait = after.time - before.time
        between = others[bisect_right(times, before.time) : bisect_left(times, after.time)]
        beaten = any(other.rank <= before.rank for other in between)
        if (
            (between and wait > before.interval * PATIENCE)
            or (beaten and (after.rank != before.rank or abs(wait - before.interval) > OFF_PACE))
            or wait > 3 * before.advbase + 1
        ):
            runs.append([])
        runs[-1].append(after)
    return [_reign(run) for run in runs]


def _reign(run: list[AdvertSeen]) -> Reign:
    first, skews = run[0], tuple(dict.fromkeys(advert.rank for advert in run))
    longest = max((after.time - before.time for before, after in pairwise(run)), default=0.0)
    return Reign(first.vhid, first.network, first.node, first.time, run[-1].time, len(run), skews, longest)


def overlaps(found: Sequence[Reign]) -> tuple[Overlap, ...]:
    """Every time two nodes were masters of one VHID. A preempted master that falls silent at once leaves none."""
    pairs: list[Overlap] = []
    for index, one in enumerate(found):
        for two in found[index + 1 :]:
            if (one.network, one.vhid) != (two.network, two.vhid) or one.node == two.node:
                continue
            start, end = max(one.start, two.start), min(one.last, two.last)
            if start < end:
                pairs.append(Overlap(one.vhid, one.network, (one.node, two.node), start, end))
    return tuple(sorted(pairs, key=lambda overlap: (overlap.start, overlap.vhid)))


def take_overs(adverts: Sequence[AdvertSeen]) -> tuple[TakeOver, ...]:
    """Every change of master, in order of time."""
    found: list[TakeOver] = []
    for (network, vhid), heard in _by_group(adverts).items():
        for reign in reigns(heard):
            earlier = [advert for advert in heard if advert.node != reign.node and advert.time < reign.start]
            if earlier:
                old = earlier[-1]
                wait = reign.start - old.time
                found.append(TakeOver(reign.start, vhid, network, old.node, reign.node, wait, old.rank))
    return tuple(sorted(found, key=lambda change: (change.time, change.vhid)))

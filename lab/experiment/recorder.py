"""Everything a run hears, kept up to date while it runs: adverts, every probe's series, and when each node last spoke."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from lab.expect.probe import DATAGRAM_PORT
from lab.experiment.capture import Capture
from lab.experiment.pcap import Frame
from lab.experiment.probes import Traffic
from lab.experiment.result import Kind
from lab.experiment.series import DatagramBook, DatagramKey, SeriesBook, Try, in_time
from lab.experiment.stream import Connection, StreamBook, StreamKey
from lab.experiment.timeline import ArpWatch, ConsoleTail, Note, advert_notes
from lab.experiment.wire import Ledger, Roster
from lab.topology.model import Topology
from lab.topology.plan import make_plan, tap_name

PROBES = f"icmp or tcp or udp port {DATAGRAM_PORT}"


def capture_filters(topology: Topology) -> dict[str, str]:
    """What a run captures: every bridge entirely, and what probes do at each machine's own port."""
    plan = make_plan(topology)
    taps = {tap_name(name, machine.network): PROBES for name, machine in topology.machines.items()}
    return {**dict.fromkeys(plan.bridges, ""), **taps}


@dataclass
class Recorder:
    """Reads a capture while it grows; the frames themselves stay in the capture's files.

    frames: how many it has read; busy: processor seconds it took to read them.
    """

    topology: Topology
    capture: Capture
    consoles: Sequence[ConsoleTail] = ()
    notes: list[Note] = field(default_factory=list)
    frames: int = 0
    busy: float = 0.0
    ledger: Ledger = field(init=False)
    _books: dict[str, SeriesBook] = field(default_factory=dict, init=False)
    _spoke: dict[str, list[float]] = field(default_factory=dict, init=False)
    _datagrams: DatagramBook = field(default_factory=lambda: DatagramBook({}), init=False)
    _streams: StreamBook = field(default_factory=lambda: StreamBook({}), init=False)
    _arp: ArpWatch = field(init=False)
    _owners: dict[bytes, str] = field(init=False)
    _bridges: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        plan = make_plan(self.topology)
        self.ledger = Ledger(Roster.of(self.topology))
        self._arp = ArpWatch(self.topology)
        self._bridges = frozenset(plan.bridges)
        self._owners = {
            bytes.fromhex(nic.mac.replace(":", "")): node.name for node in plan.firewalls for nic in node.nics
        }

    def pump(self) -> None:
        """Take in what came since the last call."""
        begun = time.thread_time()
        fresh = self.capture.poll()
        self.frames += len(fresh)
        for tail in self.consoles:
            self.notes += tail.poll()
        self._arp.feed(fresh)
        for advert in self.ledger.feed(fresh):
            self._spoke.setdefault(advert.node, []).append(advert.time)
        by_tap: dict[str, list[Frame]] = {}
        for frame in fresh:
            if frame.link not in self._bridges:
                by_tap.setdefault(frame.link, []).append(frame)
            elif owner := self._owners.get(frame.data[6:12]):
                self._spoke.setdefault(owner, []).append(frame.seconds)
        for tap, frames in by_tap.items():
            self._books.setdefault(tap, SeriesBook()).feed(frames)
            self._datagrams.feed(frames)
        self._streams.feed(frame for frame in fresh if frame.link not in self._bridges)
        self.busy += time.thread_time() - begun

    def note(self, kind: Kind, where: str, text: str, at: float | None = None) -> None:
        """Write down what was done, now or at a moment of the epoch."""
        self.notes.append(Note(time.time() if at is None else at, kind, where, text))

    @property
    def moments(self) -> list[Note]:
        """All that was noted, adverts and ARP with it."""
        return [*self.notes, *self._arp.notes, *advert_notes(self.ledger.adverts)]

    def follow(self, traffic: Iterable[Traffic]) -> None:
        """Watch these streams and datagrams from now on."""
        for one in traffic:
            if isinstance(one.key, StreamKey):
                self._streams.taps[one.key] = (one.tap, one.far_tap)
            elif isinstance(one.key, DatagramKey):
                self._datagrams.taps[one.key] = (one.tap, one.far_tap)

    def connection(self, traffic: Traffic) -> Connection | None:
        """A stream as it was seen so far; None before its first byte."""
        return self._streams.connection(traffic.key) if isinstance(traffic.key, StreamKey) else None

    def flowing(self, traffic: Iterable[Traffic], since: float) -> bool:
        """Whether each of these streams delivered something after `since`."""
        seen = (self.connection(one) for one in traffic)
        return all(one is not None and one.points[-1].time > since for one in seen)

    def tries(self, traffic: Traffic) -> tuple[Try, ...]:
        """What this probe sent so far, and what was answered while it still waited."""
        if isinstance(traffic.key, StreamKey):
            return ()
        if isinstance(traffic.key, DatagramKey):
            return tuple(in_time(one, traffic.patience) for one in self._datagrams.tries(traffic.key))
        book = self._books.get(traffic.tap)
        return tuple(in_time(one, traffic.patience) for one in book.tries(traffic.key)) if book else ()

    def last_spoke(self, node: str, start: float, end: float) -> float | None:
        """Time of the last frame a node put on any bridge within [start, end]."""
        return max((time for time in self._spoke.get(node, ()) if start <= time <= end), default=None)

    def back_from_silence(self, node: str, start: float, end: float) -> float:
        """When a node's longest silence within [start, end] was over: it booted. `end` where it said nothing."""
        spoke = sorted(time for time in self._spoke.get(node, ()) if start <= time <= end)
        gaps = [(later - earlier, later) for earlier, later in pairwise(spoke)]
        return max(gaps, default=(0.0, end))[1]

    def answering(self, traffic: Iterable[Traffic], since: float, answers: int = 1) -> bool:
        """Whether each of these got so many answers after `since`."""
        return all(
            sum(1 for one in self.tries(item) if one.answered is not None and one.answered > since) >= answers
            for item in traffic
        )

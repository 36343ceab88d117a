"""Everything a run hears, kept up to date while it runs: adverts, every probe's series, and when each node last spoke."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lab.experiment.capture import Capture
from lab.experiment.pcap import Frame
from lab.experiment.probes import Traffic
from lab.experiment.series import SeriesBook, Try, in_time
from lab.experiment.wire import Ledger, Roster
from lab.topology.model import Topology
from lab.topology.plan import make_plan, tap_name

PROBES = "icmp or tcp"


def capture_filters(topology: Topology) -> dict[str, str]:
    """What a run captures: every bridge entirely, and what probes do at each machine's own port."""
    plan = make_plan(topology)
    taps = {tap_name(name, machine.network): PROBES for name, machine in topology.machines.items()}
    return {**dict.fromkeys(plan.bridges, ""), **taps}


@dataclass
class Recorder:
    """Reads a capture while it grows; the frames themselves stay in the capture's files."""

    topology: Topology
    capture: Capture
    ledger: Ledger = field(init=False)
    _books: dict[str, SeriesBook] = field(default_factory=dict, init=False)
    _spoke: dict[str, list[float]] = field(default_factory=dict, init=False)
    _owners: dict[bytes, str] = field(init=False)
    _bridges: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        plan = make_plan(self.topology)
        self.ledger = Ledger(Roster.of(self.topology))
        self._bridges = frozenset(plan.bridges)
        self._owners = {
            bytes.fromhex(nic.mac.replace(":", "")): node.name for node in plan.firewalls for nic in node.nics
        }

    def pump(self) -> None:
        """Take in what came since the last call."""
        fresh = self.capture.poll()
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

    def tries(self, traffic: Traffic) -> tuple[Try, ...]:
        """What this probe sent so far, and what was answered while it still waited."""
        book = self._books.get(traffic.tap)
        return tuple(in_time(one, traffic.patience) for one in book.tries(traffic.key)) if book else ()

    def last_spoke(self, node: str, start: float, end: float) -> float | None:
        """Time of the last frame a node put on any bridge within [start, end]."""
        return max((time for time in self._spoke.get(node, ()) if start <= time <= end), default=None)

    def answering(self, traffic: Iterable[Traffic], since: float, answers: int = 1) -> bool:
        """Whether each of these got so many answers after `since`."""
        return all(
            sum(1 for one in self.tries(item) if one.answered is not None and one.answered > since) >= answers
            for item in traffic
        )

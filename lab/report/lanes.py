"""The timeline's geometry: what is drawn in which lane from when to when. Pure; seconds from the fault throughout."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from lab.experiment.result import ByteSeries, FailoverReport, HandOver, ProbeSeries, ReignSeen
from lab.report.packets import ADVERT, ARP, Packet

UNITS = 1000
"""Width of a track in its own units."""

BEFORE, AFTER = 1.5, 2.0
"""Seconds shown around what happens in a close-up."""

QUIET = 5.0
"""Seconds shown after a fault at which nothing happens."""

PAUSE = 5.0
"""A probe that asks nothing for so many of its own periods has stopped."""

FLOWING = 0.35
"""Seconds between two points of a stream (ten a second at most) from which it stood still."""

STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300)
TICKS = 8
"""Ticks of an axis, at most."""

MASTER, PRESUMED, SPLIT, ALLOWED_SPLIT = "master", "presumed", "split", "split-allowed"
ANSWERED, LOST = "answered", "lost"


@dataclass(frozen=True)
class Bar:
    """Something that lasts. kind: one of the names above."""

    start: float
    end: float
    kind: str


@dataclass(frozen=True)
class Mark:
    """A moment: an advert, an announcement."""

    at: float
    kind: str


@dataclass(frozen=True)
class Track:
    """One line. id: the node's or the probe's name. node: which of the two, for its colour; -1 elsewhere.

    law: when the hand-over is predicted from the fault; due: the same, counted from the last advert heard.
    """

    id: str
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...] = ()
    node: int = -1
    law: tuple[float, float] | None = None
    due: tuple[float, float] | None = None


@dataclass(frozen=True)
class Lane:
    """The tracks of one VHID, or of one machine's probes. vhid: 0 for a machine."""

    name: str
    tracks: tuple[Track, ...]
    vhid: int = 0


@dataclass(frozen=True)
class Chart:
    """A stretch of time, and its ticks. id: whole, fault or return."""

    id: str
    start: float
    end: float

    @property
    def ticks(self) -> tuple[float, ...]:
        step = next((one for one in STEPS if (self.end - self.start) / one <= TICKS), STEPS[-1])
        first = int(self.start / step) - 1
        found = (round((first + number) * step, 3) for number in range(2 * TICKS + 4))
        return tuple(one for one in found if self.start <= one <= self.end)

    def x(self, at: float) -> float:
        """0 to UNITS, cut at the ends."""
        share = (at - self.start) / (self.end - self.start)
        return round(UNITS * min(max(share, 0.0), 1.0), 2)

    def holds(self, at: float) -> bool:
        return self.start <= at <= self.end

    def visible(self, bars: Iterable[Bar]) -> tuple[Bar, ...]:
        return tuple(bar for bar in bars if bar.end > self.start and bar.start < self.end)

    def moments(self, marks: Iterable[Mark]) -> tuple[Mark, ...]:
        return tuple(mark for mark in marks if self.holds(mark.at))

    def share(self, at: float) -> float:
        """Per cent from the left."""
        return round(self.x(at) * 100 / UNITS, 2)


def charts(report: FailoverReport) -> tuple[Chart, ...]:
    """The whole run, the fault close up and, where something returns, the return."""
    start, end = span(report)
    moved = [move.at for move in report.hand_overs if move.phase == "fault" and move.at is not None]
    silent = [probe.outage for probe in report.probes if probe.outage is not None and probe.fate == "outage"]
    last = max([*moved, *silent], default=QUIET - AFTER) + AFTER
    found = [Chart("whole", start, end), Chart("fault", max(start, -BEFORE), min(end, last))]
    home = [report.undone_at + move.at for move in report.hand_overs if move.phase == "return" and move.at is not None]
    if home:
        found.append(Chart("return", max(start, min(home) - BEFORE), min(end, max(home) + AFTER)))
    return tuple(found)


def span(report: FailoverReport) -> tuple[float, float]:
    """From the probes' undisturbed start to the last look."""
    reigns = [reign.start for reign in report.reigns]
    start = report.baseline or min(reigns, default=-BEFORE)
    return start, start + report.seconds if report.baseline else max(reign.last for reign in report.reigns)


def reign_lanes(report: FailoverReport, nodes: Sequence[str], seen: Sequence[Packet]) -> tuple[Lane, ...]:
    """One lane a VHID, one track a node in it."""
    groups = sorted({(reign.vhid, reign.network) for reign in report.reigns} | _moved(report))
    return tuple(
        Lane(network, tuple(_node_track(report, vhid, network, node, nodes, seen) for node in nodes), vhid)
        for vhid, network in groups
    )


def _moved(report: FailoverReport) -> set[tuple[int, str]]:
    return {(move.vhid, move.network) for move in report.hand_overs}


def _node_track(
    report: FailoverReport, vhid: int, network: str, node: str, nodes: Sequence[str], seen: Sequence[Packet]
) -> Track:
    own = [reign for reign in report.reigns if (reign.vhid, reign.network) == (vhid, network)]
    bars = [bar for reign in own if reign.node == node for bar in _reign_bars(report, reign, own)]
    bars += [
        Bar(both.start, both.end, ALLOWED_SPLIT if both.allowed else SPLIT)
        for both in report.overlaps
        if (both.vhid, both.network) == (vhid, network) and node in both.nodes
    ]
    marks = tuple(
        Mark(one.at, one.kind)
        for one in seen
        if one.vhid == vhid
        and one.network == network
        and ((one.kind == ADVERT and one.node == node) or (one.kind == ARP and _master_at(own, one.at) == node))
    )
    moves = [move for move in report.hand_overs if (move.vhid, move.network) == (vhid, network)]
    at_fault = next((move for move in moves if move.phase == "fault" and move.expected == node), None)
    moving = at_fault is not None and at_fault.old != at_fault.expected
    law = at_fault.law if at_fault and moving else None
    due = _due(at_fault) if at_fault and moving else None
    return Track(node, tuple(bars), marks, nodes.index(node), law, due)


def _due(move: HandOver) -> tuple[float, float] | None:
    """When the silence since the last advert heard should end."""
    if move.at is None or move.silence is None or move.silence_law is None:
        return None
    last = move.at - move.silence
    return last + move.silence_law[0], last + move.silence_law[1]


def _reign_bars(report: FailoverReport, reign: ReignSeen, own: Sequence[ReignSeen]) -> Iterator[Bar]:
    """Advertising, and then on to where its next advert was due: nobody could know better."""
    yield Bar(reign.start, reign.last, MASTER)
    base, skew = reign.skews[-1]
    ends = [reign.last + base + skew / 256, span(report)[1]]
    ends += [other.start for other in own if other.start > reign.last]
    ends += [event for event in (0.0, report.undone_at) if event > reign.last]
    yield Bar(reign.last, min(ends), PRESUMED)


def _master_at(own: Sequence[ReignSeen], at: float) -> str:
    """Who had begun to rule last: an announcement goes out with a reign's first advert."""
    begun = [reign for reign in own if reign.start <= at + 0.05]
    return max(begun, key=lambda reign: reign.start).node if begun else ""


def probe_lanes(report: FailoverReport) -> tuple[Lane, ...]:
    """One lane a machine, one track for each of its probes and streams that the rules let pass."""
    denied = {probe.id for probe in report.probes if probe.fate == "denied"}
    tracks = [Track(one.id, tuple(_answers(one))) for one in report.series if one.id not in denied]
    tracks += [Track(one.id, tuple(_flow(one))) for one in report.bytes]
    sources = dict.fromkeys(track.id.partition(">")[0] for track in tracks)
    return tuple(
        Lane(source, tuple(track for track in tracks if track.id.partition(">")[0] == source)) for source in sources
    )


def _answers(series: ProbeSeries) -> Iterator[Bar]:
    """Stretches in which every question was answered, and stretches in which none was."""
    sent = [at for at, _ in series.tries]
    if not sent:
        return
    period = median(after - before for before, after in pairwise(sent)) if len(sent) > 1 else 1.0
    start, kind = sent[0], _kind(series.tries[0][1])
    for (before, _), (at, answer) in pairwise(series.tries):
        paused = at - before > max(PAUSE * period, 1.0)
        if paused or _kind(answer) != kind:
            yield Bar(start, before + period if paused else at, kind)
            start, kind = at, _kind(answer)
    yield Bar(start, sent[-1] + period, kind)


def _kind(answer: float | None) -> str:
    return LOST if answer is None else ANSWERED


def _flow(series: ByteSeries) -> Iterator[Bar]:
    """A stream: where bytes came, and where none did."""
    points = series.points
    if not points:
        return
    start = points[0][0]
    for (before, _), (at, _) in pairwise(points):
        if at - before > FLOWING:
            if before > start:
                yield Bar(start, before, ANSWERED)
            yield Bar(before, at, LOST)
            start = at
    if points[-1][0] > start:
        yield Bar(start, points[-1][0], ANSWERED)

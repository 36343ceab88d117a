"""A whole failover as frames: who advertises when, and when each probe is answered; every part can be bent."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Address

from lab.expect.fault import parse
from lab.expect.outcome import Fate, Outcome, predict
from lab.expect.probe import Flow
from lab.experiment.capture import Replay
from lab.experiment.heartbeat import Stall, Stalls, Wait
from lab.experiment.measure import Times, fault_time, hand_overs, probe_results
from lab.experiment.pcap import Frame
from lab.experiment.probes import Traffic, plan_traffic
from lab.experiment.recorder import Recorder
from lab.experiment.report import make_report
from lab.experiment.result import FailoverReport, HandOver, ProbeResult
from lab.experiment.series import ConnectKey
from lab.topology.stage import Stage
from tests.unit.experiment.frames import EPOCH, adverts, echo, frame, segment, uranus

BASELINE, INJECTED, FAULT, UNDONE, END = 4.0, 6.0, 6.3, 14.0, 22.0
TAKEN = 6.0 + 3.390625
"""The last advert of the master is at 6.0, so this is when the backup's patience ends."""
RETURN = 6 * 1.390625 + 0.0005
HOME = TAKEN + RETURN
"""The old master, back, preempts one of the backup's adverts."""

TIMERS = 0.1
ANSWER = 0.001


@dataclass
class Story:
    """uranus, `kill` of the master. taken, home: by VHID where it differs. gaps: probe id -> times without an answer."""

    taken: dict[int, float] = field(default_factory=dict)
    home: dict[int, float] = field(default_factory=dict)
    gaps: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    extra: list[Frame] = field(default_factory=list)
    stalls: tuple[Stall, ...] = ()
    waits: tuple[Wait, ...] = ()
    timers: float = TIMERS

    def __post_init__(self) -> None:
        self.topology = uranus()
        self.outcome: Outcome = predict(self.topology, parse(self.topology, "kill"))
        self.traffic = plan_traffic(self.topology, (one.probe for one in self.outcome.probes))

    def report(self) -> FailoverReport:
        # What the master forwarded up to its end, in one frame.
        own = frame(FAULT - ANSWER, "br-lan", bytes(6) + bytes.fromhex("525400170001") + bytes(48))
        frames = sorted([own, *self._adverts(), *(f for one in self.traffic for f in self._probe(one)), *self.extra])
        recorder = Recorder(self.topology, Replay([frames]))
        recorder.pump()
        window = EPOCH + INJECTED, EPOCH + INJECTED + 1.5, EPOCH + UNDONE
        at, doubt = fault_time(self.outcome, self.traffic, recorder, window)
        times = Times(EPOCH + BASELINE, EPOCH + INJECTED, at, doubt, EPOCH + UNDONE, EPOCH + END)
        stalls = Stalls(self.stalls, self.waits)
        return make_report(
            topology=self.topology,
            stage=Stage.RULES,
            outcome=self.outcome,
            times=times,
            stalls=stalls,
            recorder=recorder,
            dropped={"br-lan": 0},
            hand_overs=hand_overs(self.outcome, recorder, times, stalls, self.timers),
            probes=probe_results(self.outcome, self.traffic, recorder, times, stalls, self.timers),
        )

    def _adverts(self) -> list[Frame]:
        found = []
        for vip in self.topology.carp.vips:
            nodes = self.topology.firewalls
            master, backup = (str(nodes[name].addresses[vip.network]) for name in ("master", "backup"))
            taken = self.taken.get(vip.vhid, TAKEN)
            home = self.home.get(vip.vhid, taken + RETURN)
            found += adverts(vip.network, vip.vhid, master, 0, 0.0, FAULT)
            found += adverts(vip.network, vip.vhid, backup, 100, taken, home)
            found += adverts(vip.network, vip.vhid, master, 0, home, END)
        return found

    def _silences(self, one: Traffic) -> list[tuple[float, float]]:
        if one.probe.id in self.gaps:
            return self.gaps[one.probe.id]
        fate = next(item.fate for item in self.outcome.probes if item.probe.id == one.probe.id)
        if fate is Fate.DENIED:
            return [(0.0, END)]
        if fate is Fate.LOST:
            return [(FAULT, HOME)]
        return [(FAULT, TAKEN)] if fate is Fate.OUTAGE else []

    def _probe(self, one: Traffic) -> tuple[Frame, ...]:
        return _probe_frames(one, tuple(self._silences(one)))


@cache
def _probe_frames(one: Traffic, silences: tuple[tuple[float, float], ...]) -> tuple[Frame, ...]:
    start = 11.0 if one.probe.flow is Flow.NEW else 1.0
    source, destination = (str(IPv4Address(end)) for end in one.key[:2])
    found = []
    for number in range(int((END - start) / one.period)):
        sent = start + number * one.period
        answered = not any(begin <= sent < end for begin, end in silences)
        if isinstance(one.key, ConnectKey):
            there = (source, 30000 + number, destination, one.key.port)
            back = (destination, one.key.port, source, 30000 + number)
            found.append(segment(sent, one.tap, there, 0x02, sequence=5))
            if answered:
                found.append(segment(sent + ANSWER, one.tap, back, 0x12, acknowledged=6))
        else:
            found.append(echo(sent, one.tap, source, destination, one.key.ident, number))
            if answered:
                found.append(echo(sent + ANSWER, one.tap, source, destination, one.key.ident, number, reply=True))
    return tuple(found)


def moves(report: FailoverReport, vhid: int) -> tuple[HandOver, HandOver]:
    """At the fault, at the return."""
    first, second = (one for one in report.hand_overs if one.vhid == vhid)
    return first, second


def probe(report: FailoverReport, wanted: str) -> ProbeResult:
    return next(one for one in report.probes if one.id == wanted)

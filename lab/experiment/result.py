"""What was found: the result of one look at a lab, and of one whole run. JSON: dataclasses.asdict (lab.experiment.report.to_json).

Clocks. Everything was stamped by the host (the capture's kernel stamps, or time.time() for what is no packet). In a run's results all
times are seconds from the fault, negative before it, unless a field says otherwise; `FailoverReport.fault_at` is that zero
as seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class CheckResult:
    """id: stable, `group:detail`. seconds: how long it took, 0.0 where it was one of many in one go."""

    id: str
    what: str
    expected: str
    seen: str
    ok: bool
    seconds: float = 0.0


class Verdict(StrEnum):
    """PASS: all as expected, or off by no more than the host's own stalls and late timers explain. UNEXPLAINED: the right
    thing, but later or earlier than all that explains. FAIL: something else happened than was expected."""

    PASS = "pass"
    UNEXPLAINED = "unexplained"
    FAIL = "fail"


def verdict_of(ok: bool, problem: str, off_time: bool) -> Verdict:
    """off_time: the only thing wrong is when it happened."""
    if ok and not problem:
        return Verdict.PASS
    return Verdict.UNEXPLAINED if off_time else Verdict.FAIL


@dataclass(frozen=True)
class HandOver:
    """One VHID at one event (`phase`: fault or return).

    at, law: since the event, measured and predicted. law is None where nothing should move, and at the return: the wire
    does not show when a node that boots is ready.
    silence, silence_law: since the old master's last advert.
    miss: how far outside the law; allowance: what the host's stall, late timers and the doubt about the event explain.
    off_time: `problem` is about the time alone.
    """

    phase: str
    vhid: int
    network: str
    old: str
    new: str
    expected: str
    cause: str
    at: float | None
    law: tuple[float, float] | None
    silence: float | None
    silence_law: tuple[float, float] | None
    two_masters: float
    miss: float
    stall: float
    allowance: float
    ok: bool
    problem: str = ""
    off_time: bool = False


@dataclass(frozen=True)
class ProbeResult:
    """One probe. outage: longest gap from the fault to its undoing, None: endless. lost: questions never answered in it.

    grain: how much longer than the outage itself that gap may be, which is also its uncertainty. miss: how far outside
    [low, high + grain] it lies.
    back_outage, back_lost: the same from the undoing on. resumed: seconds from the undoing to the next answer, for a
    probe that was expected lost.
    asked, answered: questions in the whole run, and how many of them got an answer.
    off_time: `problem` is about the time alone.
    """

    id: str
    fate: str
    reason: str
    outage: float | None
    law: tuple[float, float] | None
    lost: int
    miss: float
    back_outage: float | None
    back_law: tuple[float, float] | None
    back_lost: int
    resumed: float | None
    grain: float
    allowance: float
    ok: bool
    problem: str = ""
    asked: int = 0
    answered: int = 0
    off_time: bool = False


class StreamFate(StrEnum):
    """An established connection through a fault. SURVIVED: it never stood still for longer than its own pace. STALLED: it
    stood still and went on. LOST: no byte for 10 s after the take-over."""

    SURVIVED = "survived"
    STALLED = "stalled"
    LOST = "lost"


@dataclass(frozen=True)
class StreamResult:
    """One TCP connection that was open before the fault, byte by byte, at its client's own port.

    fate, expected: at the fault. stall: its longest silence between two bytes the client got, from the fault to its undoing,
    seconds; None: it never ended. retransmission: when, in that silence, the first segment was sent again that got an
    answer: TCP waits longer and longer between tries, so a stream goes on at its next try after the take-over and not at
    the take-over. allowed: the longest stall that this explains, None where no limit is known.
    back_*: the same from the undoing on.
    bytes_*: bytes the client got before the fault, from the fault to its undoing, and after.
    state: whether the survivor's state table held the connection during the fault; None: not asked.
    """

    id: str
    network: str
    expected: str
    fate: StreamFate
    stall: float | None
    retransmission: float | None
    allowed: float | None
    back_expected: str
    back_fate: StreamFate
    back_stall: float | None
    back_retransmission: float | None
    bytes_before: int
    bytes_during: int
    bytes_after: int
    state: bool | None
    reason: str
    ok: bool
    problem: str = ""
    off_time: bool = False


class Look(StrEnum):
    """When an invariant was looked at: the healthy lab, the lab with the fault in it, the lab after the undoing."""

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"


@dataclass(frozen=True)
class Invariant:
    """Something that has to hold in a cluster at all times.

    name: one of lab.expect.invariants.Name, stable. subject: what it is about, such as `VHID 1 on lan` or `backup`.
    holds: as seen. wanted: whether it should hold now: a fault may be expected to break it, and finding it broken is then right.
    """

    name: str
    look: Look
    subject: str
    expected: str
    seen: str
    holds: bool
    wanted: bool = True

    @property
    def ok(self) -> bool:
        return self.holds == self.wanted


class Kind(StrEnum):
    """What a moment of the timeline is.

    STEP: the run's own. POWER, LINK, COMMAND: done to a machine. CONSOLE: a line on a firewall's console, stamped when it
    came. LOG: a line of a firewall's log, stamped by that firewall to the second, moved to the host's clock. ADVERT: the first
    advert of a reign, and any whose skew differs from the one before. ARP: a gratuitous ARP for a virtual address.
    PROBE: a probe's outage began or ended. INVARIANT: one was found broken.
    """

    STEP = "step"
    POWER = "power"
    LINK = "link"
    COMMAND = "command"
    CONSOLE = "console"
    LOG = "log"
    ADVERT = "advert"
    ARP = "arp"
    PROBE = "probe"
    INVARIANT = "invariant"


@dataclass(frozen=True)
class TimelineEvent:
    """One moment. at: seconds from the fault. where: machine, network or probe. doubt: how much later it may have been, seconds."""

    at: float
    kind: Kind
    where: str
    text: str
    doubt: float = 0.0


@dataclass(frozen=True)
class ProbeSeries:
    """Every question of one probe in order: (seconds from the fault, seconds to its answer or None), at its machine's own port."""

    id: str
    tries: tuple[tuple[float, float | None], ...]


@dataclass(frozen=True)
class ByteSeries:
    """Bytes a stream's client had got, at most ten points a second: (seconds from the fault, bytes so far)."""

    id: str
    points: tuple[tuple[float, int], ...]


@dataclass(frozen=True)
class ReignSeen:
    """A mastership interval: seconds from the fault, negative before it, first advert to last. skews: (advbase, advskew) in order."""

    vhid: int
    network: str
    node: str
    start: float
    last: float
    adverts: int
    skews: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class OverlapSeen:
    """Split brain: two masters at once, on the run's clock. milliseconds: how long.

    allowed: whether the law has it so, as when a frozen master thaws, or when two nodes disagree on a password.
    """

    vhid: int
    network: str
    nodes: tuple[str, str]
    start: float
    end: float
    milliseconds: float = 0.0
    allowed: bool = False


@dataclass(frozen=True)
class RecorderCost:
    """What watching cost. frames: seen, of all links. dropped: lost by the kernel. cpu: share of one core that the captures used;
    reading: the share that reading them and deciding what to do next used. Both 0.0 where they were not measured."""

    frames: int = 0
    dropped: int = 0
    cpu: float = 0.0
    reading: float = 0.0


@dataclass(frozen=True)
class FailoverReport:
    """One run. began: ISO 8601, UTC. fault_at: seconds since the epoch, by the wire; undone_at, seconds: on the run's clock.

    fault: as typed, for example `unplug master lan`; teaches: one sentence; called: what the document, pfSense or FreeBSD's tests
    call it, "" where nothing.
    baseline: when the probes began to run undisturbed, on the run's clock (negative).
    stall_fault, stall: the host's longest stall from 1 s before the fault to its undoing, and in the whole run.
    dropped: frames the capture lost. repeated: adverts with a counter heard before. malformed: frames of protocol 112
    that are no adverts, by reason.
    events, series, bytes: the timeline, in order of time; every question of every probe; every stream's bytes.
    """

    topology: str
    stage: str
    fault: str
    began: str
    fault_at: float
    undone_at: float
    seconds: float
    hand_overs: tuple[HandOver, ...]
    probes: tuple[ProbeResult, ...]
    reigns: tuple[ReignSeen, ...]
    overlaps: tuple[OverlapSeen, ...]
    stall_fault: float
    stall: float
    dropped: int
    repeated: int
    malformed: Mapping[str, int]
    ok: bool
    baseline: float = 0.0
    teaches: str = ""
    called: str = ""
    streams: tuple[StreamResult, ...] = ()
    invariants: tuple[Invariant, ...] = ()
    events: tuple[TimelineEvent, ...] = ()
    series: tuple[ProbeSeries, ...] = ()
    bytes: tuple[ByteSeries, ...] = ()
    cost: RecorderCost = RecorderCost()

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that was not as expected, one line each."""
        return tuple(text for text, _ in self._wrong())

    @property
    def verdict(self) -> Verdict:
        wrong = self._wrong()
        return verdict_of(not wrong, "", bool(wrong) and all(off_time for _, off_time in wrong))

    def _wrong(self) -> list[tuple[str, bool]]:
        """What was not as expected, and whether it is a matter of time alone."""
        return [
            *(
                (
                    PROBLEM_VHID.format(phase=one.phase, vhid=one.vhid, network=one.network, problem=one.problem),
                    one.off_time,
                )
                for one in self.hand_overs
                if not one.ok
            ),
            *((PROBLEM.format(what=one.id, problem=one.problem), one.off_time) for one in self.probes if not one.ok),
            *((PROBLEM.format(what=one.id, problem=one.problem), one.off_time) for one in self.streams if not one.ok),
            *((_broken(one), False) for one in self.invariants if not one.ok),
        ]


PROBLEM = "{what}: {problem}"
PROBLEM_VHID = "{phase}: VHID {vhid} on {network}: {problem}"
BROKEN = "{look}: {name}: {subject}: expected {expected}, seen {seen}"
UNNOTICED = "{look}: {name}: {subject}: expected broken by the fault, but it holds"


def _broken(one: Invariant) -> str:
    words = UNNOTICED if one.holds else BROKEN
    return words.format(look=one.look.value, name=one.name, subject=one.subject, expected=one.expected, seen=one.seen)

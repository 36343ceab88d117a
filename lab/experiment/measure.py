"""From what was heard to what it means: every hand-over and every probe, measured beside predicted, with a verdict.

Pure: it takes a finished recording and the prediction. All times in the results are seconds; `at` counts from the fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from lab.carp.law import Interval
from lab.expect.fault import DELAY_SECONDS, LOSS_SHARE, FaultKind
from lab.expect.outcome import Cause, Fate, Move, Outcome, ProbeOutcome, VhidOutcome
from lab.expect.paths import PathKind
from lab.expect.probe import ESTABLISHED, Flow
from lab.experiment.heartbeat import Stalls
from lab.experiment.probes import PING_PERIOD, Traffic
from lab.experiment.recorder import Recorder
from lab.experiment.result import HandOver, ProbeResult
from lab.experiment.series import Gap, Try, answered_after, longest_gap, within
from lab.experiment.wire import TakeOver, overlaps, reigns, take_overs

DEAD_AFTER = 1.0
"""Seconds of silence at a window's end that make an outage endless; every probe asks more often."""

SUDDEN = (FaultKind.KILL, FaultKind.BOTH)
"""Faults after which the node says nothing at all, until it is switched on again."""

NOT_MOVED = "did not move; expected {node} after {wait}"
MOVED = "moved to {node}, expected to stay"
WRONG_HEIR = "moved to {node}, expected {expected}"
OFF_TIME = "outside the law"
LATE = "outside the law by {miss:+.3f} s, more than {allowance:.3f} s can explain"
SPLIT = "two masters for {seconds:.3f} s"
ODD_SHARE = "{seen:.0f} % of {count} answered, expected {share:.0f} % within {doubt:.0f}"
NOT_SLOWER = "answers took {slower:+.3f} s longer, expected more"
STRANDED = "never answered"
LEAKED = "{count} answers, though the rules deny it"
WENT_ON = "expected lost, but it went on"
NO_RETURN = "did not come back after the fault was undone"
ENDLESS = "no answer any more, expected {expected}"


@dataclass(frozen=True)
class Times:
    """Seconds since the epoch. baseline: probes run undisturbed from here; fault: the event itself, by the wire;
    fault_doubt: how much later it may have been; undone: the undoing began; end: the last look; ended: when a fault
    that undoes itself was over, None: the same as `undone`."""

    baseline: float
    injected: float
    fault: float
    fault_doubt: float
    undone: float
    end: float
    ended: float | None = None

    @property
    def returned(self) -> float:
        """From when a return is counted."""
        return self.undone if self.ended is None else self.ended


FAULT, RETURN = "fault", "return"


def hand_overs(outcome: Outcome, recorder: Recorder, times: Times, stalls: Stalls, timers: float) -> list[HandOver]:
    """Every VHID at the fault and at the return. timers: how late a firewall's own timer may fire."""
    changes = take_overs(recorder.ledger.adverts)
    both = overlaps(reigns(recorder.ledger.adverts))
    found = []
    for vhid in outcome.vhids:
        split = [overlap for overlap in both if (overlap.network, overlap.vhid) == (vhid.network, vhid.vhid)]
        own = [change for change in changes if (change.network, change.vhid) == (vhid.network, vhid.vhid)]
        if vhid.fault.cause is Cause.NOBODY:
            own += _first_reigns(recorder, vhid, times)
        phases = _in_turn(own, times) if outcome.fault.undoes_itself else _by_time(own, times)
        for phase, here in phases.items():
            start, end = (times.injected, times.undone) if phase == FAULT else (times.undone, times.end)
            at_once = sum(overlap.seconds for overlap in split if start <= overlap.start < end)
            found.append(_hand_over(phase, vhid, here, at_once, times, stalls, timers))
    return found


def _by_time(changes: list[TakeOver], times: Times) -> dict[str, list[TakeOver]]:
    return {
        FAULT: [change for change in changes if times.injected <= change.time < times.undone],
        RETURN: [change for change in changes if times.undone <= change.time < times.end],
    }


def _in_turn(changes: list[TakeOver], times: Times) -> dict[str, list[TakeOver]]:
    """Of a fault that undoes itself: the first change is its doing, what follows is the return, whenever each VHID's turn was."""
    own = [change for change in changes if times.injected <= change.time < times.end]
    return {FAULT: own[:1], RETURN: own[1:]}


def _first_reigns(recorder: Recorder, vhid: VhidOutcome, times: Times) -> list[TakeOver]:
    """Where nobody was left, the first to come is no take-over from anybody: it counts from the last advert of all."""
    own = [r for r in reigns(recorder.ledger.adverts) if (r.network, r.vhid) == (vhid.network, vhid.vhid)]
    before = [r for r in own if r.start < times.undone]
    after = [r for r in own if r.start >= times.undone and before and r.node == before[-1].node]
    return [
        TakeOver(r.start, r.vhid, r.network, before[-1].node, r.node, r.start - before[-1].last, before[-1].skews[-1])
        for r in after[:1]
    ]


def fault_time(
    outcome: Outcome, traffic: Sequence[Traffic], recorder: Recorder, window: tuple[float, float, float]
) -> tuple[float, float]:
    """When the fault happened, by the wire, and how much later it may have been.

    window: the verb began, the verb was done, the undoing began. A killed node has its last frame; a master that falls
    silent in another way has the last answer of its virtual addresses; all else has only the verb.
    """
    injected, done, undone = window
    if outcome.fault.kind in SUDDEN:
        last = recorder.last_spoke(outcome.fault.node, injected, undone)
        if last is not None:
            return last, PING_PERIOD
    silent = {vhid.network for vhid in outcome.vhids if vhid.fault.cause is Cause.SILENCE}
    networks = recorder.topology.machines
    gateways = [
        one
        for one in traffic
        if one.probe.path.kind is PathKind.GATEWAY and networks[one.probe.source].network in silent
    ]
    gaps = [longest_gap(recorder.tries(one), injected, undone) for one in gateways]
    ends = [gap.last for gap in gaps if gap is not None and gap.last >= injected]
    return (max(ends), PING_PERIOD) if ends else (injected, done - injected)


def _hand_over(
    phase: str, vhid: VhidOutcome, changes: list[TakeOver], split: float, times: Times, stalls: Stalls, timers: float
) -> HandOver:
    first = phase == FAULT
    move = vhid.fault if first else vhid.back
    old, expected = (vhid.before, vhid.after) if first else (vhid.after, vhid.before)
    change = changes[0] if changes else None
    new = changes[-1].new if changes else (old or "")
    since = times.fault if first else times.returned
    stall = stalls.worst(since - 1.0, change.time if change else since + 4.0)
    if change:
        # What it waited for a core from when it was due: only that can have made it late.
        due = change.time - change.silence + (move.silence.high if move.silence else 0.0)
        stall += stalls.waited(change.new, due, change.time)
    allowance = stall + timers
    miss = _law_miss(move, change, times, allowance, first)
    problem = _hand_over_problem(move, new, old or "", expected or "", bool(change), miss, allowance)
    if not changes and not vhid.fault.certain:
        problem = ""
    if not problem and split > allowance + move.two_masters:
        problem = SPLIT.format(seconds=split)
    return HandOver(
        phase=phase,
        vhid=vhid.vhid,
        network=vhid.network,
        old=old or "",
        new=new,
        expected=expected or "",
        cause=move.cause.value,
        at=change.time - since if change else None,
        law=as_pair(move.at) if first else None,
        silence=change.silence if change else None,
        silence_law=as_pair(move.silence),
        two_masters=split,
        miss=miss,
        stall=stall,
        allowance=allowance,
        ok=not problem,
        problem=problem,
        off_time=problem.startswith(OFF_TIME),
    )


def _law_miss(move: Move, change: TakeOver | None, times: Times, allowance: float, fault: bool) -> float:
    """How far a hand-over lies outside the law, by its worse measure.

    Counted from the event only where the event itself is on the wire: a master that fell silent. A command given on a
    console, or a boot, takes effect at a moment the wire does not show; there the old master's last advert is the mark.
    """
    if change is None or move.at is None:
        return 0.0
    misses = [move.silence.miss(change.silence)] if move.silence is not None else []
    if not move.certain and min(misses, default=0.0) < 0.0:
        # The old master spoke again when the backup's time was already up: its last advert is no mark then.
        misses = []
    if fault and move.cause is Cause.SILENCE:
        low, high = move.at.low, move.at.high + times.fault_doubt
        misses.append(Interval(low, high).miss(change.time - times.fault))
    return max(misses, key=abs, default=0.0)


def _hand_over_problem(
    move: Move, new: str, old: str, expected: str, changed: bool, miss: float, allowance: float
) -> str:
    if move.at is None:
        return MOVED.format(node=new) if changed and new != old else ""
    if not changed:
        return NOT_MOVED.format(node=expected, wait=move.at)
    if new != expected:
        return WRONG_HEIR.format(node=new, expected=expected)
    return LATE.format(miss=miss, allowance=allowance) if abs(miss) > allowance else ""


def probe_results(
    outcome: Outcome, traffic: Sequence[Traffic], recorder: Recorder, times: Times, stalls: Stalls, timers: float
) -> list[ProbeResult]:
    """Every probe, judged against what was expected of it."""
    by_id = {one.probe.id: one for one in outcome.everything if one.probe.flow not in ESTABLISHED}
    worst = stalls.worst(times.fault, times.end)
    return [
        _probe_result(by_id[one.probe.id], one, recorder.tries(one), times, stalls, worst + timers)
        for one in traffic
        if one.probe.id in by_id
    ]


def _waited(stalls: Stalls, gap: Gap | None, expected: float) -> float:
    """What the busiest firewall waited for a core from when a gap should have ended to when it did."""
    if gap is None or gap.first is None:
        return 0.0
    return stalls.longest_wait(gap.last + expected, gap.first)


def _probe_result(
    expected: ProbeOutcome,
    traffic: Traffic,
    tries: tuple[Try, ...],
    times: Times,
    stalls: Stalls,
    allowance: float,
) -> ProbeResult:
    new = expected.probe.flow is Flow.NEW
    start = tries[0].sent if new and tries else times.injected
    gap = longest_gap(tries, start, times.undone, DEAD_AFTER + traffic.grain)
    back = longest_gap(tries, times.undone, times.end, DEAD_AFTER + traffic.grain)
    quiet = None if new else longest_gap(tries, times.baseline, times.injected)
    # What it shows when nothing happens, or could show at most: no part of an outage.
    grain = max(traffic.grain, (quiet.seconds or 0.0) if quiet else 0.0)
    resumed = answered_after(tries, times.undone)
    high = expected.outage.high if expected.outage else 0.0
    during = tries if expected.fate is Fate.DENIED else within(tries, times.fault, times.undone)
    miss, problem = _judge(expected, gap, grain, allowance + _waited(stalls, gap, high), during)
    if not problem and expected.fate is Fate.SLOWED:
        problem = _judge_delay(within(tries, times.baseline, times.injected), during)
    if not problem and expected.fate is not Fate.DENIED:
        high = expected.back.high if expected.back else 0.0
        problem = _judge_return(expected, back, resumed, grain, allowance + _waited(stalls, back, high))
    lost_one = expected.fate is Fate.LOST
    return ProbeResult(
        id=expected.probe.id,
        fate=expected.fate.name.lower(),
        reason=expected.reason,
        outage=gap.seconds if gap else None,
        law=as_pair(expected.outage),
        lost=gap.lost if gap else len(tries),
        miss=miss,
        back_outage=back.seconds if back and not lost_one else None,
        back_law=as_pair(expected.back),
        back_lost=back.lost if back and not lost_one else 0,
        resumed=resumed - times.undone if lost_one and resumed is not None else None,
        grain=grain,
        allowance=allowance,
        ok=not problem,
        problem=problem,
        asked=len(tries),
        answered=sum(one.answered is not None for one in tries),
        off_time=problem.startswith(OFF_TIME),
    )


def _judge(
    expected: ProbeOutcome, gap: Gap | None, grain: float, allowance: float, tries: tuple[Try, ...]
) -> tuple[float, str]:
    """How far outside the law, and what is wrong, if anything, between the fault and its undoing."""
    if expected.fate is Fate.DENIED:
        answers = sum(try_.answered is not None for try_ in tries)
        return 0.0, LEAKED.format(count=answers) if answers else ""
    if expected.fate is Fate.THINNED:
        return 0.0, _judge_share(tries)
    if gap is None:
        # A ping begun after the hand-over that is expected lost never had an answer.
        return 0.0, "" if expected.fate is Fate.LOST else STRANDED
    if expected.fate is Fate.LOST:
        return 0.0, WENT_ON if gap.seconds is not None else ""
    law = expected.outage or Interval(0.0, 0.0)
    if gap.seconds is None:
        return 0.0, ENDLESS.format(expected=law)
    miss = Interval(law.low, law.high + grain).miss(gap.seconds)
    return miss, LATE.format(miss=miss, allowance=allowance) if abs(miss) > allowance else ""


def _judge_share(tries: tuple[Try, ...]) -> str:
    """Whether as many were answered as a loss on the way there and on the way back leaves, within five standard deviations."""
    count = len(tries)
    if not count:
        return STRANDED
    share = (1 - LOSS_SHARE) ** 2
    doubt = 5 * (share * (1 - share) / count) ** 0.5 + 1 / count
    seen = sum(one.answered is not None for one in tries) / count
    if abs(seen - share) <= doubt or (seen > share and share + doubt >= 1):
        return ""
    return ODD_SHARE.format(seen=100 * seen, share=100 * share, doubt=100 * doubt, count=count)


def _judge_delay(before: tuple[Try, ...], during: tuple[Try, ...]) -> str:
    """Whether answers take longer than before; half of what a held-back frame waits on average, to be sure."""
    waits = [[one.answered - one.sent for one in tries if one.answered is not None] for tries in (before, during)]
    if not waits[1]:
        return STRANDED
    if not waits[0]:
        return ""  # begun in the middle: nothing to compare with
    slower = median(waits[1]) - median(waits[0])
    return NOT_SLOWER.format(slower=slower) if slower < DELAY_SECONDS / 4 else ""


def _judge_return(
    expected: ProbeOutcome, back: Gap | None, resumed: float | None, grain: float, allowance: float
) -> str:
    if expected.back is None:
        return ""
    if resumed is None:
        return NO_RETURN
    if expected.fate is Fate.LOST:
        return ""
    if back is None or back.seconds is None:
        return NO_RETURN
    miss = expected.back.miss(back.seconds) - grain
    return LATE.format(miss=miss, allowance=allowance) if miss > allowance else ""


def as_pair(interval: Interval | None) -> tuple[float, float] | None:
    return (interval.low, interval.high) if interval is not None else None

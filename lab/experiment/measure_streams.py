"""What became of the connections that were open before a fault: survived, stalled for how long and why so long, or lost.

TCP is judged against its own next try: after an outage the sender waits for its retransmission timer, which doubles each time,
so that a stream may stand still for twice the outage. Pure; times in the results are seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lab.expect.outcome import Fate, Outcome, ProbeOutcome
from lab.expect.probe import ESTABLISHED
from lab.experiment.heartbeat import Stalls
from lab.experiment.measure import Times
from lab.experiment.probes import STREAM_GRAIN, Traffic
from lab.experiment.recorder import Recorder
from lab.experiment.result import ByteSeries, StreamFate, StreamResult
from lab.experiment.stream import Connection, Silence, bytes_between, longest_silence, thin
from lab.experiment.wire import take_overs

STREAM_DEAD = 10.0
"""Seconds without a byte after the take-over that make a stream lost."""
RTO_MIN = 0.2
"""Linux TCP_RTO_MIN: what the first retransmission waits at least, on top of the round trip."""
ANSWER_SECONDS = 0.5
"""From a retransmission to its acknowledgement, through firewalls that are emulated."""
STILL = 1.0
"""A silence up to this is no stall: one lost segment costs a retransmission or two."""
SPACING = 0.1
"""Seconds between two points of a stream's byte count in a report."""

EXPECTED = {
    Fate.SURVIVES: StreamFate.SURVIVED,
    Fate.THINNED: StreamFate.SURVIVED,
    Fate.SLOWED: StreamFate.SURVIVED,
    Fate.OUTAGE: StreamFate.STALLED,
    Fate.LOST: StreamFate.LOST,
}
NEVER = "never delivered anything"
WENT_ON = "expected lost, but it went on after {seconds:.3f} s"
DIED = "expected {expected}, but no byte came any more"
TOO_LONG = "stood still for {stall:.3f} s, {miss:+.3f} s more than its retransmissions explain"
DIED_BACK = "lost at the return"


def established(outcome: Outcome) -> tuple[ProbeOutcome, ...]:
    """The TCP connections among what is kept open."""
    return tuple(one for one in outcome.streams if one.probe.flow in ESTABLISHED)


def stream_results(
    outcome: Outcome,
    traffic: Sequence[Traffic],
    recorder: Recorder,
    times: Times,
    stalls: Stalls,
    timers: float,
    held: Mapping[str, bool],
) -> Iterator[StreamResult]:
    """Every stream. held: probe id -> whether the survivor's state table had it, where that was asked."""
    by_id = {one.probe.id: one for one in traffic}
    worst = stalls.worst(times.fault, times.end) + timers
    for expected in established(outcome):
        if expected.probe.id in by_id:
            one = by_id[expected.probe.id]
            up = _path_up(recorder, expected, times)
            yield _result(expected, recorder.connection(one), recorder, times, up, worst, held.get(expected.probe.id))


def byte_series(traffic: Sequence[Traffic], recorder: Recorder, zero: float) -> Iterator[ByteSeries]:
    """Every stream's bytes over time, on the run's clock."""
    for one in traffic:
        connection = recorder.connection(one)
        if connection is not None:
            points = tuple((round(p.time - zero, 4), p.bytes) for p in thin(connection.points, SPACING))
            yield ByteSeries(one.probe.id, points)


def _path_up(recorder: Recorder, expected: ProbeOutcome, times: Times) -> float:
    """When the stream's way was whole again: the last take-over on one of its networks, else the fault itself."""
    machines, path = recorder.topology.machines, expected.probe.path
    networks = {machines[path.source].network, machines[path.target].network}
    moves = [
        change.time
        for change in take_overs(recorder.ledger.adverts)
        if change.network in networks and times.injected <= change.time < times.undone
    ]
    return max(moves, default=times.fault)


def _result(
    expected: ProbeOutcome,
    connection: Connection | None,
    recorder: Recorder,
    times: Times,
    up: float,
    allowance: float,
    held: bool | None,
) -> StreamResult:
    wanted = EXPECTED[expected.fate]
    points = connection.points if connection else []
    dead_after = min(STREAM_DEAD, max(times.undone - up, 0.0)) - STREAM_GRAIN
    silence = longest_silence(points, times.fault, times.undone, max(dead_after, STREAM_GRAIN))
    back = longest_silence(points, times.undone, times.end, STREAM_DEAD / 2)
    quiet = longest_silence(points, times.baseline, times.injected, STREAM_DEAD)
    pace = (quiet.seconds or 0.0) if quiet else 0.0
    tries = _tries(connection, silence, up)
    # Where frames are lost at random a try may be lost too: the one that counts is the last.
    again = (tries[-1] if expected.fate is Fate.THINNED else tries[0]) if tries else None
    allowed = _allowed(silence, again, up, pace, allowance)
    fate, back_fate = _fate(silence, pace), _fate(back, pace)
    problem, off_time = _judge(wanted, fate, silence, allowed)
    back_tries = _tries(connection, back, times.undone)
    if not problem and wanted is not StreamFate.LOST and back_fate is StreamFate.LOST:
        problem = DIED_BACK
    return StreamResult(
        id=expected.probe.id,
        network=recorder.topology.machines[expected.probe.source].network,
        expected=wanted.value,
        fate=fate,
        stall=silence.seconds if silence else None,
        retransmission=again - silence.last if again is not None and silence else None,
        allowed=allowed,
        back_expected=(StreamFate.SURVIVED if wanted is not StreamFate.LOST else StreamFate.LOST).value,
        back_fate=back_fate,
        back_stall=back.seconds if back else None,
        back_retransmission=back_tries[0] - back.last if back_tries and back else None,
        bytes_before=bytes_between(points, 0.0, times.fault),
        bytes_during=bytes_between(points, times.fault, times.undone),
        bytes_after=bytes_between(points, times.undone, times.end),
        state=held,
        reason=expected.reason,
        ok=not problem,
        problem=problem,
        off_time=off_time,
    )


def _fate(silence: Silence | None, pace: float) -> StreamFate:
    if silence is None or silence.seconds is None:
        return StreamFate.LOST
    return StreamFate.STALLED if silence.seconds > max(STILL, 2 * pace) else StreamFate.SURVIVED


def _tries(connection: Connection | None, silence: Silence | None, up: float) -> list[float]:
    """When segments were sent again after the way was whole, within the silence; in order of time."""
    if connection is None or silence is None:
        return []
    end = silence.first if silence.first is not None else float("inf")
    return sorted(time for time in connection.resends if max(up, silence.last) <= time <= end)


def _allowed(silence: Silence | None, again: float | None, up: float, pace: float, allowance: float) -> float | None:
    """How long the silence may be: until the next try that was seen; where none was, until the latest that can have been."""
    if silence is None:
        return None
    if again is not None:
        return again - silence.last + ANSWER_SECONDS + pace + allowance
    return 2 * max(0.0, up - silence.last) + RTO_MIN + ANSWER_SECONDS + pace + STILL + allowance


def _judge(wanted: StreamFate, fate: StreamFate, silence: Silence | None, allowed: float | None) -> tuple[str, bool]:
    """What is wrong, and whether it is a matter of time alone."""
    if silence is None:
        return NEVER, False
    stall = silence.seconds
    if wanted is StreamFate.LOST:
        return (WENT_ON.format(seconds=stall), False) if stall is not None else ("", False)
    if fate is StreamFate.LOST or stall is None:
        return DIED.format(expected=wanted.value), False
    if allowed is not None and stall > allowed:
        return TOO_LONG.format(stall=stall, miss=stall - allowed), True
    return "", False

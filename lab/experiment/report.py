"""What a failover run found: one frozen value, which is JSON as it stands, and the same as plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime

from lab.expect.catalogue import about
from lab.expect.outcome import Outcome
from lab.experiment.heartbeat import Stalls
from lab.experiment.measure import Times
from lab.experiment.measure_streams import STREAM_DEAD, byte_series
from lab.experiment.probes import Traffic
from lab.experiment.recorder import Recorder
from lab.experiment.result import (
    FailoverReport,
    HandOver,
    Invariant,
    Look,
    OverlapSeen,
    ProbeResult,
    ProbeSeries,
    RecorderCost,
    ReignSeen,
    StreamResult,
)
from lab.experiment.series import Try, longest_gap
from lab.experiment.stream import StreamKey, longest_silence
from lab.experiment.timeline import events, invariant_notes, probe_notes
from lab.experiment.wire import Overlap, overlaps, reigns
from lab.topology.model import Topology
from lab.topology.stage import Stage

NOTHING, ENDLESS, NEVER, SECONDS, RANGE = "-", "endless", "no answer", "{0:.3f} s", "{0:.3f}-{1:.3f} s"
TITLE = "{topology} at stage {stage}: {fault}"
VERDICTS = {True: "PASS", False: "FAIL"}
HEAD_HAND_OVERS = ("phase", "VHID", "moves", "cause", "after event", "law", "after last advert", "law", "verdict")
HEAD_PROBES = ("probe", "expected", "outage", "law", "lost", "at return", "verdict")
HEAD_STREAMS = (
    "stream",
    "expected",
    "fate",
    "stall",
    "sent again at",
    "at most",
    "at return",
    "bytes",
    "state on survivor",
)
HEAD_INVARIANTS = ("invariant", "when", "about", "expected", "seen", "verdict")
BYTES = "{before}+{during}+{after}"
STATES = {True: "held", False: "not held", None: NOTHING}
HOLDING = "{count} of {all} invariants hold, as they should"
WRONG, AS_EXPECTED = "broken", "broken, as expected"
COST = "captured {frames} frames; reading them took {reading:.1f} % of one core{capturing}"
CAPTURING = ", capturing them {cpu:.1f} %"
HOST = "host stalled at most {fault:.3f} s around the fault, {total:.3f} s in the whole run; frames dropped: {dropped}"
EXPLAINED = "ok"
EXPLAINED_BY = "ok, {miss:+.3f} s of {allowance:.3f} s explained"
STAYS, MOVES = "{old} stays", "{old} > {new}"
RESUMED = "resumed after {0:.1f} s"
END = "{verdict}: {ok} of {count} as expected, in {seconds:.1f} s"


def make_report(
    topology: Topology,
    stage: Stage,
    outcome: Outcome,
    times: Times,
    stalls: Stalls,
    recorder: Recorder,
    dropped: Mapping[str, int],
    hand_overs: Sequence[HandOver],
    probes: Sequence[ProbeResult],
) -> FailoverReport:
    """Put a finished run together."""
    zero = times.fault
    found = reigns(recorder.ledger.adverts)
    return FailoverReport(
        topology=topology.name,
        stage=stage.value,
        fault=str(outcome.fault),
        began=datetime.fromtimestamp(times.baseline, UTC).isoformat(timespec="milliseconds"),
        fault_at=zero,
        undone_at=times.undone - zero,
        seconds=times.end - times.baseline,
        hand_overs=tuple(hand_overs),
        probes=tuple(probes),
        reigns=tuple(
            ReignSeen(r.vhid, r.network, r.node, r.start - zero, r.last - zero, r.adverts, r.skews) for r in found
        ),
        overlaps=tuple(
            OverlapSeen(o.vhid, o.network, o.nodes, o.start - zero, o.end - zero, 1000 * o.seconds, _lawful(outcome, o))
            for o in overlaps(found)
        ),
        stall_fault=stalls.worst(zero - 1.0, times.undone),
        stall=stalls.worst(times.baseline, times.end),
        dropped=sum(dropped.values()),
        repeated=sum(advert.repeated for advert in recorder.ledger.adverts),
        malformed=dict(recorder.ledger.malformed),
        ok=all(move.ok for move in hand_overs) and all(probe.ok for probe in probes),
        baseline=times.baseline - zero,
        teaches=about(outcome.fault).teaches,
        called=about(outcome.fault).called,
    )


def _lawful(outcome: Outcome, overlap: Overlap) -> bool:
    """Whether two masters at once are what this fault makes, for as long as that may take."""
    own = [one for one in outcome.vhids if (one.network, one.vhid) == (overlap.network, overlap.vhid)]
    longest = max((max(one.fault.two_masters, one.back.two_masters) for one in own), default=0.0)
    return bool(outcome.breaks) or overlap.seconds <= longest


def complete(
    report: FailoverReport,
    times: Times,
    recorder: Recorder,
    traffic: Sequence[Traffic],
    streams: tuple[StreamResult, ...],
    invariants: tuple[Invariant, ...],
    cost: RecorderCost,
) -> FailoverReport:
    """The same with streams, invariants, the timeline and every series."""
    zero = report.fault_at
    short = [one for one in traffic if not isinstance(one.key, StreamKey)]
    gaps: dict[str, tuple[float, float | None]] = {}
    for one in traffic:
        connection = recorder.connection(one)
        if connection is not None:
            silence = longest_silence(connection.points, times.fault, times.undone, STREAM_DEAD)
            if silence is not None and silence.seconds != 0.0:
                gaps[one.probe.id] = silence.last, silence.first
        elif (gap := longest_gap(recorder.tries(one), times.fault, times.undone)) is not None and gap.lost:
            gaps[one.probe.id] = gap.last, gap.first
    looks = {Look.BEFORE.value: times.baseline, Look.DURING.value: times.undone, Look.AFTER.value: times.end}
    notes = [
        *recorder.moments,
        *probe_notes(gaps, {one.id for one in streams}),
        *invariant_notes(invariants, looks),
    ]
    return replace(
        report,
        streams=streams,
        invariants=invariants,
        events=events(notes, zero),
        series=tuple(ProbeSeries(one.probe.id, _points(recorder.tries(one), zero)) for one in short),
        bytes=tuple(byte_series(traffic, recorder, zero)),
        cost=cost,
        ok=report.ok and all(one.ok for one in streams) and all(one.ok for one in invariants),
    )


def _points(tries: Sequence[Try], zero: float) -> tuple[tuple[float, float | None], ...]:
    return tuple(
        (round(one.sent - zero, 4), None if one.answered is None else round(one.answered - one.sent, 5))
        for one in tries
    )


def to_json(report: FailoverReport) -> dict[str, object]:
    """Plain JSON values, with the list of problems."""
    return {**asdict(report), "problems": list(report.problems), "verdict": report.verdict.value}


def to_text(report: FailoverReport) -> str:
    """For a terminal: two tables, the host's part, what was wrong."""
    judged = [one.ok for one in report.hand_overs] + [one.ok for one in report.probes]
    judged += [one.ok for one in report.streams] + [one.ok for one in report.invariants]
    good, count = sum(judged), len(judged)
    lines = [
        TITLE.format(topology=report.topology, stage=report.stage, fault=report.fault),
        *filter(None, (report.teaches,)),
        "",
        *_table(HEAD_HAND_OVERS, [hand_over_row(one) for one in report.hand_overs]),
        "",
        *_table(HEAD_PROBES, [probe_row(one) for one in report.probes]),
        "",
        *_stream_lines(report),
        *_invariant_lines(report),
        HOST.format(fault=report.stall_fault, total=report.stall, dropped=report.dropped),
        _cost_line(report),
        *report.problems,
        END.format(verdict=VERDICTS[report.ok], ok=good, count=count, seconds=report.seconds),
    ]
    return "\n".join(lines)


def _stream_lines(report: FailoverReport) -> list[str]:
    return [*_table(HEAD_STREAMS, [stream_row(one) for one in report.streams]), ""] if report.streams else []


def _invariant_lines(report: FailoverReport) -> list[str]:
    """Those that hold, as they should, are counted alone."""
    told = [one for one in report.invariants if not one.holds or not one.wanted]
    if not report.invariants:
        return []
    holding = HOLDING.format(count=len(report.invariants) - len(told), all=len(report.invariants))
    return [*(_table(HEAD_INVARIANTS, [invariant_row(one) for one in told]) if told else []), holding, ""]


def _cost_line(report: FailoverReport) -> str:
    cost = report.cost
    capturing = CAPTURING.format(cpu=100 * cost.cpu) if cost.cpu else ""
    return COST.format(frames=cost.frames, reading=100 * cost.reading, capturing=capturing)


def stream_row(one: StreamResult) -> tuple[str, ...]:
    """Cells under HEAD_STREAMS."""
    amount = BYTES.format(before=one.bytes_before, during=one.bytes_during, after=one.bytes_after)
    return (
        one.id, one.expected, one.fate.value, _seconds(one.stall, ENDLESS), _seconds(one.retransmission),
        _seconds(one.allowed), f"{one.back_fate.value} {_seconds(one.back_stall)}", amount, STATES[one.state],
    )  # fmt: skip


def invariant_row(one: Invariant) -> tuple[str, ...]:
    """Cells under HEAD_INVARIANTS."""
    verdict = EXPLAINED if one.holds else (WRONG if one.wanted else AS_EXPECTED)
    return one.name, one.look.value, one.subject, one.expected, one.seen, verdict


def hand_over_row(one: HandOver) -> tuple[str, ...]:
    """Cells under HEAD_HAND_OVERS."""
    moves = (STAYS if one.at is None else MOVES).format(old=one.old, new=one.new)
    verdict = _verdict(one.ok, one.problem, one.miss, one.allowance)
    return (
        one.phase, str(one.vhid), moves, one.cause, _seconds(one.at), _range(one.law),
        _seconds(one.silence), _range(one.silence_law), verdict,
    )  # fmt: skip


def probe_row(one: ProbeResult) -> tuple[str, ...]:
    """Cells under HEAD_PROBES."""
    outage = _seconds(one.outage, ENDLESS if one.fate == "lost" else NEVER)
    back = RESUMED.format(one.resumed) if one.resumed is not None else _seconds(one.back_outage)
    verdict = _verdict(one.ok, one.problem, one.miss, one.allowance)
    return one.id, one.fate, outage, _range(one.law), str(one.lost), back, verdict


def _verdict(ok: bool, problem: str, miss: float, allowance: float) -> str:
    if not ok:
        return problem
    return EXPLAINED_BY.format(miss=miss, allowance=allowance) if miss else EXPLAINED


def _seconds(value: float | None, absent: str = NOTHING) -> str:
    return absent if value is None else SECONDS.format(value)


def _range(value: tuple[float, float] | None) -> str:
    return NOTHING if value is None else RANGE.format(*value)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in (head, *rows)
    ]

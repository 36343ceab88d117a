"""The tables of measured beside predicted, in one language."""

from __future__ import annotations

from dataclasses import dataclass

from lab.experiment.result import HandOver, Invariant, ProbeResult, StreamResult, verdict_of
from lab.report.account import Account


@dataclass(frozen=True)
class Row:
    """kind: pass, unexplained or fail."""

    kind: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Tables:
    """Tables of one run."""

    account: Account

    @property
    def hand_overs(self) -> tuple[Row, ...]:
        return tuple(self._hand_over(one) for one in self.account.report.hand_overs)

    @property
    def probes(self) -> tuple[Row, ...]:
        return tuple(self._probe(one) for one in self.account.report.probes)

    @property
    def streams(self) -> tuple[Row, ...]:
        return tuple(self._stream(one) for one in self.account.report.streams)

    @property
    def invariants(self) -> tuple[Row, ...]:
        return tuple(self._invariant(one) for one in self.account.report.invariants)

    def _hand_over(self, one: HandOver) -> Row:
        words = self.account.words
        moves = words.stays if one.at is None else words.moves
        cells = (
            words.phases.get(one.phase, one.phase),
            words.vhid.format(vhid=one.vhid, network=one.network),
            moves.format(old=one.old, new=one.new),
            self._seconds(one.at),
            self._range(one.law),
            self._seconds(one.silence),
            self._range(one.silence_law),
            self._judgement(one.ok, one.problem, one.miss, one.allowance),
        )
        return Row(self._kind(one.ok, one.problem, one.off_time), cells)

    def _probe(self, one: ProbeResult) -> Row:
        words, style = self.account.words, self.account.style
        outage = self._seconds(one.outage, words.endless if one.fate == "lost" else words.no_answer)
        back = (
            words.again_after.format(seconds=style.seconds(one.resumed, 1))
            if one.resumed is not None
            else self._seconds(one.back_outage)
        )
        cells = (
            one.id,
            words.fate_names.get(one.fate, one.fate),
            outage,
            self._range(one.law),
            style.whole(one.lost),
            back,
            self._judgement(one.ok, one.problem, one.miss, one.allowance),
        )
        return Row(self._kind(one.ok, one.problem, one.off_time), cells)

    def _stream(self, one: StreamResult) -> Row:
        words, style = self.account.words, self.account.style
        cells = (
            one.id,
            words.stream_names.get(one.expected, one.expected),
            words.stream_names[one.fate.value],
            self._seconds(one.stall, words.endless),
            self._seconds(one.retransmission),
            " / ".join(style.whole(count) for count in (one.bytes_before, one.bytes_during, one.bytes_after)),
            words.nothing if one.state is None else (words.yes if one.state else words.no),
            self._judgement(one.ok, one.problem, 0.0, 0.0),
        )
        return Row(self._kind(one.ok, one.problem, one.off_time), cells)

    def _invariant(self, one: Invariant) -> Row:
        words, translate = self.account.words, self.account.style.translate
        held = words.holds if one.holds else (words.broken if one.wanted else words.broken_wanted)
        cells = (
            words.looks[one.look.value],
            translate(one.name),
            translate(one.subject),
            translate(one.expected),
            translate(one.seen),
            held,
        )
        return Row("pass" if one.ok else "fail", cells)

    @staticmethod
    def _kind(ok: bool, problem: str, off_time: bool) -> str:
        return verdict_of(ok, problem, off_time).value

    def _judgement(self, ok: bool, problem: str, miss: float, allowance: float) -> str:
        words, style = self.account.words, self.account.style
        if not ok:
            return style.translate(problem)
        if not miss:
            return words.as_law
        return words.off_by.format(miss=style.seconds(miss, signed=True), allowance=style.seconds(allowance))

    def _seconds(self, value: float | None, absent: str | None = None) -> str:
        if value is None:
            return self.account.words.nothing if absent is None else absent
        return self.account.style.seconds(value)

    def _range(self, value: tuple[float, float] | None) -> str:
        return self.account.words.nothing if value is None else self.account.style.range(*value)

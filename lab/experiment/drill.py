"""Many faults in a row on one lab, as a score card."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lab.errors import LabError
from lab.expect.fault import Fault
from lab.experiment.result import FailoverReport, Verdict

BROKE_OFF = "{summary}: {seen}"


@dataclass(frozen=True)
class Score:
    """One fault in one round. take_over: the slowest VHID's, seconds from the fault; outage: the longest of a probe that was not
    expected lost; seconds: the whole run's. problem: the first, or the error that ended the run."""

    fault: str
    round: int
    verdict: Verdict
    seconds: float
    take_over: float | None = None
    outage: float | None = None
    problem: str = ""


@dataclass(frozen=True)
class ScoreCard:
    """scores: in the order of the runs."""

    topology: str
    stage: str
    rounds: int
    scores: tuple[Score, ...]

    @property
    def ok(self) -> bool:
        return bool(self.scores) and all(score.verdict is Verdict.PASS for score in self.scores)

    def count(self, verdict: Verdict) -> int:
        return sum(score.verdict is verdict for score in self.scores)


def drill(
    faults: Sequence[Fault],
    rounds: int,
    once: Callable[[Fault, int], FailoverReport],
    mend: Callable[[], None],
    tell: Callable[[Score], None],
) -> Iterable[Score]:
    """Every fault once a round. A run that raises is a FAIL; `mend` then makes the lab whole for the next, and what it raises ends
    the drill."""
    scores: list[Score] = []
    for number in range(1, rounds + 1):
        for fault in faults:
            try:
                score = score_of(once(fault, number), number)
            except LabError as error:
                score = Score(str(fault), number, Verdict.FAIL, 0.0, problem=told(error))
                mend()
            scores.append(score)
            tell(score)
    return scores


def told(error: LabError) -> str:
    """The error in a line: what, and what was seen."""
    seen = " ".join(error.problem.seen.split())
    return BROKE_OFF.format(summary=error.problem.summary, seen=seen) if seen else error.problem.summary


def score_of(report: FailoverReport, number: int) -> Score:
    """One run in a line."""
    moves = [one.at for one in report.hand_overs if one.phase == "fault" and one.at is not None]
    outages = [one.outage for one in report.probes if one.outage is not None and one.fate in ("outage", "survives")]
    return Score(
        report.fault,
        number,
        report.verdict,
        report.seconds,
        max(moves, default=None),
        max(outages, default=None),
        next(iter(report.problems), ""),
    )

"""The same failover several times, and its figures beside the law."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

from lab.experiment.result import FailoverReport


@dataclass(frozen=True)
class Spread:
    """Seconds. law: the prediction for the same thing."""

    what: str
    count: int
    low: float
    middle: float
    high: float
    law: tuple[float, float] | None


@dataclass(frozen=True)
class RepeatReport:
    """runs: all reports, in order. spreads: hand-overs by phase and VHID, then outages by probe."""

    runs: tuple[FailoverReport, ...]
    spreads: tuple[Spread, ...]

    @property
    def ok(self) -> bool:
        return all(run.ok for run in self.runs)


def repeat(once: Callable[[int], FailoverReport], times: int) -> RepeatReport:
    """Run `once(number)` that often, number counting from 1. A run that raises ends it."""
    return summarise([once(number) for number in range(1, times + 1)])


def summarise(runs: Iterable[FailoverReport]) -> RepeatReport:
    """The figures of runs of one and the same fault."""
    done = tuple(runs)
    samples: dict[str, tuple[list[float], tuple[float, float] | None]] = {}
    for run in done:
        for move in run.hand_overs:
            if move.at is not None:
                law = move.law if move.phase == "fault" else None
                samples.setdefault(f"{move.phase}: VHID {move.vhid}", ([], law))[0].append(move.at)
            if move.silence is not None:
                name = f"{move.phase}: VHID {move.vhid}, after the last advert"
                samples.setdefault(name, ([], move.silence_law))[0].append(move.silence)
        for probe in run.probes:
            if probe.outage is not None:
                samples.setdefault(probe.id, ([], probe.law))[0].append(probe.outage)
    return RepeatReport(
        done, tuple(Spread(what, len(s), min(s), median(s), max(s), law) for what, (s, law) in samples.items())
    )

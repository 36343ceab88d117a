"""`lab.failover`: hurt the master under traffic, measure, bring it back, compare with what should happen."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from lab.commands import present
from lab.commands.session import Session, opened
from lab.commands.subject import RunningLab
from lab.errors import LabError
from lab.expect.fault import Fault, FaultKind, parse
from lab.experiment.capture import TcpdumpCapture
from lab.experiment.failover import Failover
from lab.experiment.recorder import capture_filters
from lab.experiment.report import FailoverReport, save, to_json, to_text
from lab.host.lock import locked
from lab.topology.stage import Stage

OFFERED = {
    FaultKind.KILL: "power off without grace: the backup takes over when the master has been silent for too long",
    FaultKind.CARP_OFF: 'the document\'s own test, "Temporarily disable CARP": silence too, no farewell is sent',
}
"""Faults that are measured by now, and what each teaches."""

RUN = "run {number} of {count}"
MANY = "{count} runs, {good} as expected. Hand-over after the fault: min {low:.3f} s, median {mid:.3f} s, max {high:.3f} s; law {law}"
LAW = "{0:.3f} to {1:.3f} s"


def run(name: str | None, fault: str, node: str | None, report: str | None, repeat: int, json: bool) -> int:
    """The command. Exit code 0 when everything was as expected, in every run."""

    def body() -> int:
        _offered(fault)
        with (
            opened(name) as session,
            locked(session.paths, f"lab.failover --fault {fault}", listener=present.Progress()),
        ):
            reports = _runs(session, fault, node, Path(report) if report else None, repeat, json)
        ok = all(one.ok for one in reports)
        if json:
            one = to_json(reports[0])
            present.as_json(one if repeat == 1 else {"ok": ok, "runs": [to_json(each) for each in reports]})
        elif repeat > 1:
            print(summary(reports))
        return 0 if ok else 1

    return present.run(body, json)


def _runs(
    session: Session, fault: str, node: str | None, directory: Path | None, repeat: int, quiet: bool
) -> list[FailoverReport]:
    lab = RunningLab(session)
    if not lab.stage.reaches(Stage.VIPS):
        raise LabError("There is nothing to fail over", expected="stage vips or later", seen=f"stage {lab.stage.value}")
    wanted = parse(lab.topology, fault, node or "")
    reports: list[FailoverReport] = []
    for number in range(1, repeat + 1):
        place = directory / f"{number:02d}" if directory and repeat > 1 else directory
        reports.append(_one(lab, wanted, place))
        if not quiet:
            if repeat > 1:
                print(RUN.format(number=number, count=repeat))
            print(to_text(reports[-1]), flush=True)
    return reports


def _one(lab: RunningLab, fault: Fault, directory: Path | None) -> FailoverReport:
    with tempfile.TemporaryDirectory(prefix="uranus-failover-") as scratch:
        capture = TcpdumpCapture(lab.world, capture_filters(lab.topology), Path(scratch))
        report = Failover(lab, fault, capture, present.Progress(lab.session.paths.log)).run()
        if directory:
            save(report, directory, Path(scratch))
    return report


def summary(reports: list[FailoverReport]) -> str:
    """Several runs in one line: how the hand-overs after the fault lie beside the law."""
    moves = [move for report in reports for move in report.hand_overs if move.phase == "fault" and move.at is not None]
    times = [move.at for move in moves if move.at is not None]
    laws = [move.law for move in moves if move.law is not None]
    return MANY.format(
        count=len(reports),
        good=sum(report.ok for report in reports),
        low=min(times, default=0.0),
        mid=statistics.median(times) if times else 0.0,
        high=max(times, default=0.0),
        law=LAW.format(*laws[0]) if laws else "none",
    )


def list_faults(json: bool) -> int:
    """`lab.faults`."""

    def body() -> int:
        if json:
            present.as_json({"faults": {kind.value: text for kind, text in OFFERED.items()}})
        else:
            rows = [[kind.value, text] for kind, text in OFFERED.items()]
            print(present.table("faults", ["--fault", "what it does"], rows))
        return 0

    return present.run(body, json)


def _offered(fault: str) -> None:
    if fault not in [kind.value for kind in OFFERED]:
        known = ", ".join(kind.value for kind in OFFERED)
        raise LabError(
            f"There is no fault called {fault}", expected=known, seen=fault, cure="`./inv lab.faults` lists them"
        )

"""`lab.failover`: hurt the master under traffic, measure, bring it back, compare with what should happen."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path

from lab.commands import present
from lab.commands.report import known_language
from lab.commands.session import Session, opened
from lab.commands.subject import RunningLab
from lab.errors import LabError
from lab.expect.catalogue import KINDS, MISTAKES
from lab.expect.fault import Fault, parse
from lab.experiment.capture import TcpdumpCapture
from lab.experiment.diagnosis import Diagnosis
from lab.experiment.failover import Failover
from lab.experiment.recorder import capture_filters
from lab.experiment.repeat import RepeatReport
from lab.experiment.repeat import repeat as repeat_runs
from lab.experiment.report import to_json, to_text
from lab.experiment.result import FailoverReport
from lab.host.lock import locked
from lab.report.everything import write_everything
from lab.report.run import Setting, collected
from lab.topology.stage import Stage

RUN = "run {number} of {count}"
MANY = "{good} of {count} runs as expected"
SECONDS, RANGE, NO_LAW = "{0:.3f}", "{0:.3f} to {1:.3f}", "-"


def run(
    name: str | None,
    fault: str,
    node: str | None,
    network: str | None,
    report: str | None,
    repeat: int,
    json: bool,
    language: str = "en",
) -> int:
    """The command. Exit code 0 when everything was as expected, in every run."""

    def body() -> int:
        known_language(language)
        with (
            opened(name) as session,
            locked(session.paths, f"lab.failover --fault {fault}", listener=present.Progress()),
        ):
            words = (fault, node or "", network or "")
            done = _runs(session, words, Path(report) if report else None, repeat, json, language)
        if json and repeat == 1:
            present.as_json(to_json(done.runs[0]))
        elif json:
            runs = [to_json(each) for each in done.runs]
            present.as_json({"ok": done.ok, "runs": runs, "spreads": [asdict(spread) for spread in done.spreads]})
        elif repeat > 1:
            print(summary(done))
        return 0 if done.ok else 1

    return present.run(body, json)


def _runs(
    session: Session, words: tuple[str, str, str], directory: Path | None, times: int, quiet: bool, language: str
) -> RepeatReport:
    lab = fit_for_a_fault(session)
    wanted = parse(lab.topology, *words)

    def once(number: int) -> FailoverReport:
        place = directory / f"{number:02d}" if directory and times > 1 else directory
        report = run_fault(lab, wanted, place, language)
        if not quiet:
            if times > 1:
                print(RUN.format(number=number, count=times))
            print(to_text(report), flush=True)
        return report

    return repeat_runs(once, times)


def fit_for_a_fault(session: Session) -> RunningLab:
    """The lab, if there is anything in it that can fail over. Raises LabError."""
    lab = RunningLab(session)
    if not lab.stage.reaches(Stage.VIPS):
        raise LabError("There is nothing to fail over", expected="stage vips or later", seen=f"stage {lab.stage.value}")
    return lab


def run_fault(lab: RunningLab, fault: Fault, directory: Path | None, language: str = "en") -> FailoverReport:
    """One run of one fault; its report stays in `directory`, in one of lab.report.page.LANGUAGES. Raises LabError."""
    with tempfile.TemporaryDirectory(prefix="uranus-failover-") as scratch:
        capture = TcpdumpCapture(lab.world, capture_filters(lab.topology), Path(scratch))
        progress = present.Progress(lab.session.paths.log)
        kind = Failover if fault.mistake is None else Diagnosis
        report = kind(lab, fault, capture, progress).run()
        if directory:
            write_everything(collected(report, _setting(lab), Path(scratch)), directory, language)
    return report


def _setting(lab: RunningLab) -> Setting:
    record = lab.session.record
    return Setting(lab.topology, record.firewall, record.accelerator, record.slowness)


def summary(done: RepeatReport) -> str:
    """Several runs: what was measured, beside the law."""
    rows = [
        [
            spread.what,
            str(spread.count),
            *(SECONDS.format(value) for value in (spread.low, spread.middle, spread.high)),
            RANGE.format(*spread.law) if spread.law else NO_LAW,
        ]
        for spread in done.spreads
    ]
    columns = ["seconds", "times", "min", "median", "max", "law"]
    good = MANY.format(good=sum(run.ok for run in done.runs), count=len(done.runs))
    return "\n".join((present.table("all runs", columns, rows), good))


def list_faults(json: bool) -> int:
    """`lab.faults`."""
    known = [*KINDS.values(), *MISTAKES.values()]

    def body() -> int:
        if json:
            present.as_json({"faults": [asdict(each) for each in known]})
        else:
            rows = [[each.name, each.does, each.teaches, each.undo, each.called] for each in known]
            columns = ["--fault", "what is done", "what it teaches", "undone by", "also known as"]
            print(present.table("faults", columns, rows))
        return 0

    return present.run(body, json)

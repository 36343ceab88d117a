"""`lab.check`: prove that the lab works."""

from __future__ import annotations

from dataclasses import asdict

from lab.commands import present
from lab.commands.session import opened
from lab.commands.subject import RunningLab
from lab.experiment.checks import CheckReport, run_checks
from lab.experiment.result import CheckResult

SUMMARY = "{passed} of {count} checks passed in {seconds:.1f} s"


def run(name: str | None, json: bool) -> int:
    """The command. Exit code 0 when every check passed."""

    def body() -> int:
        with opened(name) as session:
            report = run_checks(RunningLab(session), present.Progress(session.paths.log))
        if json:
            checks = [asdict(result) for result in report.results]
            present.as_json(
                {"ok": report.ok, "topology": report.topology, "stage": report.stage.value, "checks": checks}
            )
        else:
            print(as_text(report))
        return 0 if report.ok else 1

    return present.run(body, json)


def as_text(report: CheckReport) -> str:
    """Every check on a line; what failed, with what was expected and seen, again at the end."""
    rows = [["ok" if result.ok else "FAILED", result.what, _found(result)] for result in report.results]
    parts = [present.table(f"checks of {report.topology}, stage {report.stage.value}", ["", "check", "seen"], rows)]
    for result in report.failed:
        parts.append(f"FAILED  {result.what}\n  expected:   {result.expected}\n  seen:       {result.seen}")
    passed = len(report.results) - len(report.failed)
    parts.append(SUMMARY.format(passed=passed, count=len(report.results), seconds=report.seconds))
    return "\n\n".join(parts)


def _found(result: CheckResult) -> str:
    """What was seen; where that is what the expectation begins with, the expectation, since it goes on to say why."""
    return result.expected if result.ok and result.expected.startswith(result.seen) else result.seen

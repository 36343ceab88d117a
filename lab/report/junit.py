"""A run as JUnit XML: one test case per prediction, for whatever shows test results.

Form: the schema of Ant's junitreport task, as Jenkins and GitLab read it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from lab.experiment.result import FailoverReport, Verdict, verdict_of

JUNIT_FILE = "junit.xml"
SUITE = "{topology}: {fault}"
HAND_OVER = "{phase}: VHID {vhid} on {network}"
INVARIANT = "{look}: {name}: {subject}"
SEEN = "expected {expected}, seen {seen}"


@dataclass(frozen=True)
class Case:
    """group: hand-over, probe, stream or invariant. seconds: what was measured. problem: "" where it passed."""

    group: str
    name: str
    seconds: float
    verdict: Verdict
    problem: str


def cases(report: FailoverReport) -> Iterator[Case]:
    """Every prediction of a run."""
    for move in report.hand_overs:
        name = HAND_OVER.format(phase=move.phase, vhid=move.vhid, network=move.network)
        verdict = verdict_of(move.ok, move.problem, move.off_time)
        yield Case("hand-over", name, move.at or 0.0, verdict, move.problem)
    for probe in report.probes:
        verdict = verdict_of(probe.ok, probe.problem, probe.off_time)
        yield Case("probe", probe.id, probe.outage or 0.0, verdict, probe.problem)
    for stream in report.streams:
        verdict = verdict_of(stream.ok, stream.problem, stream.off_time)
        yield Case("stream", stream.id, stream.stall or 0.0, verdict, stream.problem)
    for one in report.invariants:
        name = INVARIANT.format(look=one.look.value, name=one.name, subject=one.subject)
        seen = "" if one.ok else SEEN.format(expected=one.expected, seen=one.seen)
        yield Case("invariant", name, 0.0, Verdict.PASS if one.ok else Verdict.FAIL, seen)


def to_junit(report: FailoverReport) -> bytes:
    """A failure's type says `fail` or `unexplained`."""
    found = list(cases(report))
    failures = sum(case.verdict is not Verdict.PASS for case in found)
    counts = {"tests": str(len(found)), "failures": str(failures), "errors": "0", "time": f"{report.seconds:.3f}"}
    root = etree.Element("testsuites", counts)
    suite = etree.SubElement(root, "testsuite", counts)
    suite.set("name", SUITE.format(topology=report.topology, fault=report.fault))
    suite.set("timestamp", report.began.partition(".")[0])
    properties = etree.SubElement(suite, "properties")
    for name, value in (("topology", report.topology), ("stage", report.stage), ("fault", report.fault)):
        etree.SubElement(properties, "property", {"name": name, "value": value})
    for case in found:
        names = {"classname": f"failover.{case.group}", "name": case.name, "time": f"{case.seconds:.3f}"}
        element = etree.SubElement(suite, "testcase", names)
        if case.verdict is not Verdict.PASS:
            words = {"type": case.verdict.value, "message": case.problem}
            etree.SubElement(element, "failure", words).text = case.problem
    etree.indent(root)
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return written + b"\n"


def write_junit(report: FailoverReport, directory: Path) -> Path:
    """Returns the file."""
    path = directory / JUNIT_FILE
    path.write_bytes(to_junit(report))
    return path

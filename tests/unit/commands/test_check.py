"""What `lab.check` prints of its report."""

from __future__ import annotations

from lab.commands.check import as_text
from lab.experiment.checks import CheckReport
from lab.experiment.result import CheckResult
from lab.topology.stage import Stage

DENIED = CheckResult("path:a", "web to client, icmp", "no answer (no rule on dmz passes it)", "no answer", True)
NOTED = CheckResult("master:1", "VHID 1 has one master", "master", "backup too, once", True)
WRONG = CheckResult("path:b", "client to web, icmp", "answered (pass by rule 'LAN' on lan)", "no answer", False)


def test_a_check_that_passed_says_why_and_one_that_failed_says_what_was_seen() -> None:
    lines = as_text(CheckReport("uranus", Stage.RULES, (DENIED, NOTED, WRONG), 1.0)).splitlines()
    assert any(line.split()[0] == "ok" and line.endswith(DENIED.expected) for line in lines if line)
    assert any(line.endswith(NOTED.seen) for line in lines)
    assert any(line.split()[0] == "FAILED" and line.endswith(WRONG.seen) for line in lines if line)
    assert f"  expected:   {WRONG.expected}" in lines
    assert lines[-1] == "2 of 3 checks passed in 1.0 s"

"""How `./inv test` deals its parts out and counts them."""

from __future__ import annotations

from pathlib import Path

from lab.commands.test import Counts, parts


def test_whole_labs_run_alone_and_last() -> None:
    *others, last = parts(cores=2)
    assert (last.expression, last.workers) == ("lab", 0)
    assert all("lab" not in part.expression or "not" in part.expression for part in others)


def test_no_test_is_in_two_parts_or_none() -> None:
    words = {frozenset(): 0, frozenset({"wire"}): 0, frozenset({"lab"}): 0}
    for marks in words:
        values = {name: name in marks for name in ("wire", "lab")}
        words[marks] = sum(bool(eval(part.expression, {}, dict(values))) for part in parts(cores=2))
    assert set(words.values()) == {1}


def test_counts_add_up(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text('<testsuites><testsuite tests="10" failures="1" errors="2" skipped="3"/></testsuites>')
    assert Counts.of(report) == Counts(passed=4, failed=3, skipped=3)
    assert Counts.of(report) + Counts(1, 1, 1) == Counts(5, 4, 4)
    assert Counts.of(tmp_path / "none.xml") == Counts()

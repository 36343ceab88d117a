"""The project's own checks and tests: three parts, each one run of pytest, and a closing line that counts all of them."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from lab.paths import project_root

FAST = "not (slow or wire or lab)"
NO_TESTS = 5  # pytest's exit code
TOTAL = "{passed} passed, {failed} failed, {skipped} skipped in {minutes}:{seconds:02d} min"
HEAD = "{title}: {how}"
ALONE = "one after the other"
TOGETHER = "{workers} at a time"


@dataclass(frozen=True)
class Part:
    """Tests that can run the same way. expression: pytest's -m. workers: how many at a time; 0: in this process."""

    title: str
    expression: str
    workers: int = 0


def parts(cores: int) -> tuple[Part, ...]:
    """Cheap ones first. Namespaces mostly wait, so two more at a time than there are cores; whole labs never two at once."""
    return (
        Part("checks and unit tests", "not (wire or lab)", cores),
        Part("network namespaces", "wire", cores + 2),
        Part("whole labs", "lab"),
    )


def run(fast: bool = False, args: str = "") -> int:
    """Run pytest on tests/ and give back an exit code: 0, or that of the first part that failed.

    fast: leave out what is marked slow, wire or lab.
    args: more arguments for pytest, quoted as for a shell; then it is one run, one test after the other.
    """
    cores = os.cpu_count() or 1
    if args:
        return _pytest([*(("-m", FAST) if fast else ()), *shlex.split(args)])
    began = time.monotonic()
    chosen = (Part("checks and unit tests", FAST, cores),) if fast else parts(cores)
    codes = []
    counts = Counts()
    with tempfile.TemporaryDirectory(prefix="uranus-tests-") as directory:
        for number, part in enumerate(chosen):
            report = Path(directory) / f"{number}.xml"
            how = TOGETHER.format(workers=part.workers) if part.workers > 1 else ALONE
            Console().rule(HEAD.format(title=part.title, how=how))
            words = ["-m", part.expression, f"--junitxml={report}"]
            if part.workers > 1:
                words += ["-n", str(part.workers)]
            codes.append(_pytest(words))
            counts += Counts.of(report)
    minutes, seconds = divmod(round(time.monotonic() - began), 60)
    Console().rule()
    print(
        TOTAL.format(
            passed=counts.passed, failed=counts.failed, skipped=counts.skipped, minutes=minutes, seconds=seconds
        )
    )
    return next((code for code in codes if code not in (0, NO_TESTS)), 0)


@dataclass(frozen=True)
class Counts:
    """How many tests ended which way."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    @classmethod
    def of(cls, report: Path) -> Counts:
        """Read pytest's JUnit file; nothing where pytest wrote none."""
        if not report.exists():
            return cls()
        suite = ET.parse(report).getroot().find("testsuite")
        assert suite is not None
        total, failures, errors, skipped = (
            int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")
        )
        return cls(total - failures - errors - skipped, failures + errors, skipped)

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)


def _pytest(words: list[str]) -> int:
    command = [sys.executable, "-m", "pytest", *words]
    return subprocess.run(command, cwd=project_root(), stdin=subprocess.DEVNULL, check=False).returncode

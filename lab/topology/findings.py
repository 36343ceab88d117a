"""What is wrong with a topology file, said so that it can be mended: where, what was expected, what is there, and a hint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lab.errors import LabError, Problem

ONE_FAULT = "{file}: one mistake, nothing was loaded"
MANY_FAULTS = "{file}: {count} mistakes, nothing was loaded"
CURE = "mend the lines named above; docs/topology.md describes every field"


@dataclass(frozen=True)
class Finding:
    """One mistake.

    line:  counted from 1; 0 where the file as a whole is meant.
    where: the field, as `carp.vips[2].vhid`, or "" for the whole file.
    """

    file: str
    line: int
    where: str
    summary: str
    expected: str = ""
    seen: str = ""
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        head = ": ".join(filter(None, (place, self.where, self.summary)))
        rows = (("expected", self.expected), ("seen", self.seen), ("hint", self.hint))
        return "\n".join([head, *(f"  {label}: {text}" for label, text in rows if text)])


@dataclass(frozen=True)
class Issue:
    """One mistake before it has a place in a file. path: of the value, or with `about_key` of the key, in the file's structure."""

    path: tuple[str | int, ...]
    summary: str
    expected: str = ""
    seen: str = ""
    hint: str = ""
    about_key: bool = False


class TopologyError(LabError):
    """A topology that cannot be used. findings: at least one, in the order of the file."""

    def __init__(self, file: str, findings: Iterable[Finding], cure: str = CURE) -> None:
        self.file = file
        self.findings = tuple(sorted(findings, key=lambda finding: finding.line))
        count = len(self.findings)
        summary = ONE_FAULT.format(file=file) if count == 1 else MANY_FAULTS.format(file=file, count=count)
        super().__init__(Problem(summary, seen="\n".join(map(str, self.findings)), cure=cure))

"""One thing that is wrong with a config.xml."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Defect:
    """path: XPath of the bad element, or of the one that is missing. line: from 1; of the parent where it is missing.

    warning: pfSense takes it, and so may the user; what it does is just not what it looks like.
    """

    path: str
    line: int
    summary: str
    expected: str = ""
    seen: str = ""
    hint: str = ""
    warning: bool = False

    def __str__(self) -> str:
        rows = (("expected", self.expected), ("seen", self.seen), ("hint", self.hint))
        mark = "warning: " if self.warning else ""
        head = f"line {self.line}: {mark}{self.path}: {self.summary}"
        return "\n".join([head, *(f"  {label}: {text}" for label, text in rows if text)])

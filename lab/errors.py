"""The one shape of every failure a person gets to read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """What went wrong, in the five parts every message of this project has.

    summary:  one line, no full stop needed.
    expected: what should have been there, or "" where it adds nothing.
    seen:     what was there instead (for a console: the last screen, as text), or "".
    log:      path of the log that tells more, or "".
    cure:     what to do next, or "".
    """

    summary: str
    expected: str = ""
    seen: str = ""
    log: str = ""
    cure: str = ""

    def __str__(self) -> str:
        rows = (
            ("expected", self.expected),
            ("seen", self.seen),
            ("log", self.log),
            ("what to do", self.cure),
        )
        lines = [self.summary]
        for label, text in rows:
            if text:
                first, *rest = text.splitlines()
                lines.append(f"  {label + ':':<12}{first}")
                lines.extend(f"  {'':<12}{line}" for line in rest)
        return "\n".join(lines)


class LabError(Exception):
    """A failure with a cure. Everything the engine raises on purpose is one of these."""

    def __init__(self, problem: Problem | str, **parts: str) -> None:
        self.problem = Problem(problem, **parts) if isinstance(problem, str) else problem
        super().__init__(str(self.problem))

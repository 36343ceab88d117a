"""Fills the table of docs/drill.md from score cards: `python -m bench.drill_table CARD.json… ` (each what `lab.drill --json` printed).

The table stands between two marks in that page; everything else of it stays.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median
from typing import Any

from lab.paths import project_root

PAGE = project_root() / "docs" / "drill.md"
BEGIN, END = "<!-- drill: begin -->", "<!-- drill: end -->"
HEAD = "| topology | fault | runs | pass | unexplained | fail | take-over, median (min-max), s | longest outage, median (min-max), s |"
RULE = "|---|---|---|---|---|---|---|---|"
ROW = "| {topology} | {fault} | {runs} | {passed} | {unexplained} | {failed} | {take_over} | {outage} |"
RANGE, NOTHING = "{middle:.3f} ({low:.3f}-{high:.3f})", "-"


def table(cards: list[dict[str, Any]]) -> str:
    """One row per topology and fault, in the order of their first run."""
    runs: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for card in cards:
        for score in card["scores"]:
            runs.setdefault((card["topology"], score["fault"]), []).append(score)
    return "\n".join([HEAD, RULE, *(_row(*key, scores) for key, scores in runs.items())])


def _row(topology: str, fault: str, scores: list[dict[str, Any]]) -> str:
    verdicts = [score["verdict"] for score in scores]
    return ROW.format(
        topology=topology,
        fault=fault,
        runs=len(scores),
        passed=verdicts.count("pass"),
        unexplained=verdicts.count("unexplained"),
        failed=verdicts.count("fail"),
        take_over=_range([score["take_over"] for score in scores]),
        outage=_range([score["outage"] for score in scores]),
    )


def _range(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    return RANGE.format(middle=median(known), low=min(known), high=max(known)) if known else NOTHING


def fill(page: str, text: str) -> str:
    """The page with its table replaced. Raises ValueError where the marks are missing."""
    before, rest = page.split(BEGIN, 1)
    return f"{before}{BEGIN}\n{text}\n{END}{rest.split(END, 1)[1]}"


def main(files: list[str]) -> None:
    cards = [json.loads(Path(file).read_text()) for file in files]
    PAGE.write_text(fill(PAGE.read_text(), table(cards)))


if __name__ == "__main__":
    main(sys.argv[1:])

"""Makes docs/benchmarks.md and docs/benchmarks.svg from the results that the benches left in bench/results.

.venv/bin/python -m bench.table
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from bench.rig import RESULTS
from lab.paths import project_root

DOCS = project_root() / "docs"

HEAD = """\
# Benchmarks

Made by `python -m bench.table` from `bench/results`; [bench/README.md](../bench/README.md) tells the method. Times are of whole commands.

![the same as a plot](benchmarks.svg)
"""
SECTION = "\n## {bench}\n\n{machine}, {taken}, {settings}.\n\n| | unit | n | min | median | max |\n|---|---|---|---|---|---|\n"
LINE = "| {what} | {unit} | {n} | {low} | {mid} | {high} |\n"

WIDTH, LABEL, ROW, PAD = 860, 330, 20, 14
STYLE = (
    "text{font:12px sans-serif;fill:#222}.head{font-weight:bold}.range{stroke:#8aa;stroke-width:8}"
    ".mid{fill:#146}.goal{stroke:#c33;stroke-dasharray:4 3}"
)
GOALS = {
    "lab.save": 4.0,
    "lab.reset: guests run again": 2.0,
    "lab.reset: proved": 5.0,
    "topology.render": 0.5,
    "lab.status": 0.4,
}
"""Seconds that were aimed at on two cores without KVM: drawn as a dashed line."""


@dataclass(frozen=True)
class Row:
    """One line of the plot: min, median and max of one thing. goal: what it should stay below, or 0."""

    what: str
    low: float
    mid: float
    high: float
    goal: float = 0.0


def page(results: Sequence[dict[str, Any]]) -> str:
    """The Markdown page."""
    parts = [HEAD]
    for result in results:
        settings = ", ".join(f"{key} {value}" for key, value in result["settings"].items()) or "no settings"
        parts.append(SECTION.format(**{**result, "settings": settings}))
        for spread in result["spreads"]:
            values = spread["values"]
            low, mid, high = (f"{value:.2f}" for value in (min(values), statistics.median(values), max(values)))
            parts.append(LINE.format(**spread, n=len(values), low=low, mid=mid, high=high))
    return "".join(parts)


def plot(results: Sequence[dict[str, Any]]) -> str:
    """The SVG: one panel for each bench and unit that is seconds or a ratio, each with an axis of its own from 0."""
    parts: list[str] = []
    top = PAD
    for result in results:
        for unit in ("s", "ratio"):
            rows = [_row(spread) for spread in result["spreads"] if spread["unit"] == unit]
            if rows:
                parts += _panel(f"{result['bench']}, {'seconds' if unit == 's' else 'ratio'}", rows, top)
                top += ROW * (len(rows) + 2)
    size = f'width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}"'
    body = "\n".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n<style>{STYLE}</style>\n{body}\n</svg>\n'


def _row(spread: dict[str, Any]) -> Row:
    values = spread["values"]
    goal = GOALS.get(spread["what"], 0.0) if spread["unit"] == "s" else 0.0
    return Row(spread["what"], min(values), statistics.median(values), max(values), goal)


def _panel(title: str, rows: Sequence[Row], top: int) -> Iterable[str]:
    longest = max(max(row.high, row.goal) for row in rows) or 1.0
    scale = (WIDTH - LABEL - 90) / longest
    yield f'<text class="head" x="{PAD}" y="{top + ROW}">{escape(title)}</text>'
    for number, row in enumerate(rows, start=2):
        y = top + number * ROW
        low, mid, high = (LABEL + value * scale for value in (row.low, row.mid, row.high))
        yield f'<text x="{PAD}" y="{y}">{escape(row.what)}</text>'
        yield f'<line class="range" x1="{low:.1f}" x2="{max(high, low + 1):.1f}" y1="{y - 4}" y2="{y - 4}"/>'
        yield f'<circle class="mid" cx="{mid:.1f}" cy="{y - 4}" r="4"/>'
        yield f'<text x="{max(high, LABEL + row.goal * scale) + 8:.1f}" y="{y}">{row.mid:.2f}</text>'
        if row.goal:
            x = LABEL + row.goal * scale
            yield f'<line class="goal" x1="{x:.1f}" x2="{x:.1f}" y1="{y - 12}" y2="{y + 4}"/>'


def main() -> int:
    results = [json.loads(path.read_text()) for path in sorted(Path(RESULTS).glob("*.json"))]
    if not results:
        print(f"no results in {RESULTS}: run a bench first", file=sys.stderr)
        return 1
    (DOCS / "benchmarks.md").write_text(page(results))
    (DOCS / "benchmarks.svg").write_text(plot(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())

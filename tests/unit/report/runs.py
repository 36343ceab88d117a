"""Runs to draw: one that was recorded (kill of the master of `uranus`), and pages as plain text."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser
from pathlib import Path

from lab.report.account import Account
from lab.report.page import LANGUAGES, Page
from lab.report.run import SavedRun, load
from lab.report.style import Style

RECORDED = Path(__file__).parent / "kill"
"""Of its frames: every advert and ARP, and the client's pings to its gateway around the fault, cut to 60 bytes."""


@cache
def recorded() -> SavedRun:
    return load(RECORDED)


def account(run: SavedRun, language: str) -> Account:
    return Account(run, Style(LANGUAGES[language]))


def page(run: SavedRun, language: str) -> str:
    return Page(run, LANGUAGES[language]).html()


class _Text(HTMLParser):
    """One line for each element that a reader sees as one; drawings and style left out."""

    BLOCKS = frozenset(("p", "li", "h1", "h2", "h3", "h4", "tr", "dt", "dd", "div", "figcaption", "footer", "title"))
    SILENT = frozenset(("style", "svg"))

    def __init__(self) -> None:
        super().__init__()
        self.lines = [""]
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._silent += tag in self.SILENT
        if tag in self.BLOCKS:
            self.lines.append("")
        elif tag in ("td", "th") and self.lines[-1]:
            self.lines[-1] += " | "

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in self.SILENT
        if tag in self.BLOCKS:
            self.lines.append("")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.lines[-1] += data.replace("\n", " ")


def text_of(html: str) -> str:
    """What stands on a page, a line for each paragraph, item and table row."""
    reader = _Text()
    reader.feed(html)
    return "\n".join(line.strip() for line in reader.lines if line.strip()) + "\n"

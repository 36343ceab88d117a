"""All files of a report, into one directory."""

from __future__ import annotations

from pathlib import Path

from lab.report.junit import write_junit
from lab.report.page import write_page
from lab.report.run import SavedRun, save


def write_everything(run: SavedRun, directory: Path, language: str) -> tuple[Path, ...]:
    """The run itself, the page and the test results. language: a key of lab.report.page.LANGUAGES. Returns the files."""
    kept = save(run, directory)
    return (write_page(run, directory, language), write_junit(run.report, directory), *kept)

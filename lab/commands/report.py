"""`lab.report`: draw a saved run again, in another language or with a newer page."""

from __future__ import annotations

from pathlib import Path

from lab.commands import present
from lab.errors import LabError
from lab.report.everything import write_everything
from lab.report.page import LANGUAGES
from lab.report.run import load

WRITTEN = "{page}"
NO_LANGUAGE = "There is no report in the language {language}"


def run(saved: str, language: str, to: str | None) -> int:
    """The command. saved: a directory that `lab.failover --report` wrote; to: where to write, that directory by default."""

    def body() -> int:
        known_language(language)
        files = write_everything(load(Path(saved)), Path(to or saved), language)
        print(WRITTEN.format(page=files[0]))
        return 0

    return present.run(body, False)


def known_language(language: str) -> None:
    """Raises LabError for a language without a table of words."""
    if language not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise LabError(NO_LANGUAGE.format(language=language), expected=known, seen=language, cure="`--lang fr`")

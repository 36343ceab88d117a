"""The task that draws a saved run again, as tasks.py offers it."""

from __future__ import annotations

from invoke import Context, Exit, task

LANG = "language of the page: en or fr"


@task(positional=["run"], help={"run": "what --report wrote", "lang": LANG, "to": "where to write (default: there)"})
def report(_: Context, run: str, lang: str = "en", to: str = "") -> None:
    """Draw a saved run again."""
    from lab.commands import report as command

    if code := command.run(run, lang, to or None):
        raise Exit(code=code)

"""How the engine's events and failures look to a person, and to a program that asked for JSON."""

from __future__ import annotations

import errno
import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lab.errors import LabError, Problem
from lab.events import Event, Phase

WORDS = {Phase.STARTED: "…", Phase.DONE: "ok", Phase.FAILED: "FAILED", Phase.NOTE: "-"}
COLOURS = {Phase.STARTED: "2", Phase.DONE: "32", Phase.FAILED: "1;31", Phase.NOTE: "36"}


SYSTEM_CURES = {
    errno.ENOSPC: "free some space there, or move: URANUS_STATE, URANUS_CACHE and TMPDIR name other directories",
    errno.EDQUOT: "free some space there, or move: URANUS_STATE, URANUS_CACHE and TMPDIR name other directories",
    errno.EACCES: "use a directory of your own (URANUS_STATE, URANUS_CACHE), or mend its owner: files of root come from `sudo ./inv`",
    errno.EROFS: "use a directory that can be written: URANUS_STATE, URANUS_CACHE",
}
"""By errno: what a person can do."""

FILE_WIDTH = 160
"""Characters in a line of a table that goes to a file: every check of the default lab fits."""


class Progress:
    """Prints one line per finished step on stderr: seconds since the start, machine, step, time taken. Colour on a terminal only."""

    def __init__(self, log: Path | None = None) -> None:
        self._begin = time.monotonic()
        self._lock = threading.Lock()
        self._colour = sys.stderr.isatty()
        self._log = log

    def __call__(self, event: Event) -> None:
        line = self._line(event)
        with self._lock:
            if self._log and self._log.parent.is_dir():
                with self._log.open("a") as file:
                    file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {line}\n")
            if event.phase is Phase.STARTED and not self._colour:
                return
            print(self._painted(event, line), file=sys.stderr, flush=True)

    def _line(self, event: Event) -> str:
        since = time.monotonic() - self._begin
        taken = f" ({event.seconds:.1f} s)" if event.seconds >= 0.05 else ""
        detail = f": {event.detail}" if event.detail else ""
        return f"{since:6.1f} s  {event.subject:<14} {WORDS[event.phase]:<6} {event.step}{taken}{detail}"

    def _painted(self, event: Event, line: str) -> str:
        return f"\x1b[{COLOURS[event.phase]}m{line}\x1b[0m" if self._colour else line


def tell(problem: Problem) -> None:
    """A failure, on stderr."""
    text = f"error: {problem}"
    print(f"\x1b[1;31m{text}\x1b[0m" if sys.stderr.isatty() else text, file=sys.stderr)


def as_json(value: Any) -> None:
    """One JSON object on stdout, and nothing else."""
    print(json.dumps(value, indent=1, default=str))


def run(body: Callable[[], int], json_wanted: bool = False) -> int:
    """Run a command's body and give back its exit code. A LabError is told (as JSON where that was asked for): exit code 1."""
    try:
        return body()
    except LabError as error:
        return _failed(error.problem, json_wanted)
    except OSError as error:
        return _failed(refused(error), json_wanted)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _failed(problem: Problem, json_wanted: bool) -> int:
    if json_wanted:
        as_json({"ok": False, "error": asdict(problem)})
    tell(problem)
    return 1


def refused(error: OSError) -> Problem:
    """What the system refused, and what helps against it: a full disk, a missing right, anything else."""
    place = str(error.filename or "")
    cure = SYSTEM_CURES.get(error.errno or 0, "")
    return Problem("The system refused", seen=": ".join(filter(None, (place, error.strerror or str(error)))), cure=cure)


def table(title: str, columns: list[str], rows: list[list[str]]) -> str:
    """A table as text, drawn by rich, as wide as the terminal allows; no line ends in spaces."""
    import io

    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=title, box=SIMPLE_HEAD, title_justify="left")
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*[Text.from_ansi(cell) for cell in row])
    out = io.StringIO()
    colour = sys.stdout.isatty()
    width = None if colour else FILE_WIDTH
    Console(file=out, force_terminal=colour, width=width).print(drawn)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()).rstrip("\n")

"""A command typed on a console as one line, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from lab.errors import LabError

LINE_LIMIT = 240
"""Characters in one typed line: MAX_CANON is 255 on FreeBSD."""


@dataclass(frozen=True)
class Output:
    """What a command printed (line ends as \\n) and its exit code."""

    text: str
    code: int


def refuse_what_cannot_be_typed(command: str, typed: str) -> None:
    """Raise LabError where the line is too long or the command has several. typed: the command with what is put around it."""
    if len(typed) > LINE_LIMIT or "\n" in command:
        raise LabError(
            "The command is too long to be typed on a console",
            expected=f"one line of at most {LINE_LIMIT - len(typed) + len(command)} characters",
            seen=f"{len(command)} characters",
            cure="put it into a script on the firewall, or split it",
        )

"""Running one program of the guest."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence


class CommandError(Exception):
    """A program that had to succeed did not."""

    def __init__(self, argv: Sequence[str], output: str) -> None:
        self.output = output
        super().__init__(f"{' '.join(argv)}: {output.strip() or 'failed without a word'}")


def run(argv: Sequence[str], text: str = "") -> str:
    """Output of a program that must succeed; `text` is what it reads.

    Raises CommandError, with all it said, when it fails or does not exist.
    """
    code, output = attempt(argv, text)
    if code:
        raise CommandError(argv, output)
    return output


def attempt(argv: Sequence[str], text: str = "") -> tuple[int, str]:
    """Exit code and output (both streams) of a program; 127 when it does not exist."""
    try:
        done = subprocess.run(
            argv, input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
    except FileNotFoundError:
        return 127, "not found"
    return done.returncode, done.stdout

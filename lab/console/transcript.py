"""Everything said on a line, one JSON object a line, in the form of the recordings in tests/replay/observed.

`{"t": seconds, "out": text}` came from the firewall, `{"t": …, "in": text}` was sent to it (bytes as Latin-1), and
`{"t": …, "step": what was understood, "screen": [lines]}` says what a driver made of it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path


class Transcript:
    """Written as it happens, so that a run that is killed leaves one too. path: None keeps nothing."""

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self._clock = clock
        self._begin = clock()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text("")

    def heard(self, data: bytes) -> None:
        self._write(out=data.decode("latin-1"))

    def typed(self, data: bytes, hidden: bool = False) -> None:
        """hidden: a password, which is never written down."""
        self._write(**{"in": "(hidden)" if hidden else data.decode("latin-1")})

    def step(self, name: str, screen: str) -> None:
        self._write(step=name, screen=screen.splitlines())

    def _write(self, **words: object) -> None:
        if self.path is not None:
            with self.path.open("a") as file:
                file.write(json.dumps({"t": round(self._clock() - self._begin, 3), **words}) + "\n")

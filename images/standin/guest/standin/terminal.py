"""The line a dialogue speaks on."""

from __future__ import annotations

import os
from typing import Protocol

from lab.console.catalogue.text import Product, Text


class Interrupted(Exception):
    """The person typed Ctrl-C where an answer was awaited."""


class Terminal(Protocol):
    """Whoever is at the other end: a serial line, or a test."""

    def write(self, text: str) -> None: ...

    def read_line(self) -> str | None:
        """The next line without its end; None when the line was closed (or Ctrl-D on an empty one)."""


class FileTerminal:
    """A terminal on file descriptors. The tty layer echoes and makes `\\r\\n` of `\\n`."""

    def __init__(self, reading: int = 0, writing: int = 1) -> None:
        self._reading, self._writing = reading, writing
        self._awaiting = False

    def interrupt(self) -> None:
        """To be called by the handler of SIGINT. Raises Interrupted where an answer is awaited; elsewhere nothing happens."""
        if self._awaiting:
            self._awaiting = False
            raise Interrupted

    def write(self, text: str) -> None:
        data = text.encode()
        while data:
            data = data[os.write(self._writing, data) :]

    def read_line(self) -> str | None:
        """Byte by byte: what stands after the line belongs to whoever reads next (a shell, ping)."""
        line = bytearray()
        self._awaiting = True
        try:
            while (byte := os.read(self._reading, 1)) not in (b"", b"\n"):
                line += byte
        except OSError:
            return None
        finally:
            self._awaiting = False
        return line.decode(errors="replace") if line or byte else None


class Speaker:
    """A terminal that speaks texts of the catalogue in one product's name."""

    def __init__(self, terminal: Terminal, product: Product) -> None:
        self._terminal, self._product = terminal, product

    def say(self, text: Text, **fields: object) -> None:
        self._terminal.write(text.fill(self._product, **fields))

    def write(self, text: str) -> None:
        self._terminal.write(text)

    def ask(self, text: Text, **fields: object) -> str | None:
        """Print a question; the answer as typed, trailing space cut, or None at the end of the line."""
        self.say(text, **fields)
        return self.listen()

    def listen(self) -> str | None:
        """The next line as `ask` gives it."""
        answer = self._terminal.read_line()
        return None if answer is None else answer.rstrip()

    def agree(self, text: Text, **fields: object) -> bool:
        """A `[y|n]` question: only y or Y is yes."""
        return (self.ask(text, **fields) or "").lower() == "y"

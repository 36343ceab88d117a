"""A terminal of 80 x 24 as a full-screen program draws on it: letters, attributes, cursor; and what a kernel prints in between, left out.

pyte knows a VT100; what xterm's and FreeBSD's terminfo use beyond that is added here.
"""

from __future__ import annotations

import codecs
import contextlib
import copy
import re
from typing import Any

import pyte
from pyte.screens import Char

from lab.console.screen import COLUMNS, ROWS

ALTERNATE_SCREEN = (47, 1047, 1049)
"""Private modes with which a program takes a screen of its own and gives the old one back (xterm's smcup and rmcup)."""


class Picture(pyte.Screen):
    """A terminal's screen. Use `Display.feed` to write on it."""

    def __init__(self, columns: int = COLUMNS, rows: int = ROWS) -> None:
        self._last = ""
        self._kept: dict[int, Any] | None = None
        super().__init__(columns, rows)

    def draw(self, data: str) -> None:
        if data:
            self._last = data[-1]
        super().draw(data)

    def repeat_character(self, count: int = 1, **_: object) -> None:
        """REP, ECMA-48 8.3.103: ncurses draws borders with it where terminfo has `rep`."""
        if self._last:
            super().draw(self._last * min(count or 1, self.columns))

    def scroll_up(self, count: int = 1, **_: object) -> None:
        """SU: lines move up, empty ones come in below."""
        self._scroll(count, up=True)

    def scroll_down(self, count: int = 1, **_: object) -> None:
        """SD: lines move down."""
        self._scroll(count, up=False)

    def _scroll(self, count: int, up: bool) -> None:
        top, bottom = self.margins or (0, self.lines - 1)
        x, y = self.cursor.x, self.cursor.y
        self.cursor.y = bottom if up else top
        for _ in range(min(count or 1, self.lines)):
            self.index() if up else self.reverse_index()
        self.cursor.x, self.cursor.y = x, y

    def set_mode(self, *modes: int, **kwargs: Any) -> None:
        if kwargs.get("private") and any(mode in ALTERNATE_SCREEN for mode in modes) and self._kept is None:
            self._kept = copy.deepcopy(dict(self.buffer))
            self.erase_in_display(2)
        super().set_mode(*modes, **kwargs)

    def reset_mode(self, *modes: int, **kwargs: Any) -> None:
        if kwargs.get("private") and any(mode in ALTERNATE_SCREEN for mode in modes) and self._kept is not None:
            self.buffer.clear()
            self.buffer.update(self._kept)
            self._kept = None
            self.dirty.update(range(self.lines))
        super().reset_mode(*modes, **kwargs)


class _Stream(pyte.Stream):
    csi = {**pyte.Stream.csi, "b": "repeat_character", "S": "scroll_up", "T": "scroll_down"}  # noqa: RUF012
    events = pyte.Stream.events | {"repeat_character", "scroll_up", "scroll_down"}


class Display:
    """Bytes in, a picture out: UTF-8 or ASCII with VT100 line drawing, whichever comes."""

    def __init__(self, columns: int = COLUMNS, rows: int = ROWS) -> None:
        self.picture = Picture(columns, rows)
        self._stream = _Stream(self.picture)
        # pyte would ignore the line drawing set otherwise; UTF-8 is decoded here.
        self._stream.use_utf8 = False
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._lines: list[str] | None = None

    def feed(self, data: bytes) -> None:
        if not data:
            return
        self._lines = None
        for part in re.split(r"(?=\x1b)", self._decoder.decode(data)):
            # A damaged escape sequence makes pyte stumble: a terminal ignores it.
            with contextlib.suppress(TypeError, ValueError, IndexError):
                self._stream.feed(part)

    @property
    def lines(self) -> list[str]:
        """All lines, full width, one character a column."""
        if self._lines is None:
            columns, buffer = range(self.picture.columns), self.picture.buffer
            self._lines = [
                "".join((row[column].data or " ")[0] for column in columns)
                for row in (buffer[number] for number in range(self.picture.lines))
            ]
        return self._lines

    @property
    def text(self) -> str:
        """The lines without trailing blanks."""
        return "\n".join(line.rstrip() for line in self.lines).rstrip("\n")

    @property
    def cursor(self) -> tuple[int, int]:
        """Row and column, from 0."""
        return self.picture.cursor.y, min(self.picture.cursor.x, self.picture.columns - 1)

    def cell(self, row: int, column: int) -> Char:
        return self.picture.buffer[row][column]


KERNEL_LINE = re.compile(
    rb"(?:\[[^\]\x1b\r\n]{1,20}\] |<\d{1,3}>)?"
    rb"(?:(?:arp|carp|kernel|random|ZFS|GEOM(?:_[A-Z]+)?|CAM|sonewconn|nd6\w*): "
    rb"|(?:vtnet|vtbd|vtcon|virtio_pci|ada|da|cd|pass|ahci|ahcich|uhub|ugen|usbus|uart|atkbd|psm|pci|acpi|em|igb|ix|re|lo|"
    rb"pflog|pfsync|enc|tun|bridge|vlan|md|gif)\d+(?:\.\d+)?: (?!flags=)"
    rb"|pid \d+ \([^)\x1b\r\n]{1,30}\), "
    rb"|Limiting [a-z ]{1,40}from "
    rb"|\[zone: [^\]\r\n]{1,30}\] )"
    rb"[^\x1b\r\n]{0,300}\r?\n"
    rb"|\[ {0,4}\d{1,5}\.\d{6}\] [^\x1b\r\n]{0,300}\r?\n"
)
"""A message of the kernel's, which goes to the console wherever the cursor stands. Linux's with its time, for the stand-in."""

KERNEL_STARTS = (
    b"arp", b"carp", b"kernel", b"random", b"ZFS", b"GEOM", b"CAM", b"sonewconn", b"nd6", b"Limiting ",
    b"vtnet", b"vtbd", b"vtcon", b"virtio_pci", b"ada", b"da", b"cd", b"pass", b"ahci", b"uhub", b"ugen", b"usbus", b"uart",
    b"atkbd", b"psm", b"pci", b"acpi", b"em", b"igb", b"ix", b"re", b"lo", b"pflog", b"pfsync", b"enc", b"tun", b"bridge",
    b"vlan", b"md", b"gif", b"pid ", b"[zone", b"[ ",
)  # fmt: skip
KERNEL_START = re.compile(rb"(?<!\x1b)(?:%b)[^\x1b\r\n]{0,340}\r?\Z" % b"|".join(map(re.escape, KERNEL_STARTS)))
KERNEL_PREFIXES = frozenset(start[:end] for start in KERNEL_STARTS for end in range(1, len(start)))
LONGEST_PREFIX = max(map(len, KERNEL_PREFIXES))


class KernelFilter:
    """Takes kernel lines out of a stream, however it is split. What may still become one is held back until `flush`."""

    def __init__(self) -> None:
        self._held = b""
        self.removed: list[bytes] = []

    def feed(self, data: bytes) -> bytes:
        """What can be shown already."""
        data = self._held + data
        self.removed += KERNEL_LINE.findall(data)
        data = KERNEL_LINE.sub(b"", data)
        at = self._doubtful(data)
        self._held = data[at:]
        return data[:at]

    @staticmethod
    def _doubtful(data: bytes) -> int:
        """Where the part begins that may still become a kernel line."""
        start = KERNEL_START.search(data)
        begun = (at for at in range(max(0, len(data) - LONGEST_PREFIX), len(data)) if data[at:] in KERNEL_PREFIXES)
        return min(start.start() if start else len(data), next(begun, len(data)))

    def flush(self) -> bytes:
        """What was held back; the stream is quiet, so it was no kernel line."""
        held, self._held = self._held, b""
        return held

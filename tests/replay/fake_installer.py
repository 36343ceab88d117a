"""The installer as recorded from dialog(1) and bsddialog(1): it draws what they drew, and knows what each ENTER would have chosen."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from lab.console.catalogue import installer
from lab.console.catalogue.text import PFSENSE

FOLDER = Path(__file__).with_name("installer")
PROGRAMS = ("dialog", "bsddialog")
WAY = ("copyright", "welcome", "partitioning", "zfs", "vdev", "disks", "last chance", "complete")
OPTIONAL = {"keymap": "partitioning", "manual": "complete"}
"""Screens that come in some versions only, and what they come before."""
RIGHT = {
    "copyright": (0, ""),
    "welcome": (0, "Install"),
    "keymap": (0, ">>> Continue with default keymap"),
    "partitioning": (0, "Auto (ZFS)"),
    "zfs": (0, ">>> Install"),
    "vdev": (0, "stripe"),
    "disks": (0, "vtbd0"),
    "last chance": (0, ""),
    "manual": (1, ""),
    "complete": (0, ""),
}
LEFT = b"\x1b[24;1H\r\n"
"""What a dialog leaves behind on a VT100: its picture stands, the cursor is below."""


@cache
def screens(program: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads((FOLDER / f"{program}.json").read_text())["screens"]
    return found


class FakeInstaller:
    """See Console. programs: who draws the first half and the ZFS part; at: the screen to begin with, "" for the console type."""

    def __init__(self, programs: tuple[str, str] = ("dialog", "dialog"), optional: bool = False, at: str = "") -> None:
        self.wrong, self.finished = "", False
        self._programs = programs
        way = list(WAY)
        if optional:
            for name, before in OPTIONAL.items():
                way.insert(way.index(before), name)
        self._way = way[way.index(at) :] if at else way
        self._asks_type = not at
        self._line = ""
        self._keys = ""

    def start(self) -> bytes:
        if self._asks_type:
            return installer.CONSOLE_TYPE.fill(PFSENSE).replace("\n", "\r\n").encode()
        return self._draw()

    def typed(self, data: bytes) -> bytes:
        said = b""
        for key in data.decode("latin-1"):
            said += self._type_key(key) if self._asks_type else self._key(key)
        return said

    def _type_key(self, key: str) -> bytes:
        if key != "\r":
            self._line += key
            return key.encode()
        if self._line:
            self.wrong = self.wrong or f"console type {self._line!r}"
        self._asks_type = False
        return b"\r\n" + self._draw()

    def _node(self) -> dict[str, Any] | None:
        name = self._way[0]
        program = self._programs[1 if name in ("zfs", "vdev", "disks", "last chance") else 0]
        found: dict[str, Any] | None = screens(program)[name].get(self._keys)
        return found

    def _draw(self) -> bytes:
        node = self._node()
        return node["drawn"].encode("latin-1") if node else b""

    def _key(self, key: str) -> bytes:
        if not self._way:
            self.wrong = self.wrong or f"{key!r} after the end"
            return b""
        if key != "\r":
            self._keys += key
            return self._draw()
        node = self._node()
        chosen = (node["code"], node["choice"]) if node else None
        if chosen != RIGHT[self._way[0]]:
            self.wrong = self.wrong or f"ENTER on {self._way[0]!r} after {self._keys!r}: {chosen}"
            return b""
        self._way.pop(0)
        self._keys = ""
        if not self._way:
            self.finished = True
            return LEFT + b"Rebooting...\r\n"
        return LEFT + self._draw()

"""Recorded console sessions of pfSense's own scripts (one event a line), and a terminal that answers as the person did."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).with_name("observed")
# Printed by the machine the recordings were made on, not by pfSense.
ARTEFACTS = re.compile(r"sysctl: unknown oid '[^']*'\r\n")


@dataclass
class Recording:
    """printed: everything that was shown, echo included. typed: the lines, without their end."""

    printed: str
    typed: list[str]

    @classmethod
    def load(cls, name: str) -> Recording:
        events = [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text().splitlines()]
        printed = "".join(event.get("out", "") for event in events)
        return cls(ARTEFACTS.sub("", printed), [event["in"].removesuffix("\r") for event in events if "in" in event])


@dataclass
class Player:
    """A terminal as the kernel's tty makes it: what is typed is echoed, line ends become CR LF."""

    typed: list[str]
    shown: str = ""
    left: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.left = list(self.typed)

    def write(self, text: str) -> None:
        self.shown += text.replace("\n", "\r\n")

    def read_line(self) -> str | None:
        if not self.left:
            return None
        line = self.left.pop(0)
        self.shown += line + "\r\n"
        return line

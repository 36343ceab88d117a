"""The client's side of the broker (lab.console.broker): a place at a machine's serial line."""

from __future__ import annotations

import contextlib
import getpass
import json
import re
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.console.broker import SOCKET, Asked, Holder, Role
from lab.errors import LabError
from lab.host.world import World
from lab.paths import LabPaths

COMMAND = re.compile(r"(lab|image)\.[a-z]+$")
"""A command of tasks.py."""

GRACE_SECONDS = 10.0
"""How much longer than it was asked to wait a broker may take for its answer."""

HELD = "The console of {name} is held by somebody else"
HELD_CURE = "leave that console (Ctrl-]) or wait for that command to end"
UNREACHABLE = "The console {name} cannot be reached"
UNREACHABLE_CURE = "`./inv lab.status` tells whether the machine runs; `./inv lab.up` starts it"


class Refused(Exception):
    """Somebody else may type."""

    def __init__(self, holder: Holder) -> None:
        self.holder = holder
        super().__init__(told(holder))


@dataclass(frozen=True)
class Place:
    """A connection with a line. holder: who may type there, where one only watches. past: bytes of the past that come first."""

    link: socket.socket
    holder: Holder | None
    past: int


def told(holder: Holder) -> str:
    """Who holds a line, for a person."""
    since = time.strftime("%H:%M:%S", time.localtime(holder.since))
    return f"{holder.purpose} ({holder.command}), pid {holder.pid}, since {since}"


def brokered(socket_path: Path) -> LabPaths | None:
    """The lab whose broker owns this line; None for a line outside a running lab."""
    paths = LabPaths(socket_path.parent.parent)
    here = socket_path == paths.console_socket(socket_path.stem) and paths.record.exists()
    return paths if here and World(paths).exists() else None


def take_place(paths: LabPaths, name: str, role: Role, purpose: str = "", wait: float = 0.0) -> Place:
    """Ask the lab's broker for a place at a machine's line; a broker that is not there is started.

    Raises Refused where a seat was asked for and somebody else has it longer than `wait` seconds, LabError where the line is not there.
    """
    asked = Asked(role, name, purpose, f"{getpass.getuser()}: {own_command(sys.argv)}", wait)
    link = _connect(paths, name)
    try:
        link.settimeout(wait + GRACE_SECONDS)
        link.sendall(json.dumps(asdict(asked)).encode() + b"\n")
        words = json.loads(_line(link))
    except (OSError, ValueError) as error:
        link.close()
        raise _unreachable(paths, name, str(error)) from error
    holder = Holder(**words["holder"]) if words.get("holder") else None
    if "refused" in words:
        link.close()
        raise _unreachable(paths, name, words["refused"])
    if words.get("granted") is False:
        link.close()
        raise Refused(holder or Holder(0, "somebody", "who has just left", time.time()))
    link.settimeout(None)
    return Place(link, holder, int(words.get("past", 0)))


def own_command(argv: Sequence[str]) -> str:
    """What a person typed, without what `./inv` puts before it: `lab.exec master`, two words of it."""
    begin = next((number for number, word in enumerate(argv) if COMMAND.match(word)), None)
    words = argv[begin : begin + 2] if begin is not None else [Path(argv[0]).name, *argv[1:3]]
    return " ".join(words)[:100]


def _connect(paths: LabPaths, name: str) -> socket.socket:
    """A connection with the broker, started where nobody answers."""
    path = paths.root / "console" / SOCKET
    for attempt in range(2):
        link = socket.socket(socket.AF_UNIX)
        try:
            link.connect(str(path))
        except OSError as error:
            link.close()
            if attempt:
                raise _unreachable(paths, name, str(error)) from error
            World(paths).start_broker()
        else:
            return link
    raise AssertionError("unreachable")


def _line(link: socket.socket) -> bytes:
    """One line and not a byte more: what follows is the machine's."""
    found = bytearray()
    while not found.endswith(b"\n"):
        data = link.recv(1)
        if not data:
            raise OSError("the broker hung up")
        found += data
    return bytes(found)


def _unreachable(paths: LabPaths, name: str, seen: str) -> LabError:
    return LabError(
        UNREACHABLE.format(name=name),
        expected=f"a serial line at {paths.console_socket(name)}",
        seen=seen,
        cure=UNREACHABLE_CURE,
    )


def lines(paths: LabPaths) -> dict[str, Holder | None]:
    """Who may type on each line that anybody is at; empty where no broker answers."""
    link = socket.socket(socket.AF_UNIX)
    with contextlib.closing(link):
        try:
            link.connect(str(paths.root / "console" / SOCKET))
            link.settimeout(GRACE_SECONDS)
            link.sendall(json.dumps(asdict(Asked(Role.WHO))).encode() + b"\n")
            found = json.loads(_line(link))["lines"]
        except (OSError, ValueError):
            return {}
    return {name: Holder(**state["holder"]) if state["holder"] else None for name, state in found.items()}

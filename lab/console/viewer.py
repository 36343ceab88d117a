"""A person at a serial line: the terminal in raw mode until Ctrl-]. Everybody may watch; the first key asks for the right to type."""

from __future__ import annotations

import os
import re
import select
import socket
import sys
import termios
import tty
from pathlib import Path

from lab.console.broker import Role
from lab.console.seat import Place, Refused, brokered, take_place, told
from lab.errors import LabError
from lab.paths import LabPaths

DETACH = b"\x1d"
"""Ctrl-], as in telnet and virsh."""

TERMINAL_ANSWER = re.compile(rb"\x1b\[(\d+;\d+R|8;\d+;\d+t|\?[\d;]*c)")
"""What a terminal says by itself when a machine asks for its size or its kind: no key was hit."""

PURPOSE = "an interactive console"
HELD = "\r\n[held by {holder}: you are watching; your keys go nowhere]\r\n"
OFF = "\r\n[the machine was switched off, or the broker ended]\r\n"


def attach(socket_path: Path) -> None:
    """Connect the terminal with a line until Ctrl-], after what the line showed last.

    Raises LabError where no terminal or no line is there.
    """
    if not sys.stdin.isatty():
        raise LabError(
            "A console needs a terminal",
            expected="a terminal on standard input",
            seen="a pipe or a file",
            cure="`./inv lab.exec NODE COMMAND` runs one command; `./inv lab.log NODE` shows the transcript",
        )
    paths = brokered(socket_path)
    if paths is None:
        raise LabError("This console belongs to no running lab", expected="a lab that is up", seen=str(socket_path))
    viewer = Viewer(paths, socket_path.stem)
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setraw(sys.stdin)
        viewer.run(sys.stdin.fileno(), sys.stdout.fileno())
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        viewer.close()


class Viewer:
    """One terminal at one line. Its place is for seeing; a second one, taken at the first key, is for typing."""

    def __init__(self, paths: LabPaths, name: str) -> None:
        self._paths, self._name = paths, name
        self._place: Place = take_place(paths, name, Role.WATCH, PURPOSE)
        self._typing: socket.socket | None = None

    def run(self, keyboard: int, screen: int) -> None:
        """Until Ctrl-], or the end of the line or of the keyboard."""
        line = self._place.link.fileno()
        while True:
            ready, _, _ = select.select([keyboard, line], [], [])
            if line in ready:
                data = self._place.link.recv(65536)
                if not data:
                    os.write(screen, OFF.encode())
                    return
                os.write(screen, data)
            if keyboard in ready:
                typed = os.read(keyboard, 1024)
                if not typed or DETACH in typed:
                    return
                self._type(typed, screen)

    def _type(self, typed: bytes, screen: int) -> None:
        if self._typing is None:
            typed = TERMINAL_ANSWER.sub(b"", typed)
            if not typed:
                return
            try:
                self._typing = take_place(self._paths, self._name, Role.TYPE, PURPOSE).link
            except Refused as refused:
                os.write(screen, HELD.format(holder=told(refused.holder)).encode())
                return
        self._typing.sendall(typed)

    def close(self) -> None:
        for link in (self._place.link, self._typing):
            if link is not None:
                link.close()

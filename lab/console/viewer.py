"""A person at a serial line: the terminal in raw mode until Ctrl-]."""

from __future__ import annotations

import os
import select
import socket
import sys
import termios
import tty
from pathlib import Path

from lab.console.line import hold_line
from lab.errors import LabError

DETACH = b"\x1d"
"""Ctrl-], as in telnet and virsh."""


def attach(socket_path: Path, wait: float = 1.0) -> None:
    """Connect the terminal with a line until Ctrl-]. Raises LabError where somebody holds it or no terminal is there."""
    if not sys.stdin.isatty():
        raise LabError(
            "A console needs a terminal",
            expected="a terminal on standard input",
            seen="a pipe or a file",
            cure="`./inv lab.exec NODE COMMAND` runs one command; `./inv lab.log NODE` shows the transcript",
        )
    with hold_line(socket_path, "an interactive console", wait), socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(socket_path))
        before = termios.tcgetattr(sys.stdin)
        try:
            tty.setraw(sys.stdin)
            sock.send(b"\r")
            _copy(sock)
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _copy(sock: socket.socket) -> None:
    keyboard = sys.stdin.fileno()
    while True:
        ready, _, _ = select.select([keyboard, sock], [], [])
        if sock in ready:
            data = sock.recv(4096)
            if not data:
                return
            os.write(sys.stdout.fileno(), data)
        if keyboard in ready:
            typed = os.read(keyboard, 1024)
            if DETACH in typed:
                return
            sock.sendall(typed)

"""Process 1 of the medium: a terminal of the person's kind, the conversation, and the end of the machine."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import signal
import struct
import termios
import time
from dataclasses import dataclass
from pathlib import Path

from lab.console.catalogue import installer as texts
from lab.console.catalogue.text import STANDIN
from standin.console import make_sane
from standin.medium import flow
from standin.medium.dialog import Screens
from standin.medium.disks import find_disks
from standin.medium.install import STICK, install, old_config
from standin.run import attempt
from standin.system import run_in_foreground
from standin.terminal import FileTerminal, Speaker

CMDLINE = Path("/proc/cmdline")
TYPES = ("ansi", "vt100", "xterm")
ASK_SIZE = b"\x1b7\x1b[r\x1b[999;999H\x1b[6n\x1b8"
"""FreeBSD usr.bin/resizewin/resizewin.c: the far corner, where is the cursor, and back."""
SIZE_SECONDS = 2.0
NO_SIZE = b"resizewin: timeout reading from terminal\r\n"
LOGIN = "\nstandin (ttyS0)\n\nlogin: "
SHELL_HINT = "\nWhen finished, type 'exit' to reboot.\n\n"
REBOOTING = "Rebooting...\n"


@dataclass(frozen=True)
class Wishes:
    """From the kernel's command line. delay: seconds that every screen comes late (`uranus.delay=`).

    optional: screens that come only sometimes (`uranus.medium=keymap,manual`). recipe: `uranus.recipe=`.
    """

    delay: float
    optional: frozenset[str]
    recipe: str


def wishes(cmdline: str) -> Wishes:
    values = dict(word.partition("=")[::2] for word in cmdline.split())
    return Wishes(
        float(values.get("uranus.delay") or 0),
        frozenset(values.get("uranus.medium", "").split(",")) - {""},
        values.get("uranus.recipe", "unknown"),
    )


def resize_window() -> None:
    """Ask the terminal how large it is, as resizewin does: what was typed before is thrown away. 80 x 24 without an answer."""
    before = termios.tcgetattr(0)
    raw = termios.tcgetattr(0)
    raw[3] &= ~(termios.ICANON | termios.ECHO)
    raw[6][termios.VMIN], raw[6][termios.VTIME] = 1, 0
    termios.tcsetattr(0, termios.TCSAFLUSH, raw)
    rows, columns = 24, 80
    try:
        os.write(1, ASK_SIZE)
        answer, end = b"", time.monotonic() + SIZE_SECONDS
        while not (found := re.search(rb"\x1b\[(\d+);(\d+)R", answer)) and time.monotonic() < end:
            if select.select([0], [], [], max(end - time.monotonic(), 0))[0]:
                answer += os.read(0, 64)
        if found:
            rows, columns = int(found[1]), int(found[2])
        else:
            os.write(1, NO_SIZE)
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))


def shell() -> None:
    os.write(1, SHELL_HINT.encode())
    run_in_foreground(["/bin/sh", "-i"])


def main(device: str) -> None:
    """Talk until the installation is done or left, then restart the machine. Never returns."""
    _take_terminal(device)
    wanted = wishes(CMDLINE.read_text())
    speaker = Speaker(FileTerminal(), STANDIN)
    time.sleep(wanted.delay)
    kind = (speaker.ask(texts.CONSOLE_TYPE) or "").strip()
    resize_window()
    medium = flow.Medium(
        Screens(STANDIN, kind if kind in TYPES else "vt100", wanted.delay),
        find_disks,
        lambda disk, swap, config, progress: install(disk, swap, wanted.recipe, config, progress),
        old_config,
        shell,
        lambda: attempt(["e2fsck", "-n", "-f", str(STICK)]) and None,
        wanted.optional,
    )
    try:
        flow.run_installer(medium)
    except flow.Left:
        medium.screens.clear()
        speaker.write(LOGIN)
        while speaker.listen() != "root":
            speaker.write(LOGIN)
        shell()
    os.write(1, b"\x1b[H\x1b[2J" + REBOOTING.encode())
    os.sync()
    os.execvp("busybox", ["busybox", "reboot", "-f"])


def _take_terminal(device: str) -> None:
    """This process may be the first of its session already: process 1 is not."""
    with contextlib.suppress(PermissionError):
        os.setsid()
    line = os.open(device, os.O_RDWR)
    fcntl.ioctl(line, termios.TIOCSCTTY, 0)
    for number in (0, 1, 2):
        os.dup2(line, number)
    if line > 2:
        os.close(line)
    for caught in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP):
        signal.signal(caught, lambda *_: None)
    make_sane(0)

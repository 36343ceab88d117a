"""The login on the serial line: a session of its own, the menu, and the end of it (process 1 then starts another)."""

from __future__ import annotations

import fcntl
import os
import signal
import termios
import time

from lab.console.catalogue.text import STANDIN, Product
from standin.menu import System, run_menu
from standin.terminal import FileTerminal, Speaker

IGNORED = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP)
CONTROL_C, CONTROL_D, CONTROL_U, CONTROL_Z, BACKSLASH, DELETE = 3, 4, 21, 26, 28, 127


def serve(device: str, system: System, product: Product = STANDIN) -> None:
    """Take the device as this process's terminal and run the menu on it until the login ends."""
    os.setsid()
    line = os.open(device, os.O_RDWR)
    fcntl.ioctl(line, termios.TIOCSCTTY, 0)
    for number in (0, 1, 2):
        os.dup2(line, number)
    if line > 2:
        os.close(line)
    terminal = FileTerminal()
    for caught in IGNORED:
        # A handler, not SIG_IGN: what is started from here must get the default back by exec.
        signal.signal(caught, lambda *_: None)
    signal.signal(signal.SIGINT, lambda *_: terminal.interrupt())
    make_sane(0)
    run_menu(Speaker(terminal, product), system)


def make_sane(line: int) -> None:
    """Cooked mode with echo, 115200 baud, no modem lines; what a shell may have left behind is undone."""
    try:
        _, _, cflag, _, _, _, controls = termios.tcgetattr(line)
    except termios.error:
        return
    controls[termios.VINTR] = bytes([CONTROL_C])
    controls[termios.VQUIT] = bytes([BACKSLASH])
    controls[termios.VERASE] = bytes([DELETE])
    controls[termios.VKILL] = bytes([CONTROL_U])
    controls[termios.VEOF] = bytes([CONTROL_D])
    controls[termios.VSUSP] = bytes([CONTROL_Z])
    termios.tcsetattr(
        line,
        termios.TCSADRAIN,
        [
            termios.ICRNL | termios.IXON,
            termios.OPOST | termios.ONLCR,
            (cflag & ~termios.PARENB) | termios.CLOCAL | termios.CREAD | termios.CS8,
            termios.ISIG | termios.ICANON | termios.IEXTEN | termios.ECHO | termios.ECHOE | termios.ECHOK,
            termios.B115200,
            termios.B115200,
            controls,
        ],
    )


def pause_if_hasty(started: float) -> None:
    """A login that ends at once, over and over, must not eat the machine."""
    if time.monotonic() - started < 1:
        time.sleep(1)

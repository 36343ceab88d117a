"""Option 9: the connections as they come and go, until `q`.

pfTop itself needs pf. Columns and head line are pftop's as far as they are known (recalled, not read in its source); what a
line says comes from the kernel's connection tracking.
"""

from __future__ import annotations

import os
import select
import shutil
import termios
import time
import tty
from collections.abc import Sequence

from standin.pf_states import Flow, read_flows, state_names

SECONDS = 5.0
"""Between two looks, as pftop's default."""

QUIT = (b"q", b"\x03")
CLEAR = "\x1b[H\x1b[2J"
HEAD = "pfTop: Up State {first}-{last}/{count}, View: default, Order: none, Cache: 10000"
COLUMNS = "PR    DIR SRC                   DEST                  STATE   AGE      EXP"
LINE = "{proto:<5} {direction:<3} {source:<21.21} {destination:<21.21} {client}:{server:<3.3} {age:>6} {expires:>8}"
SHORT_NAMES = {"ESTABLISHED": "4", "SYN_SENT": "2", "CLOSED": "0", "CLOSING": "7", "FIN_WAIT_2": "9", "TIME_WAIT": "10"}
"""pftop writes TCP states as FreeBSD's numbers (netinet/tcp_fsm.h)."""


def picture(flows: Sequence[Flow], rows: int, columns: int, clock: str) -> str:
    """One look at the table, as many lines as fit."""
    shown = flows[: max(rows - 3, 0)]
    head = HEAD.format(first=1 if shown else 0, last=len(shown), count=len(flows))
    lines = [f"{head:<{max(columns - 9, 0)}}{clock}", COLUMNS[:columns], *(line(each)[:columns] for each in shown)]
    return "\r\n".join(lines)


def line(flow: Flow) -> str:
    client, server = (SHORT_NAMES.get(name, name) for name in state_names(flow))
    original = flow.original
    return LINE.format(
        proto=flow.proto,
        direction="In",
        source=f"{original.source}:{original.source_port}",
        destination=f"{original.destination}:{original.destination_port}",
        client=client,
        server=server,
        age="" if flow.age is None else _clock(flow.age),
        expires=_clock(flow.timeout),
    )


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def show() -> None:
    """On this terminal, in raw mode, until `q` or Ctrl-C."""
    before = termios.tcgetattr(0)
    try:
        tty.setraw(0)
        while True:
            size = shutil.get_terminal_size((80, 24))
            text = picture(read_flows(), size.lines, size.columns, time.strftime("%H:%M:%S"))
            os.write(1, (CLEAR + text).encode())
            ready, _, _ = select.select([0], [], [], SECONDS)
            if ready and os.read(0, 1) in QUIT:
                return
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
        os.write(1, b"\r\n")

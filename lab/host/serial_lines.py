"""Root's half of the serial lines' broker (lab.console.broker): started in the lab's namespace, run with the caller's rights."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time

from lab.errors import LabError
from lab.host.members import POLL
from lab.paths import LabPaths, project_root

PROGRAM = "lab.console.broker"
SOCKET = "broker.sock"
LOG = "broker.log"
START_SECONDS = 60.0
"""Deadline for it to answer (0.1 s on an idle machine)."""

FAILED = "The owner of the lab's serial lines did not start"


def answers(paths: LabPaths) -> bool:
    """Whether somebody accepts connections where the broker should."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(paths.root / "console" / SOCKET))
        except OSError:
            return False
    return True


def start(paths: LabPaths, owner: tuple[int, int]) -> None:
    """Start it from within the lab's network namespace and wait until it answers. Raises LabError."""
    uid, gid = owner
    folder = paths.root / "console"
    folder.mkdir(exist_ok=True)
    log = folder / LOG
    with log.open("ab") as errors:
        for path in (folder, log):
            os.chown(path, uid, gid)
        broker = subprocess.Popen(
            [sys.executable, "-m", PROGRAM, str(paths.root)],
            cwd=project_root(), start_new_session=True, user=uid, group=gid, extra_groups=[],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
        )  # fmt: skip
    deadline = time.monotonic() + START_SECONDS
    while not answers(paths):
        if broker.poll() is not None or time.monotonic() > deadline:
            broker.kill()
            raise LabError(FAILED, seen=log.read_text(errors="replace")[-500:].strip(), log=str(log))
        time.sleep(POLL)

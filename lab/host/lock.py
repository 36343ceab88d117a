"""One command at a time may change a lab; who comes second is told who is at it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from lab.errors import LabError
from lab.events import Event, Listener, Phase, silent
from lab.host.deadline import Deadline
from lab.host.state import private_directory, unusable
from lab.paths import LabPaths

POLL = 0.2

STEP = "wait for the lock"
HELD = "held by {command} (process {pid}) since {since}"
HELD_UNKNOWN = "held by another command"
BUSY = "Lab {lab} is busy"
BUSY_EXPECTED = "free within {seconds:.0f} s"
BUSY_CURE = "Wait for that command to end, or end it (kill {pid}), then try again."
BUSY_CURE_UNKNOWN = "Wait for that command to end, then try again."


@dataclass(frozen=True)
class Holder:
    """Who holds a lab. since: local time, ISO 8601 to the second."""

    pid: int
    command: str
    since: str

    def __str__(self) -> str:
        return HELD.format(command=self.command, pid=self.pid, since=self.since)


def holder(paths: LabPaths) -> Holder | None:
    """Who wrote its name into the lock last; whether it still holds it only the lock itself tells."""
    try:
        return Holder(**json.loads(paths.lock.read_text()))
    except (OSError, ValueError, TypeError):
        return None


@contextlib.contextmanager
def locked(paths: LabPaths, command: str, seconds: float = 3600.0, listener: Listener = silent) -> Iterator[None]:
    """Hold the lab. Where somebody else does, say who (an event, once), and wait at most `seconds`.

    The kernel lets go of the lock when its holder dies, so it is never stale. Raises LabError after the wait.
    """
    deadline = Deadline.after(seconds)
    told = False
    while (handle := _take(paths)) is None:
        who = holder(paths)
        seen = str(who) if who else HELD_UNKNOWN
        if not told:
            listener(Event("lab", STEP, Phase.NOTE, detail=seen))
            told = True
        if deadline.expired:
            raise LabError(
                BUSY.format(lab=paths.name),
                expected=BUSY_EXPECTED.format(seconds=seconds),
                seen=seen,
                cure=BUSY_CURE.format(pid=who.pid) if who else BUSY_CURE_UNKNOWN,
            )
        time.sleep(min(POLL, deadline.remaining))
    try:
        mine = Holder(os.getpid(), command, time.strftime("%Y-%m-%dT%H:%M:%S"))
        with contextlib.suppress(OSError):  # a full disk: held all the same, only without a name
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.dumps(asdict(mine)).encode(), 0)
        yield
    finally:
        os.close(handle)


def _take(paths: LabPaths) -> int | None:
    """An open file with the lock on it, or None where somebody has it."""
    private_directory(paths.root)
    try:
        handle = os.open(paths.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None  # removed in between
    except OSError as error:
        raise unusable(paths.root, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The holder before us may have removed the whole lab: then this lock is on a file nobody will look at.
        if os.path.samestat(os.fstat(handle), os.stat(paths.lock)):  # noqa: PTH116
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(handle)
    return None

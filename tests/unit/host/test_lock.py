from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.events import Event, Phase
from lab.host.lock import holder, locked
from lab.paths import LabPaths, project_root

HOLD = """
import sys
from pathlib import Path
from lab.host.lock import locked
from lab.paths import LabPaths
with locked(LabPaths(Path(sys.argv[1])), "lab.up"):
    print("held", flush=True)
    sys.stdin.read()
"""


def other_holder(paths: LabPaths) -> subprocess.Popen[str]:
    """Another process that holds the lab."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(paths.root)],
        cwd=project_root(),
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


@pytest.fixture
def paths(tmp_path: Path) -> LabPaths:
    return LabPaths(tmp_path / "lab")


def test_second_comer_is_told_who_holds_the_lab(paths: LabPaths) -> None:
    other = other_holder(paths)
    try:
        with pytest.raises(LabError) as caught, locked(paths, "lab.down", seconds=0):
            pytest.fail("held twice")
    finally:
        other.communicate("")
    assert caught.value.problem.summary == "Lab lab is busy"
    assert caught.value.problem.seen.startswith(f"held by lab.up (process {other.pid}) since 20")
    assert f"kill {other.pid}" in caught.value.problem.cure


def test_second_comer_waits_and_says_so_once(paths: LabPaths) -> None:
    other = other_holder(paths)
    events: list[Event] = []
    threading.Timer(1.0, lambda: other.communicate("")).start()
    with locked(paths, "lab.down", seconds=60, listener=events.append):
        now = holder(paths)
    assert now is not None
    assert (now.pid, now.command) == (os.getpid(), "lab.down")
    assert [(event.phase, str(other.pid) in event.detail) for event in events] == [(Phase.NOTE, True)]


def test_dead_holder_holds_nothing(paths: LabPaths) -> None:
    other = other_holder(paths)
    other.kill()
    other.wait()
    events: list[Event] = []
    with locked(paths, "lab.up", seconds=0, listener=events.append):
        assert not events


def test_file_removed_between_opening_and_locking_it_is_no_lock(
    paths: LabPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fcntl.flock
    locked_files: list[int] = []

    def flock(handle: int, operation: int) -> None:
        if not locked_files:
            shutil.rmtree(paths.root)  # what lab.down does just before it lets go
        locked_files.append(os.fstat(handle).st_ino)
        real(handle, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    with locked(paths, "lab.up", seconds=60):
        assert len(locked_files) == 2
        assert paths.lock.stat().st_ino == locked_files[-1]


def test_lab_removed_under_its_lock_is_locked_anew(paths: LabPaths) -> None:
    """A holder (lab.down) removes the directory, lock and all; who waited must lock the new one."""
    taken = threading.Event()

    def wait_for_it() -> None:
        with locked(paths, "lab.up", seconds=60):
            taken.set()
            time.sleep(0.5)

    waiter = threading.Thread(target=wait_for_it)
    with locked(paths, "lab.down"):
        waiter.start()
        time.sleep(0.3)
        shutil.rmtree(paths.root)
    assert taken.wait(30)
    with pytest.raises(LabError), locked(paths, "lab.check", seconds=0):
        pytest.fail("held twice")
    waiter.join()

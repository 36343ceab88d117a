"""The host's own stalls: a process that is stopped for a while was late by about that."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from lab.experiment.heartbeat import Heartbeat


def test_a_stop_is_noted_with_its_length_and_its_time() -> None:
    with Heartbeat() as beat:
        assert beat._process is not None
        time.sleep(0.3)
        begun = time.time()
        os.kill(beat._process.pid, signal.SIGSTOP)
        time.sleep(0.4)
        os.kill(beat._process.pid, signal.SIGCONT)
        ended = time.time()
        time.sleep(0.2)
    assert beat.stalls.worst(begun, ended) > 0.3
    assert beat._process.returncode == 0


def test_a_process_that_shares_its_core_is_seen_waiting_for_it() -> None:
    """Two that want all of one core: each waits about half of the time."""
    core = min(os.sched_getaffinity(0))
    word = f"guest-{os.getpid()}"
    busy = f"import os; os.sched_setaffinity(0, [{core}])\nwhile True: pass"
    hogs = [subprocess.Popen([sys.executable, "-c", busy, name]) for name in (word, "other")]
    try:
        with Heartbeat({"backup": word, "master": "no such words"}) as beat:
            time.sleep(0.5)
            begun = time.time()
            time.sleep(1.5)
            ended = time.time()
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
    assert beat.stalls.waited("backup", begun, ended) > 0.2
    assert beat.stalls.longest_wait(begun, ended) == beat.stalls.waited("backup", begun, ended)
    assert beat.stalls.waited("master", begun, ended) == 0.0

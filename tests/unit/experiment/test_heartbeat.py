"""The host's own stalls: a process that is stopped for a while was late by about that."""

from __future__ import annotations

import os
import signal
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

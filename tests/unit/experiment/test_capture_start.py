"""When a capture counts as begun, by what tcpdump writes, however it comes in pieces."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from lab.errors import LabError
from lab.experiment.capture import TcpdumpCapture
from lab.experiment.contracts import World


class Spawned:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(10.0)


class PathWorld:
    """Runs commands with a tcpdump of our own before all others."""

    def __init__(self, directory: Path, script: str) -> None:
        program = directory / "tcpdump"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        self.path = f"{directory}:{os.environ['PATH']}"

    def spawn(self, command: Sequence[str]) -> Spawned:
        return Spawned(subprocess.Popen(command, env={"PATH": self.path}))


def capture(tmp_path: Path, script: str) -> TcpdumpCapture:
    return TcpdumpCapture(cast("World", PathWorld(tmp_path, script)), {"br-lan": ""}, tmp_path / "frames")


def test_its_name_alone_is_no_refusal(tmp_path: Path) -> None:
    begun = capture(tmp_path, "printf 'tcpdump: ' >&2; sleep 0.3; echo 'listening on br-lan' >&2; exec sleep 60")
    begun.start()
    begun.stop()


def test_a_refusal_is_told_at_once_in_its_words(tmp_path: Path) -> None:
    refused = capture(tmp_path, "echo 'tcpdump: br-lan: No such device exists' >&2; exec sleep 60")
    with pytest.raises(LabError, match="does not listen on br-lan") as caught:
        refused.start()
    assert "No such device" in caught.value.problem.seen

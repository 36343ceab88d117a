"""One whole lab for all tests of this layer that need one, driven by the very commands a person types."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.paths import project_root


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def inv(*words: str, seconds: float = 900) -> Result:
    """Run one command of the project in this environment."""
    command = [sys.executable, "-m", "invoke", "--search-root", str(project_root()), *words]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False, cwd="/"
    )
    return Result(done.returncode, done.stdout, done.stderr)


def start(*words: str) -> subprocess.Popen[str]:
    """The same, left running."""
    command = [sys.executable, "-m", "invoke", "--search-root", str(project_root()), *words]
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/"
    )


def drilled(name: str, faults: tuple[str, ...], directory: Path) -> Any:
    """The score card of a drill in which nothing failed twice. A computer with too much to do makes guests late; that is told, and
    no reason to fail here. One that stands still for seconds can do worse, but not twice in a row."""
    card = _drill(name, faults, directory)
    failed = [score for score in card["scores"] if score["verdict"] == "fail"]
    if failed:
        print("once more:", failed)
        again = _drill(
            name, tuple(f for f in faults if any(one["fault"].startswith(f.split()[0]) for one in failed)), directory
        )
        wrong = [score for score in again["scores"] if score["verdict"] == "fail"]
        assert not wrong, (failed, wrong)
    print([score for score in card["scores"] if score["verdict"] != "pass"])
    for place in directory.iterdir():
        report = json.loads((place / "failover.json").read_text())
        assert report["dropped"] == 0
        assert report["cost"]["cpu"] + report["cost"]["reading"] < 1.0, "the recorder keeps a whole core busy"
    return card


def _drill(name: str, faults: tuple[str, ...], directory: Path) -> Any:
    done = inv("lab.drill", "--only", ",".join(faults), "--report", str(directory), "--name", name, "--json")
    assert done.out, done.err[-3000:]
    print(done.err[-6000:])
    return done.json


@pytest.fixture(scope="module")
def uranus(state_home: Path) -> Iterator[str]:
    """The default lab, up for one module's tests: never two whole labs at once. Its name."""
    up = inv("lab.up", "--name", "e2e")
    assert up.code == 0, up.err[-6000:]
    yield "e2e"
    down = inv("lab.down", "--name", "e2e", "--purge")
    assert down.code == 0, down.err[-3000:]
    assert not (state_home / "e2e").exists()

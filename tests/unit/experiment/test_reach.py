"""What one machine is told to try, and what is made of what it says."""

from __future__ import annotations

import subprocess

from lab.errors import LabError
from lab.expect.paths import Path, matrix
from lab.experiment.reach import script, try_from
from lab.machines.agent import Outcome
from lab.topology.stage import Stage
from tests.unit.experiment.frames import uranus


class Shell:
    """A machine whose `ping` and `nc` know nobody but these; this computer's own shell runs the script."""

    def __init__(self, known: str) -> None:
        self._known = known

    def run(self, command: str, seconds: float = 60.0, text: str = "") -> Outcome:
        answer = f'case " $* " in *" {self._known} "*) return 0;; *) return 1;; esac'
        programs = "".join(f"{name}() {{ {answer}; }}\n" for name in ("ping", "nc", "ip"))
        ran = subprocess.run(["sh", "-c", programs + command], capture_output=True, text=True, timeout=seconds)
        return Outcome(ran.returncode, ran.stdout, ran.stderr)


class Deaf:
    def run(self, command: str, seconds: float = 60.0, text: str = "") -> Outcome:
        raise LabError("The guest agent of client does not answer")


def from_client() -> list[Path]:
    return [path for path in matrix(uranus(), Stage.RULES) if path.source == "client" and path.verdict.allowed]


def test_paths_and_other_commands_are_tried_side_by_side_and_told_apart() -> None:
    paths = from_client()
    known = paths[0].destination
    answers = try_from(Shell(str(known)), paths, {"clock": "true", "moon": "false"})
    assert answers.pop("clock") is True
    assert answers.pop("moon") is False
    assert answers == {path.id: path.destination == known for path in paths}


def test_a_deaf_machine_has_tried_nothing() -> None:
    paths = from_client()
    answers = try_from(Deaf(), paths, {"clock": "true"})
    assert set(answers) == {*(path.id for path in paths), "clock"}
    assert set(answers.values()) == {"The guest agent of client does not answer"}


def test_nothing_to_try_is_a_script_too() -> None:
    assert subprocess.run(["sh", "-c", script([])], capture_output=True, check=True).stdout == b""

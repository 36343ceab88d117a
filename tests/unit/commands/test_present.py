"""What a person reads when something fails, and what a program gets."""

from __future__ import annotations

import errno
import json

import pytest

from lab.commands import present
from lab.errors import LabError


def _fail() -> int:
    raise LabError("The lab is on fire", expected="water", seen="smoke", log="/var/log/fire", cure="call 112\nthen run")


def test_a_failure_is_told_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    assert present.run(_fail) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "error: The lab is on fire\n"
        "  expected:   water\n"
        "  seen:       smoke\n"
        "  log:        /var/log/fire\n"
        "  what to do: call 112\n"
        "              then run\n"
    )


def test_json_gets_one_object_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert present.run(_fail, json_wanted=True) == 1
    out, _ = capsys.readouterr()
    assert json.loads(out) == {
        "ok": False,
        "error": {
            "summary": "The lab is on fire",
            "expected": "water",
            "seen": "smoke",
            "log": "/var/log/fire",
            "cure": "call 112\nthen run",
        },
    }


@pytest.mark.parametrize(
    ("number", "word"), [(errno.ENOSPC, "TMPDIR"), (errno.EACCES, "sudo"), (errno.EROFS, "written")]
)
def test_a_full_disk_or_a_missing_right_has_a_cure(capsys: pytest.CaptureFixture[str], number: int, word: str) -> None:
    def body() -> int:
        raise OSError(number, "refused", "/tmp/uranus")

    assert present.run(body) == 1
    err = capsys.readouterr().err
    assert "/tmp/uranus" in err
    assert word in err


def test_no_line_of_a_table_ends_in_spaces() -> None:
    lines = present.table("machines", ["machine", "state"], [["client", "running"], ["web", "off"]]).splitlines()
    assert [line.split() for line in lines if "─" not in line] == [
        ["machines"],
        [],
        ["machine", "state"],
        ["client", "running"],
        ["web", "off"],
    ]
    assert lines == [line.rstrip() for line in lines]

"""States are counted by one listing of the table, each word beside its own count."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lab.appliances.appliance import STANDIN
from lab.appliances.firewall import COUNT_STATES, Firewall
from lab.console.command_line import Output
from lab.errors import LabError

TABLE = """\
all tcp 172.17.3.100:80 <- 172.17.1.100:40001       ESTABLISHED:ESTABLISHED
all tcp 172.17.1.100:40001 -> 172.17.3.100:80       ESTABLISHED:ESTABLISHED
all udp 172.17.3.100:9 <- 172.17.1.100:40010       MULTIPLE:MULTIPLE
"""
LISTINGS = "listings"


def test_the_command_counts_every_word_and_lists_once(tmp_path: Path) -> None:
    table, pfctl = tmp_path / "table", tmp_path / "pfctl"
    table.write_text(TABLE)
    pfctl.write_text(f"#!/bin/sh\necho one >>{tmp_path / LISTINGS}\ncat {table}\n")
    pfctl.chmod(0o755)
    command = COUNT_STATES.format(words="172.17.1.100:40001 172.17.1.100:40010 172.17.1.100:5")
    said = subprocess.run(["/bin/sh", "-c", command], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True)
    assert said.stdout.split() == [b"2", b"1", b"0"]
    assert (tmp_path / LISTINGS).read_text() == "one\n"


def _firewall(monkeypatch: pytest.MonkeyPatch, answer: str) -> Firewall:
    monkeypatch.setattr(Firewall, "run", lambda *_: Output(answer, 0))
    return Firewall("backup", STANDIN, Path("/nowhere"), Path("/nowhere/console.log"))


def test_the_counts_are_numbers_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _firewall(monkeypatch, "2\n0\n").states(["a", "b"]) == (2, 0)
    assert _firewall(monkeypatch, "never asked").states([]) == ()


@pytest.mark.parametrize("answer", ["", "2\n", "2\npfctl: busy\n", "1\n2\n3\n"])
def test_an_answer_that_is_no_count_is_an_error_and_not_a_lost_connection(
    monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    with pytest.raises(LabError, match="did not count its states"):
        _firewall(monkeypatch, answer).states(["a", "b"])

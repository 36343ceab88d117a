"""python -m lab.carp, as anyone would use it to replay a sequence."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from lab.carp.replay import Replay
from tests.unit.carp.kernel_cases import CASES, load

START = [
    {"t": 0, "ev": "ifnew", "if": "em0"},
    {"t": 0, "ev": "addr", "if": "em0", "addr": "192.0.2.2"},
    {"t": 0, "ev": "vhid", "if": "em0", "vhid": 1, "advbase": 1, "advskew": 0, "key": "secret"},
    {"t": 0, "ev": "addr", "if": "em0", "addr": "192.0.2.101", "vhid": 1},
]


def run(*arguments: str, lines: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lab.carp", *arguments]
    return subprocess.run(command, input=lines, capture_output=True, text=True, timeout=60, check=False)


def test_lines_in_and_lines_out() -> None:
    events = [*START, {"t": 3.5, "ev": "run"}, {"t": 3.5, "ev": "dump"}, {"t": 3.5, "ev": "stats"}]
    done = run("--seed", "1", lines="\n".join(map(json.dumps, events)) + "\n")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["type"] for line in lines if line["out"] == "devd"] == ["BACKUP", "MASTER"]
    assert next(line for line in lines if line["out"] == "stats")["opackets"] == 1
    assert len([line for line in lines if line["out"] == "done"]) == len(events)


def test_a_case_file_is_replayed_to_its_end() -> None:
    lines = [json.loads(line) for line in run(str(CASES / "08.json")).stdout.splitlines()]
    assert lines[-1] == {"t": 3.0, "out": "done", "rc": 0, "next": 3.390625}


@pytest.mark.parametrize(
    "line", ["nonsense", '{"t": 0}', '{"t": 0, "ev": "dance"}', '{"t": -1, "ev": "run"}', "[]", "3"]
)
def test_a_line_that_is_no_event_is_named(line: str) -> None:
    done = run(lines=json.dumps(START[0]) + "\n" + line + "\n")
    assert done.returncode == 2
    assert "<stdin>:2" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_raw_packet_is_as_good_as_a_described_one() -> None:
    sender, hearer = Replay(lambda: 5), Replay(lambda: 5)
    packets = []
    for event in [*START, {"t": 3.5, "ev": "run"}]:
        packets += [json.loads(line)["hex"] for line in sender.feed(event) if '"tx"' in line]
    for event in [{"t": 0, "ev": "sysctl", "name": "preempt", "value": 1}, *START]:
        list(hearer.feed({**event, "advskew": 100} if event["ev"] == "vhid" else event))
    heard = [json.loads(line) for line in hearer.feed({"t": 3, "ev": "rx", "if": "em0", "hex": packets[0]})]
    assert [line["at"] for line in heard if line["out"] == "timer"] == [6.390625]


def test_states_may_be_asked_for_by_name_or_number() -> None:
    for state in ("MASTER", "master", 2):
        host = Replay(lambda: 0)
        lines = [json.loads(line) for event in START for line in host.feed(event)]
        lines += map(json.loads, host.feed({"t": 1, "ev": "vhid", "if": "em0", "vhid": 1, "state": state}))
        assert [line["type"] for line in lines if line["out"] == "devd"] == ["BACKUP", "MASTER"]


def test_the_cases_are_data_of_the_tests() -> None:
    assert len(list(CASES.glob("??.json"))) == 15
    assert load(1)["id"] == 1

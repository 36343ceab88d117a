"""The fifteen cases recorded from FreeBSD's own state machine."""

from __future__ import annotations

import json

import pytest

from lab.carp.replay import Replay, case_events
from tests.unit.carp.kernel_cases import CASES, differences, load


@pytest.mark.parametrize("number", range(1, 16))
def test_outcomes_and_final_state_are_the_kernels(number: int) -> None:
    assert differences(load(number)) == []


@pytest.mark.parametrize("number", [1, 6, 14, 15])
def test_every_line_is_the_kernels_to_the_byte(number: int) -> None:
    recorded = (CASES / f"{number:02}.out.jsonl").read_text().splitlines()
    counters = iter([json.loads(line)["counter"] for line in recorded if '"tx"' in line])
    host = Replay(lambda: next(counters))
    assert [line for event in case_events(load(number)) for line in host.feed(event)] == recorded

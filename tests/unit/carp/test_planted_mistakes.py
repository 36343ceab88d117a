"""Every planted mistake is caught, and what catches it finds nothing in the real engine."""

from __future__ import annotations

import pytest

from lab.carp import packet, replay
from tests.unit.carp import checks
from tests.unit.carp.planted import MISTAKES, Mistake, planted

FEW = range(40)
MANY = range(40, 1500)


def test_the_real_engine_passes_what_catches_the_mistakes() -> None:
    assert checks.recorded_cases(replay) == ""
    assert checks.vectors(packet) == ""
    assert checks.stories(replay, FEW) == ""


@pytest.mark.slow
def test_the_real_engine_agrees_with_the_sheet_for_long() -> None:
    assert checks.stories(replay, MANY) == ""


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_planted_mistake_is_caught(mistake: Mistake) -> None:
    with planted(mistake) as (wrong_replay, wrong_packet):
        found = [
            checks.recorded_cases(wrong_replay),
            checks.vectors(wrong_packet),
            checks.stories(wrong_replay, FEW),
        ]
    assert any(found)
    assert checks.recorded_cases(replay) == "", "the real engine is not back"


def test_the_mistakes_are_all_different() -> None:
    assert len({(mistake.module, mistake.old, mistake.new) for mistake in MISTAKES}) == len(MISTAKES) >= 11

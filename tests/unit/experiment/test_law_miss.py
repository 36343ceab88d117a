"""How far a hand-over lies outside the law, where the old master may have spoken once more."""

from __future__ import annotations

import pytest

from lab.carp.law import Interval
from lab.expect.outcome import Cause, Move
from lab.experiment.measure import Times, _law_miss
from lab.experiment.wire import TakeOver

TIMES = Times(baseline=-2.0, injected=0.0, fault=0.0, fault_doubt=0.01, undone=2.7, end=9.0, ended=2.7)
LAW, PATIENCE = Interval(2.390625, 3.390625), Interval(3.390625, 3.390625)


def miss(at: float, silence: float, certain: bool) -> float:
    move = Move(Cause.SILENCE, LAW, PATIENCE, LAW, certain=certain)
    return _law_miss(move, TakeOver(at, 4, "ha", "master", "backup", silence, (1, 0)), TIMES, 0.1, True)


def test_a_backup_whose_time_was_up_when_the_master_went_on_is_judged_by_the_fault_alone() -> None:
    assert miss(2.784, 0.034, certain=False) == 0.0
    assert miss(3.9, 0.034, certain=False) == pytest.approx(3.9 - 3.400625)


def test_elsewhere_a_master_that_spoke_just_before_is_a_hand_over_too_early() -> None:
    assert miss(2.784, 0.034, certain=True) == pytest.approx(0.034 - 3.390625)


def test_too_much_patience_is_one_in_a_race_too() -> None:
    assert miss(3.3, 3.9, certain=False) == pytest.approx(3.9 - 3.390625)

"""The timing law against the rows of the reference sheet (carp-freebsd.md §6)."""

from __future__ import annotations

import pytest

from lab.carp import law
from lab.carp.law import AT_ONCE, STAYS, Conditions, Handover, Interval, Node

PAIRS = [
    (Node(1, 0), Node(1, 100)),
    (Node(1, 100), Node(1, 200)),
    (Node(1, 0), Node(1, 1)),
]
SILENCES = [(2.391, 3.391), (2.391, 3.781), (2.004, 3.004)]
PACES = [(1.0, 1.391), (1.391, 1.781), (1.0, 1.004)]
ROWS = list(zip(PAIRS, SILENCES, PACES, strict=True))
SILENT_FAULTS = [law.crash, law.carp_off, law.orderly_stop, law.link_cut]


def rounded(interval: Interval | None) -> tuple[float, float] | None:
    return interval and (round(interval.low, 3), round(interval.high, 3))


@pytest.mark.parametrize("fault", SILENT_FAULTS)
@pytest.mark.parametrize(("pair", "silence", "paces"), ROWS)
def test_a_silent_end_costs_the_backups_patience(fault, pair, silence, paces):
    move = fault(*pair)
    assert rounded(move.at) == rounded(move.outage) == silence


@pytest.mark.parametrize("fault", [law.link_cut_elsewhere, law.demotion])
@pytest.mark.parametrize(("pair", "silence", "paces"), ROWS)
def test_a_demotion_moves_at_once(fault, pair, silence, paces):
    assert fault(*pair) == Handover(AT_ONCE)


@pytest.mark.parametrize("fault", [law.link_cut_elsewhere, law.demotion, law.maintenance])
def test_nothing_moves_to_a_backup_that_cannot_preempt(fault):
    master = Node(1, 0)
    assert fault(master, Node(1, 100, preempt=False)) == STAYS
    assert fault(master, Node(1, 254)) == STAYS
    assert fault(master, Node(1, 0, demotion=240)) == STAYS


@pytest.mark.parametrize(("pair", "silence", "paces"), ROWS)
def test_maintenance_waits_for_the_next_advert_each_way(pair, silence, paces):
    master, backup = pair
    assert rounded(law.maintenance(master, backup).at) == (0.0, paces[0])
    assert rounded(law.leave_maintenance(master, backup).at) == (0.0, paces[1])
    assert rounded(law.come_back(master, backup).at) == (0.0, paces[1])


def test_a_return_without_preempt_or_without_advantage_changes_nothing():
    assert law.come_back(Node(1, 0, preempt=False), Node(1, 100)) == STAYS
    assert law.come_back(Node(1, 100), Node(1, 100)) == STAYS
    assert law.come_back(Node(1, 100), Node(1, 0)) == STAYS


def test_a_return_to_a_master_that_hardly_speaks():
    assert law.come_back(Node(1, 0, preempt=False), Node(200, 0)).at == AT_ONCE.later_of(Interval(0, 3))
    assert law.come_back(Node(4, 0), Node(1, 240, demotion=0)) == STAYS
    rare = law.come_back(Node(1, 0, demotion=240), Node(3, 200))
    assert law.come_back(Node(1, 0, demotion=240), Node(1, 240)) == STAYS
    assert law.come_back(Node(1, 0, demotion=240, preempt=False), Node(3, 200)).certain is False
    assert rare.certain is True


@pytest.mark.parametrize(("node", "wait"), [(Node(1, 0), 3.0), (Node(1, 100), 3.391), (Node(1, 254), 3.992)])
def test_an_empty_segment_costs_ones_own_patience(node, wait):
    assert rounded(law.come_back_alone(node).at) == (wait, wait)


def test_a_lost_backup_is_not_missed():
    assert law.backup_lost(*PAIRS[0]) == STAYS


def test_base_three():
    assert rounded(law.crash(Node(3, 0), Node(3, 100)).at) == (6.391, 9.391)


@pytest.mark.parametrize(
    ("frozen", "at", "outage", "certain"),
    [
        (2.0, None, (2.0, 2.0), True),
        (3.0, (2.391, 3.0), (2.391, 3.0), False),
        (5.0, (2.391, 3.391), (2.391, 3.391), True),
    ],
)
def test_a_freeze_is_a_crash_if_it_lasts(frozen, at, outage, certain):
    move = law.freeze(*PAIRS[0], frozen)
    assert (rounded(move.at), rounded(move.outage), move.certain) == (at, outage, certain)


def test_thaw():
    master, backup = PAIRS[0]
    assert law.thaw(master, backup, clock_ran=True).at == AT_ONCE
    assert rounded(law.thaw(master, backup, clock_ran=False).at) == (0.0, 1.0)
    assert rounded(law.thaw(backup, master, clock_ran=True).at) == (0.0, 1.0)


def test_a_frozen_backup_may_wake_as_a_false_master():
    assert law.freeze_backup(*PAIRS[0], 2.0) == STAYS
    move = law.freeze_backup(*PAIRS[0], 5.0)
    assert not move.certain
    assert rounded(move.outage) == rounded(move.two_masters) == (0.0, 1.0)


def test_a_split_makes_two_masters_until_it_is_healed():
    move = law.split(*PAIRS[0])
    assert (rounded(move.at), move.two_masters) == ((2.391, 3.391), None)
    assert rounded(law.heal(*PAIRS[0]).at) == rounded(law.heal(*reversed(PAIRS[0])).at) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("pair", "outage"), list(zip(PAIRS, [(2.391, 3.0), (2.391, 3.391), (2.004, 3.0)], strict=True))
)
def test_a_vip_added_again(pair, outage):
    move = law.address_changed(*pair)
    assert rounded(move.outage) == outage
    assert not move.certain


def test_a_link_that_flaps():
    move = law.link_flap(*PAIRS[0], 0.5)
    assert (rounded(move.at), move.certain) == ((2.391, 3.391), True)
    assert law.link_flap(Node(1, 0), Node(3, 100), 0.5).at is None


def test_real_timers_are_late_and_never_early():
    at = law.crash(*PAIRS[0], Conditions(hz=100)).at
    assert at is not None
    assert 2.3 < at.low < 2.391
    assert 3.391 < at.high < 3.65
    assert rounded(Conditions(hz=100).fires(1.0)) == (1.0, 1.073)
    assert rounded(Conditions(hz=100).fires(3.390625)) == (3.4, 3.623)
    assert rounded(Conditions(hz=1000).fires(1.0)) == (1.0, 1.064)
    assert rounded(Conditions(hz=1000).fires(3.390625)) == (3.391, 3.604)


def test_delay_and_lateness_only_widen():
    loose = Conditions(delay=0.01, lateness=0.05)
    master, backup = PAIRS[0]
    for fault in (law.crash, law.demotion, law.maintenance, law.come_back, law.split, law.address_changed):
        tight, wide = fault(master, backup).at, fault(master, backup, loose).at
        assert tight is not None
        assert wide is not None
        assert wide.low <= tight.low
        assert wide.high >= tight.high + 0.05


@pytest.mark.parametrize(
    ("advskew", "demotion", "wire"), [(0, 0, 0), (100, 50, 150), (254, 0, 240), (100, 240, 240), (10, -500, 0)]
)
def test_the_wire_skew_is_clamped(advskew, demotion, wire):
    assert law.effective_skew(advskew, demotion) == wire


def test_intervals():
    interval = Interval(1.0, 2.0)
    assert 1.0 in interval
    assert 2.1 not in interval
    assert interval.miss(0.5) == -0.5
    assert interval.miss(2.5) == 0.5
    assert interval.miss(1.5) == 0.0
    assert interval.wider(1.5) == Interval(0.0, 3.5)
    assert interval.later_of(Interval(0, 3)) == Interval(1, 3)
    assert interval.earlier_of(Interval(0, 3)) == Interval(0, 2)
    assert str(interval) == "1.000-2.000 s"
    with pytest.raises(ValueError):
        Interval(2, 1)

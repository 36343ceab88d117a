"""Two engines on a simulated segment: every row of the timing law (carp-freebsd.md §6), at many fault instants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.carp import law
from lab.carp.events import BACKUP, MASTER, AddressAdd, AddressDelete, Sysctl, VhidSet
from lab.carp.kernel import SECOND
from lab.carp.law import Conditions, Handover, Interval
from tests.unit.carp.segment import World, vip

DELAY = 200  # microseconds
LAW = Conditions(delay=DELAY / SECOND)
ROUNDING = 5e-6  # the kernel cuts timers to whole microseconds
SETTLED = 12.0  # seconds; both pairs below have elected and left the first gap by then

pairs = st.sampled_from([(0, 100), (100, 200), (0, 1), (0, 240), (20, 150)])
phases = st.floats(0.0, 2.0)


def anytime(*strategies: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """@given at fifty instants, in every profile: the sequences are short but many."""
    return lambda test: settings(max_examples=50)(given(*strategies)(test))


class Duel:
    """A (better) is master of em0 and em1 on both, B backup; the fault comes at `SETTLED + phase`."""

    def __init__(self, skews: tuple[int, int], phase: float, preempt: bool = True) -> None:
        self.world = World(DELAY)
        self.sides = tuple(law.Node(1, skew, preempt=preempt) for skew in skews)
        for name, skew in zip("AB", skews, strict=True):
            self.world.add(name, advskew=skew, preempt=preempt, interfaces=("em0", "em1"))
        self.world.run_until(SETTLED + phase)
        self.fault = SETTLED + phase
        assert self.world.masters() == self.world.masters("em1") == ["A"]

    def took_over(self, interface: str = "em0", name: str = "B", state: str = MASTER) -> float | None:
        """Run on; seconds from the fault to the change."""
        self.world.run(8)
        return self.world.became(name, state, self.fault, interface)

    def again(self) -> None:
        """What happens next is counted from now."""
        self.fault = self.world.now / SECOND


def holds(seen: float | None, row: Handover) -> bool:
    if seen is None or row.at is None:
        return seen is None and (row.at is None or not row.certain)
    return Interval(row.at.low, row.at.high).miss(seen) == pytest.approx(0, abs=ROUNDING)


@anytime(pairs, phases)
def test_crash(skews, phase):
    duel = Duel(skews, phase)
    duel.world.power_off("A")
    assert holds(duel.took_over(), law.crash(*duel.sides, LAW))


@anytime(pairs, phases, st.booleans())
def test_link_cut_moves_its_own_segment_late_and_the_others_at_once(skews, phase, preempt):
    duel = Duel(skews, phase, preempt)
    duel.world.link("A", False, "em0")
    assert holds(duel.took_over("em0"), law.link_cut(*duel.sides, LAW))
    assert holds(duel.world.became("B", MASTER, duel.fault, "em1"), law.link_cut_elsewhere(*duel.sides, LAW))


@anytime(pairs, phases)
def test_carp_off_and_on_again(skews, phase):
    duel = Duel(skews, phase)
    duel.world.tell("A", Sysctl("allow", 0))
    assert holds(duel.took_over(), law.carp_off(*duel.sides, LAW))
    duel.again()
    duel.world.tell("A", Sysctl("allow", 1))
    assert holds(duel.took_over(name="A"), law.come_back(*duel.sides, LAW))
    assert duel.world.masters() == ["A"]


@anytime(pairs, phases)
def test_a_return_without_preempt_changes_nothing(skews, phase):
    duel = Duel(skews, phase, preempt=False)
    duel.world.power_off("A")
    duel.took_over()
    duel.again()
    duel.world.power_on("A")
    assert holds(duel.took_over(name="A"), law.come_back(*duel.sides, LAW))
    assert duel.world.masters() == ["B"]


@anytime(pairs, phases)
def test_a_return_to_an_empty_segment(skews, phase):
    duel = Duel(skews, phase)
    duel.world.power_off("A")
    duel.world.power_off("B")
    duel.world.power_on("A")
    assert holds(duel.took_over(name="A"), law.come_back_alone(duel.sides[0], LAW))


@anytime(pairs, phases, st.booleans())
def test_demotion(skews, phase, preempt):
    duel = Duel(skews, phase, preempt)
    duel.world.tell("A", Sysctl("demotion", 240))
    assert holds(duel.took_over(), law.demotion(*duel.sides, LAW))


@anytime(pairs, phases, st.booleans())
def test_maintenance_and_its_end(skews, phase, preempt):
    duel = Duel(skews, phase, preempt)
    for interface in ("em0", "em1"):
        duel.world.tell("A", VhidSet(interface, 1, advskew=254))
    row = law.maintenance(*duel.sides, LAW)
    assert holds(duel.took_over(), row)
    if row.at is None:
        return
    duel.again()
    for interface in ("em0", "em1"):
        duel.world.tell("A", VhidSet(interface, 1, advskew=skews[0]))
    assert holds(duel.took_over(name="A"), law.leave_maintenance(*duel.sides, LAW))


@anytime(pairs, phases)
def test_the_death_of_the_backup_is_not_noticed(skews, phase):
    duel = Duel(skews, phase)
    duel.world.power_off("B")
    before = len(duel.world.changes)
    duel.world.run(8)
    assert len(duel.world.changes) == before


@anytime(pairs, phases, st.floats(0.1, 6.0))
def test_freeze(skews, phase, frozen_for):
    duel = Duel(skews, phase)
    duel.world.freeze("A")
    duel.world.run(frozen_for)
    duel.world.thaw("A")
    row = law.freeze(*duel.sides, frozen_for, LAW)
    assert holds(duel.took_over(), row) or not row.certain


@anytime(pairs, phases, st.booleans())
def test_thaw(skews, phase, clock_ran):
    duel = Duel(skews, phase)
    duel.world.freeze("A")
    since = duel.world.now
    duel.world.run(5)
    assert duel.world.masters() == ["A", "B"]
    duel.again()
    duel.world.thaw("A", None if clock_ran else since)
    assert holds(duel.took_over(state=BACKUP), law.thaw(*duel.sides, clock_ran, LAW))
    assert duel.world.masters() == ["A"]


@anytime(pairs, phases)
def test_a_frozen_backup_wakes_as_a_false_master_for_an_advert_at_most(skews, phase):
    duel = Duel(skews, phase)
    duel.world.freeze("B")
    duel.world.run(7)
    duel.again()
    duel.world.nodes["B"].waiting.clear()  # nothing was kept for it: the worst case
    duel.world.thaw("B")
    assert duel.took_over() == 0.0
    row = law.freeze_backup(*duel.sides, 7, LAW)
    assert row.two_masters is not None
    yielded = duel.world.became("B", BACKUP, duel.fault)
    assert yielded is not None
    assert yielded <= row.two_masters.high + ROUNDING


@anytime(pairs, phases)
def test_a_silent_split_and_its_end(skews, phase):
    duel = Duel(skews, phase)
    duel.world.split("A", "B")
    assert holds(duel.took_over(), law.split(*duel.sides, LAW))
    assert duel.world.masters() == ["A", "B"]
    duel.again()
    duel.world.heal()
    assert holds(duel.took_over(state=BACKUP), law.heal(*duel.sides, LAW))
    assert duel.world.masters() == ["A"]


@anytime(pairs, phases)
def test_a_vip_added_again(skews, phase):
    duel = Duel(skews, phase)
    duel.world.tell("A", AddressAdd("em0", vip(0), 1))
    row = law.address_changed(*duel.sides, LAW)
    served = [t for t in (duel.took_over(), duel.world.became("A", MASTER, duel.fault)) if t is not None]
    assert row.outage.miss(min(served)) == pytest.approx(0, abs=ROUNDING)
    assert duel.world.masters() == ["A"]


@anytime(pairs, phases, st.floats(0.0, 4.0))
def test_a_link_that_flaps(skews, phase, down_for):
    duel = Duel(skews, phase)
    duel.world.link("A", False)
    duel.world.run(down_for)
    duel.world.link("A", True)
    row = law.link_flap(*duel.sides, down_for, LAW)
    served = [t for t in (duel.took_over(), duel.world.became("A", MASTER, duel.fault)) if t is not None]
    assert row.outage.miss(min(served)) == pytest.approx(0, abs=ROUNDING)
    assert duel.world.masters() == ["A"]


@anytime(pairs, phases)
def test_another_address_list_makes_two_masters(skews, phase):
    duel = Duel(skews, phase)
    duel.world.tell("A", AddressAdd("em0", bytes((10, 0, 0, 99)), 1))
    duel.world.run(8)
    assert duel.world.masters() == ["A", "B"]
    assert duel.world.nodes["B"].host.statistics["badauth"] > 0
    duel.world.tell("A", AddressDelete("em0", bytes((10, 0, 0, 99))))
    duel.world.run(8)
    assert duel.world.masters() == ["A"]


# -- exact sequences the sheet gives


def test_cold_start() -> None:
    world = World(DELAY)
    world.add("A", advskew=0)
    world.add("B", advskew=100)
    world.run_until(20)
    assert [(c.t, c.node) for c in world.changes if c.state == MASTER] == [(3.0, "A")]


def test_equals_in_step_swap_for_ever() -> None:
    world = World(DELAY)
    world.add("A")
    world.add("B")
    world.run_until(31)
    became = [round(c.t, 1) for c in world.changes if c.state == MASTER and c.node == "A"]
    assert became == [3.0, 6.0, 9.0, 12.0, 15.0, 18.0, 21.0, 24.0, 27.0, 30.0]
    assert world.masters() == []


def test_of_equals_the_first_wins() -> None:
    world = World(DELAY)
    world.add("A")
    world.run_until(0.5)
    world.add("B")
    world.run_until(20)
    assert [(c.t, c.node) for c in world.changes if c.state == MASTER] == [(3.0, "A")]


def test_a_flap_on_one_interface_moves_the_other_there_and_back() -> None:
    world = World(DELAY)
    for name, skew in (("A", 0), ("B", 100)):
        world.add(name, advskew=skew, interfaces=("em0", "em1"))
    world.run_until(10.2)  # 0.2 s into A's advert period, as in the sheet
    world.link("A", False, "em0")
    world.run(0.5)
    world.link("A", True, "em0")
    world.run(8)
    took = {
        (c.node, c.interface): pytest.approx(c.t - 10.2, abs=5e-4)
        for c in world.changes
        if c.state == MASTER and c.t > 10.2
    }
    assert took == {("B", "em1"): 0.0002, ("A", "em1"): 1.391, ("B", "em0"): 3.1908, ("A", "em0"): 3.191}


def test_base_three() -> None:
    world = World(DELAY)
    for name, skew in (("A", 0), ("B", 100)):
        world.add(name, advbase=3, advskew=skew)
    world.run_until(20)
    world.power_off("A")
    world.run(12)
    assert holds(world.became("B", MASTER, 20), law.crash(law.Node(3, 0), law.Node(3, 100), LAW))

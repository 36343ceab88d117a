"""Any number of faults and operator's acts on a segment of two to four nodes: what always holds.

- Two masters that hear each other last no longer than the better one's advert period.
- A segment with a node that can serve is without a master no longer than that node's patience.
- When nothing has happened for the law's time there is one master, nobody would preempt it, and nothing moves.
- Every demotion is given back exactly.

"Hear each other" and "nothing has happened" start anew with each fault, act or lost packet.
"""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lab.carp import law
from lab.carp.events import BACKUP, INIT, MASTER, AddressAdd, Sysctl, VhidSet
from lab.carp.kernel import SECOND
from tests.unit.carp.segment import MILLION, Node, World, vip

NAMES = "ABCD"
DRIFT = 200  # parts per million, each way
SLACK = 1.001  # for drift
ROUNDING = 1e-4
MAX_SKEW = 254
skews = st.sampled_from([0, 1, 50, 100, 101, 200, 239, 240, 241, MAX_SKEW])
nodes = st.sampled_from(NAMES)


class Segment(RuleBasedStateMachine):
    """One segment; every check runs after each single packet or timer."""

    @initialize(
        configured=st.lists(
            st.tuples(st.sampled_from([1, 1, 1, 2]), skews, st.booleans(), st.integers(-DRIFT, DRIFT)),
            min_size=2,
            max_size=4,
        ),
        delay=st.sampled_from([50, 200, 20_000]),
        seed=st.integers(0, 1000),
    )
    def build(self, configured: list[tuple[int, int, bool, int]], delay: int, seed: int) -> None:
        self.random = random.Random(seed)
        self.loss = 0.0
        self.quiet_since = 0
        self.frozen_since: dict[str, int] = {}
        self.demoted: dict[str, int] = {}
        self.two_since: dict[tuple[str, str], int] = {}
        self.none_since: dict[str, int] = {}
        self.world = World(delay, self._loses)
        self.world.on_step = self._look
        for name, (base, skew, preempt, drift) in zip(NAMES, configured, strict=False):
            self.world.add(name, advbase=base, advskew=skew, preempt=preempt, rate=MILLION + drift)
            self.demoted[name] = 0

    # -- what happens

    @rule(seconds=st.floats(0.01, 3.0))
    def wait(self, seconds):
        self.world.run(seconds)

    @rule()
    def wait_until_the_law_is_done(self):
        self.loss = 0.0
        self.world.run(self._law_time() + 4.0)

    @rule(loss=st.sampled_from([0.0, 0.0, 0.1, 0.5]))
    def lose(self, loss):
        self.loss = loss

    @rule(name=nodes)
    def crash(self, name):
        if self._running(name):
            self._disturb()
            self.world.power_off(name)

    @rule(name=nodes)
    def boot(self, name):
        node = self.world.nodes.get(name)
        if node and not node.powered:
            self._disturb()
            self.demoted[name] = 0
            self.world.power_on(name)

    @rule(name=nodes, allow=st.booleans())
    def switch_carp(self, name, allow):
        self._tell(name, Sysctl("allow", int(allow)))

    @rule(name=nodes, up=st.booleans())
    def plug(self, name, up):
        if self._running(name):
            self._disturb()
            self.world.link(name, up)

    @rule(side=st.sets(nodes))
    def split(self, side):
        self._disturb()
        here = side & set(self.world.nodes)
        self.world.split(here, set(self.world.nodes) - here)

    @rule()
    def heal(self):
        self._disturb()
        self.world.heal()

    @rule(name=nodes)
    def freeze(self, name):
        if self._running(name):
            self._disturb()
            self.frozen_since[name] = self.world.now
            self.world.freeze(name)

    @precondition(lambda self: self.frozen_since)
    @rule(clock_ran=st.booleans())
    def thaw(self, clock_ran):
        self._disturb()
        name, since = self.frozen_since.popitem()
        self.world.thaw(name, None if clock_ran else since)

    @rule(name=nodes, skew=skews)
    def set_skew(self, name, skew):
        self._tell(name, VhidSet("em0", 1, advskew=skew))

    @rule(name=nodes, state=st.sampled_from([INIT, BACKUP, MASTER]))
    def ask_for_a_state(self, name, state):
        self._tell(name, VhidSet("em0", 1, state=state))

    @rule(name=nodes, by=st.sampled_from([240, -240, 1, -1, 0]))
    def demote(self, name, by):
        if self._running(name):
            self.demoted[name] += by
            self._tell(name, Sysctl("demotion", by))

    @rule(name=nodes, on=st.booleans())
    def set_preempt(self, name, on):
        if self._running(name):
            self.world.nodes[name].preempt = on
            self._tell(name, Sysctl("preempt", int(on)))

    @rule(name=nodes)
    def add_the_vip_again(self, name):
        self._tell(name, AddressAdd("em0", vip(0), 1))

    # -- what holds

    @invariant()
    def demotion_is_what_was_asked_for_and_240_while_down(self):
        for name, node in self.world.nodes.items():
            suppressed = sum(240 for view in node.host.vhids() if view.suppressed)
            assert node.host.demotion == self.demoted[name] + suppressed

    def _look(self) -> None:
        self._two_masters()
        for component in self._components():
            self._somebody_serves(component)
            if self._quiet() > self._law_time():
                self._one_and_the_right_one(component)

    def _two_masters(self) -> None:
        """The worse one yields when the better one is next heard."""
        for one, other in combinations(self.world.nodes.values(), 2):
            pair = (one.name, other.name)
            both = self.world.connected(*pair) and all(n.running and n.state() == MASTER for n in (one, other))
            if not both:
                self.two_since.pop(pair, None)
                continue
            since = max(self.two_since.setdefault(pair, self.world.now), self.quiet_since)
            better = min(one, other, key=lambda node: node.rank)
            pace = law.advert_interval(better.advbase, MAX_SKEW) * SLACK + self.world.delay / SECOND
            assert (self.world.now - since) / SECOND <= pace + ROUNDING, f"two masters, {pair}"

    def _somebody_serves(self, component: list[Node]) -> None:
        """The first to lose patience takes over."""
        key = "".join(node.name for node in component)
        if any(node.state() == MASTER for node in component):
            self.none_since.pop(key, None)
            return
        since = max(self.none_since.setdefault(key, self.world.now), self.quiet_since)
        patience = min(law.master_down(node.advbase, MAX_SKEW) for node in component) * SLACK
        assert (self.world.now - since) / SECOND <= patience + ROUNDING, f"nobody serves {key}"

    def _one_and_the_right_one(self, component: list[Node]) -> None:
        ranks = [node.rank for node in component]
        if len(set(ranks)) < len(ranks):
            return  # equals may swap for ever
        masters = [node for node in component if node.state() == MASTER]
        assert len(masters) == 1, [node.name for node in masters]
        names = [node.name for node in component]
        late = self.quiet_since / SECOND + self._law_time()
        assert [change for change in self.world.changes[-4:] if change.t > late and change.node in names] == []
        for node in component:
            if node is not masters[0]:
                judge = law.Node(node.advbase, node.rank[1], preempt=node.preempt)
                assert not judge.takes_over_from(masters[0].rank), f"{node.name} would take over"

    # -- how it is known

    def _law_time(self) -> float:
        """Seconds until all is settled: the longest patience, then one advert."""
        everyone = self.world.nodes.values()
        patience = max(law.master_down(node.advbase, MAX_SKEW) for node in everyone)
        pace = max(law.advert_interval(node.advbase, MAX_SKEW) for node in everyone)
        return (patience + pace) * SLACK + 6 * self.world.delay / SECOND

    def _components(self) -> list[list[Node]]:
        """The sets of nodes that hear each other and take part."""
        components: list[list[Node]] = []
        for node in self.world.nodes.values():
            if not node.eligible():
                continue
            for component in components:
                if self.world.connected(node.name, component[0].name):
                    component.append(node)
                    break
            else:
                components.append([node])
        return components

    def _quiet(self) -> float:
        return (self.world.now - self.quiet_since) / SECOND

    def _running(self, name: str) -> bool:
        return name in self.world.nodes and self.world.nodes[name].running

    def _tell(self, name, event) -> None:
        if self._running(name):
            self._disturb()
            self.world.tell(name, event)

    def _disturb(self) -> None:
        self.quiet_since = self.world.now

    def _loses(self) -> bool:
        lost = self.random.random() < self.loss
        if lost:
            self._disturb()
        return lost


def explore(examples: int, steps: int) -> None:
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    limits = settings(max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=checks)
    run_state_machine_as_test(Segment, settings=limits)


def test_a_segment_keeps_the_law() -> None:
    explore(80, 40)


@pytest.mark.slow
def test_a_segment_keeps_the_law_for_long() -> None:
    explore(400, 60)

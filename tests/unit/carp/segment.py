"""Several CARP hosts on simulated segments: delay, loss, cuts, drifting clocks, frozen machines. No real time.

Times are microseconds of the world; each node's own clock may run at another rate.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Iterable
from typing import NamedTuple

from lab.carp.engine import Host
from lab.carp.events import (
    BACKUP,
    LINK_DOWN,
    LINK_UP,
    MASTER,
    AddressAdd,
    Event,
    InterfaceNew,
    LinkChange,
    Receive,
    Sysctl,
    VhidSet,
)
from lab.carp.kernel import SECOND
from lab.carp.outcomes import Devd, Outcome, Tx
from lab.carp.packet import pack_address, password_key

KEY = password_key("secret")
MILLION = 1_000_000


class Change(NamedTuple):
    """A VHID of a node changed state at `t` seconds."""

    t: float
    node: str
    interface: str
    state: str


class Node:
    """One machine. rate: its clock's speed in parts per million of the world's. VHID 1 on each interface."""

    def __init__(
        self,
        name: str,
        index: int,
        advbase: int = 1,
        advskew: int = 0,
        preempt: bool = True,
        rate: int = MILLION,
        interfaces: Iterable[str] = ("em0",),
    ) -> None:
        self.name = name
        self.index = index
        self.advbase = advbase
        self.advskew = advskew
        self.preempt = preempt
        self.rate = rate
        self.interfaces = tuple(interfaces)
        self.linked = dict.fromkeys(self.interfaces, True)
        self.powered = False
        self.frozen = False
        self.waiting: list[tuple[str, bytes]] = []
        self._base = (0, 0)  # (world, own) time at the last correction
        self.host = Host(lambda: 0)

    def boot(self, now: int, allow: bool = True) -> list[Event]:
        """The events of a start."""
        source = random.Random(self.index)
        self.host = Host(lambda: source.getrandbits(64))
        self._base = (now, 0)
        self.powered = True
        self.frozen = False
        self.waiting.clear()
        events: list[Event] = [Sysctl("preempt", int(self.preempt)), Sysctl("allow", int(allow))]
        for number, name in enumerate(self.interfaces):
            mac = bytes((2, 0, 0, 0, number, self.index))
            events.append(InterfaceNew(name, mac, LINK_UP if self.linked[name] else LINK_DOWN))
            events.append(AddressAdd(name, bytes((10, 0, number, self.index))))
            events.append(VhidSet(name, 1, self.advbase, self.advskew, KEY))
            events.append(AddressAdd(name, vip(number), 1))
        return events

    def own(self, world: int) -> int:
        """This node's clock."""
        return self._base[1] + (world - self._base[0]) * self.rate // MILLION

    def world(self, own: int) -> int:
        """The first instant of the world at which this node's clock shows `own`."""
        return self._base[0] - (-(own - self._base[1]) * MILLION // self.rate)

    def stand_still(self, since: int, now: int) -> None:
        """The clock did not move between two instants."""
        self._base = (now, self.own(since))

    @property
    def running(self) -> bool:
        return self.powered and not self.frozen

    def deadline(self) -> int | None:
        """When this node has something to do by itself."""
        due = self.host.next_deadline() if self.running else None
        return None if due is None else self.world(due)

    def state(self, interface: str = "em0") -> str:
        vhid = self.host.vhid(interface, 1) if self.powered else None
        return vhid.state if vhid else "OFF"

    def eligible(self, interface: str = "em0") -> bool:
        """Whether it takes part in the election of a segment."""
        return self.running and self.linked[interface] and self.state(interface) in (BACKUP, MASTER)

    @property
    def rank(self) -> tuple[int, int]:
        """Base and effective skew, as the wire has them."""
        view = self.host.vhids()[0]
        return view.advbase, view.effective_skew


def vip(number: int) -> bytes:
    return pack_address(f"10.0.{number}.254")


class World:
    """The nodes and what lies between them. All segments have the same one-way delay."""

    def __init__(self, delay: int = 200, loses: Callable[[], bool] = lambda: False) -> None:
        self.now = 0
        self.delay = delay
        self.loses = loses
        self.nodes: dict[str, Node] = {}
        self.cut: set[tuple[str, frozenset[str]]] = set()  # (interface, two nodes that do not hear each other)
        self.changes: list[Change] = []
        self.sent: list[tuple[float, str, Tx]] = []
        self.lost = 0
        self.on_step: Callable[[], None] = lambda: None  # after each packet or timer, and at the end of a run
        self._flying: list[tuple[int, int, str, str, bytes]] = []
        self._order = itertools.count()

    # -- what one can do to it

    def add(self, name: str, **settings: object) -> Node:
        """A node that is switched on now."""
        node = Node(name, len(self.nodes) + 1, **settings)  # type: ignore[arg-type]
        self.nodes[name] = node
        self.power_on(name)
        return node

    def power_on(self, name: str, allow: bool = True) -> None:
        for event in self.nodes[name].boot(self.now, allow):
            self.tell(name, event)

    def power_off(self, name: str) -> None:
        self.nodes[name].powered = False

    def tell(self, name: str, event: Event) -> None:
        """An event on a running node, now."""
        node = self.nodes[name]
        self._act(node, node.host.handle(event, node.own(self.now)))

    def link(self, name: str, up: bool, interface: str = "em0") -> None:
        self.nodes[name].linked[interface] = up
        self.tell(name, LinkChange(interface, LINK_UP if up else LINK_DOWN))

    def freeze(self, name: str) -> None:
        self.nodes[name].frozen = True

    def thaw(self, name: str, stood_still_since: int | None = None) -> None:
        """It runs again: overdue timers first, then what has arrived. None: its clock went on meanwhile."""
        node = self.nodes[name]
        node.frozen = False
        if stood_still_since is not None:
            node.stand_still(stood_still_since, self.now)
        arrived, node.waiting = node.waiting, []
        self._act(node, node.host.advance(node.own(self.now), jump=True))
        for interface, packet in arrived:
            self.tell(name, Receive(interface, packet))

    def split(self, one: Iterable[str], other: Iterable[str], interface: str = "em0") -> None:
        """The two sides do not hear each other; links stay up."""
        self.cut |= {(interface, frozenset(pair)) for pair in itertools.product(one, other)}

    def heal(self) -> None:
        self.cut.clear()

    def run(self, seconds: float) -> None:
        """Let the world go on for a while."""
        self.run_until(self.now / SECOND + seconds)

    def run_until(self, seconds: float) -> None:
        """Let the world go on until an instant."""
        end = round(seconds * SECOND)
        while (step := self._next()) is not None and step <= end:
            self.now = max(step, self.now)
            self._step()
            self.on_step()
        self.now = end
        self.on_step()

    # -- what one can ask

    def masters(self, interface: str = "em0") -> list[str]:
        return [node.name for node in self.nodes.values() if node.powered and node.state(interface) == MASTER]

    def connected(self, one: str, other: str, interface: str = "em0") -> bool:
        """Whether the two hear each other."""
        cut = (interface, frozenset((one, other))) in self.cut
        return not cut and all(self.nodes[name].linked.get(interface, False) for name in (one, other))

    def became(self, name: str, state: str, since: float, interface: str = "em0") -> float | None:
        """Seconds after `since` at which a node first entered a state; None if it did not."""
        for change in self.changes:
            if (change.node, change.interface, change.state) == (name, interface, state) and change.t >= since:
                return change.t - since
        return None

    # -- how it goes on

    def _next(self) -> int | None:
        due = [self._flying[0][0]] if self._flying else []
        due += [at for node in self.nodes.values() if (at := node.deadline()) is not None]
        return min(due, default=None)

    def _step(self) -> None:
        while self._flying and self._flying[0][0] <= self.now:
            _, _, name, interface, packet = heapq.heappop(self._flying)
            node = self.nodes[name]
            if not node.powered or not node.linked[interface]:
                continue
            if node.frozen:
                node.waiting.append((interface, packet))
            else:
                self.tell(name, Receive(interface, packet))
        for node in self.nodes.values():
            if node.running:
                self._act(node, node.host.advance(node.own(self.now)))

    def _act(self, node: Node, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Devd):
                self.changes.append(Change(self.now / SECOND, node.name, outcome.interface, outcome.state))
            elif isinstance(outcome, Tx) and node.linked[outcome.interface]:
                self.sent.append((self.now / SECOND, node.name, outcome))
                self._transmit(node, outcome)

    def _transmit(self, node: Node, tx: Tx) -> None:
        for other in self.nodes.values():
            if other is node or not self.connected(node.name, other.name, tx.interface):
                continue
            if self.loses():
                self.lost += 1
                continue
            entry = (self.now + self.delay, next(self._order), other.name, tx.interface, tx.packet)
            heapq.heappush(self._flying, entry)

"""Two CARP daemons and a client in namespaces of their own: hand-overs made, and timed on the wire.

One capture on the client's segment runs through all of a pair's hand-overs; they are judged when it has ended. Beside
each stands what this computer did meanwhile: a thread that only sleeps was that late, and the daemon that had to act
waited that long for a core (/proc/PID/schedstat).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from lab.carp import law
from lab.carp.law import Interval
from tests.wire.capture import Capture
from tests.wire.firewalls import Firewall, Heartbeat, Pair
from tests.wire.namespaces import Network, until
from tests.wire.pings import Pings

GRID = ((1, 1), (1, 50), (1, 100), (1, 200), (2, 100))
"""(advbase of both, advskew of the backup); the master's advskew is 0."""

GATEWAY, SERVER = "172.17.1.252", "172.17.2.10"
NODES = {254: "a", 253: "b"}  # by the last byte of the address
QUESTION_PERIOD = 0.02  # seconds between two pings
DELAY = law.Conditions(delay=0.01)  # seconds from one daemon's advert to what the other, in Python, makes of it
CAPTURE_DOUBT = 0.002  # seconds: the switch stamps a frame, the daemon reads it a little later
PATIENCE = 60.0
SEGMENTS = ("lan", "srv", "dmz", "wan")


@dataclass(frozen=True)
class Loss:
    """Pings without an answer, and the longest time between two answers less one period of asking, in seconds."""

    lost: int
    outage: float


@dataclass(frozen=True)
class Handover:
    """One hand-over of VHID 1 as it was seen. Times in seconds.

    at: when the act began, by the wall clock.
    after: from the act to the first advert of the new master. law: where it may lie. took: how long the act itself
    took, somewhere in which it struck.
    silence: from the old master's last advert to that first one, and silence_law for it: known to the millisecond,
    where the fault's place in the advert period is not (None: the law says nothing of it).
    stall: what this computer added. gateway: what pings to the VIP lost; through: those to a server behind the pair,
    which need both VHIDs, or None where there were none.
    """

    what: str
    at: float
    after: float
    law: Interval
    took: float
    silence: float
    silence_law: Interval | None
    stall: float
    gateway: Loss
    through: Loss | None

    def explained(self, slack: float = 0.0) -> bool:
        """Whether it lies within the law and what this computer added. slack: seconds more for an unseen stall."""
        late = self.stall + slack
        if self.after not in _reach(self.law, late + self.took):
            return False
        return self.silence_law is None or self.silence in _reach(self.silence_law, late)


def _reach(predicted: Interval, late: float) -> Interval:
    """A busy computer makes things late, never early."""
    return Interval(max(0.0, predicted.low - CAPTURE_DOUBT), predicted.high + CAPTURE_DOUBT + late)


@dataclass(frozen=True)
class _Act:
    """What was done, and what is to be found on the wire for it. begin, end: host's wall clock."""

    what: str
    to: str
    begin: float
    acted: float
    end: float
    law: Interval
    silence_law: Interval | None
    waited: float


class Trial:
    """A pair that is put through hand-overs. Used as a context; `results` after it.

    whole: four segments, and pings through the pair too; else two segments.
    """

    def __init__(self, directory: Path, advbase: int, advskew: int, host: Heartbeat, whole: bool = True) -> None:
        self.name = f"({advbase},{advskew})"
        self._network = Network()
        directory.mkdir(parents=True, exist_ok=True)
        self.segments = SEGMENTS if whole else SEGMENTS[:2]
        self.pair = Pair(self._network, directory, (0, advskew), advbase, self.segments)
        self._captures = [Capture(self._network, segment, directory, "proto 112") for segment in self.segments]
        self._acts: list[_Act] = []
        self._host = host
        self._pings: list[Pings] = []
        self._targets = (GATEWAY, SERVER) if whole else (GATEWAY,)
        self._directory = directory
        self._random = random.Random(self.name)

    def __enter__(self) -> Trial:
        try:
            self.pair.route()
            self.pair.start()
            for capture in self._captures:
                capture.__enter__()
            until(lambda: all(capture.adverts() for capture in self._captures), PATIENCE)
            for target in self._targets:
                self._pings.append(Pings(self.pair.client, target, self._directory, QUESTION_PERIOD).__enter__())
        except BaseException:
            self._network.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            for pings in self._pings:
                pings.__exit__()
            for capture in self._captures:
                capture.__exit__()
        finally:
            self._network.close()

    # -- hand-overs. Each ends with A master again.

    def crash(self) -> None:
        """A loses power, and comes back."""
        a, b = self._laws()
        self._steady()
        with self._act("crash", "b", law.crash(a, b, DELAY), _patience(b)):
            self.pair.a.crash()
        self._return()

    def carp_off(self) -> None:
        """net.inet.carp.allow=0 on A, and 1 again."""
        a, b = self._laws()
        self._steady()
        with self._act("carp-off", "b", law.carp_off(a, b, DELAY), _patience(b)):
            self.pair.a.sysctl("allow", 0)
        self._steady()
        with self._act("carp on again", "a", law.come_back(a, b, DELAY)):
            self.pair.a.sysctl("allow", 1)

    def demotion(self) -> None:
        """net.inet.carp.demotion=240 on A, and -240."""
        a, b = self._laws()
        self._steady()
        with self._act("demotion", "b", law.demotion(a, b, DELAY)):
            self.pair.a.sysctl("demotion", law.DEMOTION)
        self._steady()
        with self._act("demotion ended", "a", law.come_back(a, b, DELAY)):
            self.pair.a.sysctl("demotion", -law.DEMOTION)

    def other_cable(self) -> None:
        """The cable of A's other network is pulled, and put back."""
        a, b = self._laws()
        self._steady()
        with self._act("cable elsewhere", "b", law.link_cut_elsewhere(a, b, DELAY)):
            self._network.unplug(self.pair.a.node, "srv")
        time.sleep(law.master_down(self.pair.vips[0].advbase, max(self.pair.skews)))
        self._steady()
        with self._act("cable back", "a", law.come_back(a, b, DELAY)):
            self._network.plug(self.pair.a.node, "srv")

    def maintenance(self) -> None:
        """advskew 254 on A, and back."""
        a, b = self._laws()
        self._steady()
        with self._act("maintenance", "b", law.maintenance(a, b, DELAY)):
            self.pair.a.configure([replace(one, advskew=law.MAINTENANCE_SKEW) for one in self.pair.vips])
        self._steady()
        with self._act("maintenance left", "a", law.come_back(a, b, DELAY)):
            self.pair.a.configure(self.pair.wanted(self.pair.a))

    def _return(self) -> None:
        a, b = self._laws()
        for network in self.pair.a.node.cables:
            self._network.plug(self.pair.a.node, network)
        self.pair.a.start()
        self._steady()
        with self._act("return", "a", law.come_back(a, b, DELAY)):
            self.pair.a.configure(self.pair.wanted(self.pair.a))

    # -- how they are seen

    def _laws(self) -> tuple[law.Node, law.Node]:
        return self.pair.law(self.pair.a), self.pair.law(self.pair.b)

    def _steady(self) -> None:
        """Anywhere in the advert period. The first gap is as long as the others, as nothing is demoted."""
        time.sleep(0.1 + self._random.uniform(0.0, law.first_gap(self.pair.vips[0].advbase, max(self.pair.skews))))

    @contextmanager
    def _act(self, what: str, to: str, row: law.Handover, silence: Interval | None = None) -> Iterator[None]:
        assert row.at
        winner: Firewall = getattr(self.pair, to)
        waited = _waited(winner)
        begin = time.time()
        yield
        acted = time.time()
        until(lambda: winner.states() == ["MASTER"] * len(self.segments), PATIENCE)
        time.sleep(0.2)  # the pings that are under way
        self._acts.append(_Act(what, to, begin, acted, time.time(), row.at, silence, _waited(winner) - waited))

    @property
    def rulers(self) -> list[tuple[float, str, int]]:
        """Every advert of every segment: when, whose, which VHID. After the context."""
        seen = [
            (advert.time, NODES[advert.heard.source[3]], advert.vhid)
            for capture in self._captures
            for advert in capture.adverts()
        ]
        return sorted(seen)

    @property
    def results(self) -> list[Handover]:
        """Every hand-over, in order. After the context."""
        adverts = [(time, node) for time, node, vhid in self.rulers if vhid == 1]
        return [self._result(act, adverts) for act in self._acts]

    def _result(self, act: _Act, adverts: list[tuple[float, str]]) -> Handover:
        first = next(time for time, node in adverts if node == act.to and time >= act.begin)
        last = max(time for time, node in adverts if node != act.to and time < first)
        losses = [_loss(pings, act) for pings in self._pings]
        stall = self._host.worst_between(act.begin, act.end) + act.waited
        return Handover(
            act.what,
            act.begin,
            first - act.begin,
            act.law,
            act.acted - act.begin,
            first - last,
            act.silence_law,
            stall,
            losses[0],
            losses[1] if len(losses) > 1 else None,
        )


def _loss(pings: Pings, act: _Act) -> Loss:
    gap = pings.longest_gap(act.begin, act.end)
    return Loss(pings.unanswered(act.begin, act.end), max(0.0, gap - QUESTION_PERIOD))


def _patience(node: law.Node) -> Interval:
    wait = law.master_down(node.advbase, node.advskew)
    return Interval(wait, wait + DELAY.delay)


def _waited(firewall: Firewall) -> float:
    """Seconds a daemon has waited for a core so far."""
    assert firewall.process
    return int(Path(f"/proc/{firewall.process.pid}/schedstat").read_text().split()[1]) / 1e9


HAND_OVERS: tuple[Callable[[Trial], None], ...] = (
    Trial.crash,
    Trial.carp_off,
    Trial.demotion,
    Trial.other_cable,
    Trial.maintenance,
)

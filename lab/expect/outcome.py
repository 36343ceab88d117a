"""What a fault does, computed from the topology: who ends up master, how soon, and what every probe sees of it.

Nothing here is a table of cases. Each node has a state before and after the fault (lab.expect.fault); CARP's rules say
who is master in each; a probe works where the nodes on its way are up, hold its state and own its translated address.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lab.carp import law
from lab.carp.law import AT_ONCE, IDEAL, Conditions, Interval
from lab.expect.fault import FLAP_SECONDS, Fault, FaultKind, NodeState, apply, healthy
from lab.expect.invariants import Name
from lab.expect.mistake import breaks
from lab.expect.paths import PathKind, states_synced
from lab.expect.probe import ESTABLISHED, Flow, Probe, probes, streams
from lab.topology.model import Outbound, Topology, Vip
from lab.topology.stage import Stage


class Cause(StrEnum):
    """Why a VHID moves. SILENCE: the backup's master-down timer. DEMOTION: an advert sent at once with a worse skew.
    NEXT_ADVERT: the scheduled advert carries the worse skew. THAW: a frozen master goes on as if nothing had been. STAYS: it
    does not. NOBODY: no node is left."""

    STAYS = "stays"
    SILENCE = "master silent"
    DEMOTION = "master demoted"
    NEXT_ADVERT = "preempted at the next advert"
    THAW = "frozen master goes on"
    NOBODY = "no node left"


@dataclass(frozen=True)
class Move:
    """One change of master, in seconds.

    at: after the event; None where nothing moves. silence: after the last advert of the old master, whenever the event
    came within its period; None where there is no old master. gap: without a master. certain: False where a race decides
    whether it moves at all. two_masters: how long the law lets both be master.
    """

    cause: Cause
    at: Interval | None = None
    silence: Interval | None = None
    gap: Interval = AT_ONCE
    certain: bool = True
    two_masters: float = 0.0


@dataclass(frozen=True)
class VhidOutcome:
    """before, after: master's name. fault: the move at the fault; back: the move when the fault is undone."""

    vhid: int
    network: str
    before: str
    after: str | None
    fault: Move
    back: Move


class Fate(StrEnum):
    """SURVIVES: not one reply missing beyond the measurement's grain. OUTAGE: a gap, then it goes on. THINNED: some replies are
    missing all the time. SLOWED: all come, but later. LOST: nothing until the fault is undone. DENIED: the rules never let it."""

    SURVIVES = "survives"
    OUTAGE = "outage"
    THINNED = "loses some"
    SLOWED = "slower"
    LOST = "lost until the fault is undone"
    DENIED = "denied"


@dataclass(frozen=True)
class ProbeOutcome:
    """fate and outage (seconds; None for LOST and DENIED): at the fault. back: the gap when the fault is undone; None where
    nothing is said of it."""

    probe: Probe
    fate: Fate
    outage: Interval | None
    reason: str
    back: Interval | None = AT_ONCE


@dataclass(frozen=True)
class Outcome:
    """Everything a fault is expected to do. breaks: invariants that a mistake breaks until it is mended.

    streams: what was open before the fault: TCP connections and datagrams.
    """

    fault: Fault
    vhids: tuple[VhidOutcome, ...]
    probes: tuple[ProbeOutcome, ...]
    breaks: frozenset[Name] = frozenset()
    streams: tuple[ProbeOutcome, ...] = ()

    @property
    def everything(self) -> tuple[ProbeOutcome, ...]:
        return (*self.probes, *self.streams)

    @property
    def moves(self) -> bool:
        """Whether any VHID changes hands."""
        return any(vhid.fault.at is not None for vhid in self.vhids)

    def vhid(self, number: int) -> VhidOutcome:
        """Raises KeyError for an unknown VHID."""
        for vhid in self.vhids:
            if vhid.vhid == number:
                return vhid
        raise KeyError(number)


ANSWERS_WAIT = 1.0
"""Seconds a question may wait for its answer in a frozen master's queue and still count as answered."""

ARP_RETRY = Interval(0.0, 1.0)
"""A firewall that could not resolve a neighbour asks again after a second (Linux RETRANS_TIMER, FreeBSD if_ether.c)."""

REASON_DENIED = "the rules deny it: {reason}"
REASON_STAYS = "nothing on its way changes"
REASON_MOVES = "its gateway moves to {node}"
REASON_AFTER = "begun after the hand-over, through {node}"
REASON_TWO_STATES = (
    "begun after the hand-over, through {node}; when the old master goes on, each node may have a state of its own, translated"
    " to its own address, and what becomes of it is not judged"
)
REASON_NO_GATEWAY = "its gateway has no master left"
REASON_NO_LINK = "{node} is still its gateway, but has no link on {network}"
REASON_BACKUP_IDLE = "; {other} is healthy, but no virtual address on {network} makes it take over"
REASON_TRANSLATED = "translated to {node}'s own address, which answers no more: replies are lost"
REASON_STRANDED = "translated to {node}'s own address; {node} gets the replies, but has no link on {network}"
REASON_ASYMMETRIC = "still translated to {node}'s own address; {node} gets the replies and hands them on"
REASON_NO_STATE = "{node} has no state of this connection: states are not synchronised"
REASON_THINNED = "frames are lost on {network}, and nothing moves: a backup waits for three adverts"
REASON_SLOWED = "frames are held back at {node}'s card on {network}, and nothing moves"
REASON_FLAPS = "{node} has no link on {network} for {seconds:g} s"
REASON_NODE_GATEWAY = "its gateway is {node}'s own address, which nobody takes over"


def predict(topology: Topology, fault: Fault, stage: Stage = Stage.RULES, conditions: Conditions = IDEAL) -> Outcome:
    """The expected outcome of `fault` on a healthy lab at `stage`, and of its undoing. Pure.

    conditions: of the timers, for example Conditions(hz=100) for a real FreeBSD in a virtual machine.
    """
    before = healthy(topology)
    after = apply(before, fault)
    vips = topology.carp.vips if stage.reaches(Stage.VIPS) else ()
    vhids = tuple(_vhid_outcome(vip, before, after, fault, conditions) for vip in vips)
    # What undoes itself is over before a probe is given up: every cable is in again.
    settled = before if fault.kind in (FaultKind.FLAP, FaultKind.RETURN) else after
    scene = _Scene(topology, stage, fault, settled, vhids)
    judged = tuple(scene.judge(probe) for probe in probes(topology, stage))
    kept_open = tuple(scene.judge(probe) for probe in streams(topology, stage))
    broken = breaks(topology, fault.node, fault.mistake) if fault.mistake else frozenset()
    return Outcome(fault, vhids, judged, broken, kept_open)


def master_of(nodes: dict[str, NodeState], network: str, incumbent: str | None = None) -> str | None:
    """Who is master where CARP has settled: the best node that runs there; among equals the one who already is."""
    running = [node for node in nodes.values() if node.runs(network)]
    if not running:
        return None
    return min(running, key=lambda node: (node.carp.rank, node.name != incumbent)).name


def _vhid_outcome(
    vip: Vip, before: dict[str, NodeState], after: dict[str, NodeState], fault: Fault, conditions: Conditions
) -> VhidOutcome:
    old = master_of(before, vip.network)
    if old is None:
        raise ValueError(f"VHID {vip.vhid} has no master in a healthy lab")
    new = master_of(after, vip.network, incumbent=old)
    if new is None:
        alone = law.come_back_alone(before[old].carp, conditions)
        there, back = Move(Cause.NOBODY), Move(Cause.SILENCE, alone.at, None, alone.outage)
    elif new != old and fault.kind in (FaultKind.FREEZE, FaultKind.RETURN):
        there, back = _freeze(before[old], after[new], fault, conditions)
    elif new == old:
        there = back = Move(Cause.STAYS)
    else:
        there = _move(vip, before[old], after, new, fault, conditions)
        returned = law.come_back(before[old].carp, after[new].carp, conditions)
        back = Move(Cause.NEXT_ADVERT, returned.at, conditions.heard, returned.outage)
    return VhidOutcome(vip.vhid, vip.network, old, new, there, back)


def _freeze(old: NodeState, heir: NodeState, fault: Fault, conditions: Conditions) -> tuple[Move, Move]:
    """The master stands still, and goes on later with its clock where it stopped: the guests' clock stops with them
    (clocksource=acpi_pm), so that its next advert is as far away as it was."""
    crash = law.crash(old.carp, heir.carp, conditions)
    patience = conditions.fires(law.master_down(heir.carp.advbase, heir.carp.advskew))
    thaw = law.thaw(old.carp, heir.carp, clock_ran=False, conditions=conditions)
    both = thaw.at.high if thaw.at else 0.0
    early = fault.kind is FaultKind.RETURN
    gap = crash.outage
    if early:
        # What was asked in the last second before the thaw still waits for its answer, and gets it.
        gap = Interval(max(0.0, gap.low - ANSWERS_WAIT), gap.high)
    there = Move(Cause.SILENCE, crash.at, patience, gap, certain=not early, two_masters=both)
    # While both are masters, frames go to the one heard last: the waking node, that first works off what has queued up.
    return there, Move(Cause.THAW, thaw.at, None, Interval(0.0, both), two_masters=both)


def _move(
    vip: Vip, old: NodeState, after: dict[str, NodeState], new: str, fault: Fault, conditions: Conditions
) -> Move:
    heir = after[new].carp
    if not after[old.name].runs(vip.network):
        crash = law.crash(old.carp, heir, conditions)
        patience = conditions.fires(law.master_down(heir.advbase, heir.advskew))
        return Move(Cause.SILENCE, crash.at, patience, crash.outage)
    if fault.kind is FaultKind.MAINTENANCE:
        return Move(Cause.NEXT_ADVERT, law.maintenance(old.carp, heir, conditions).at, conditions.heard)
    return Move(Cause.DEMOTION, law.demotion(old.carp, heir, conditions).at, conditions.heard)


@dataclass(frozen=True)
class _Scene:
    """The cluster once the fault has settled."""

    topology: Topology
    stage: Stage
    fault: Fault
    nodes: dict[str, NodeState]
    vhids: tuple[VhidOutcome, ...]

    def judge(self, probe: Probe) -> ProbeOutcome:
        verdict = probe.path.verdict
        if not verdict.allowed:
            return ProbeOutcome(probe, Fate.DENIED, None, REASON_DENIED.format(reason=verdict.reason), None)
        network = self.topology.machines[probe.source].network
        touched = self.fault.network in (network, self._exit(probe))
        if touched and self.fault.kind is FaultKind.LOSS:
            return ProbeOutcome(probe, Fate.THINNED, None, REASON_THINNED.format(network=self.fault.network))
        if touched and self.fault.kind is FaultKind.DELAY and self.fault.node == self.topology.master:
            reason = REASON_SLOWED.format(node=self.fault.node, network=self.fault.network)
            return ProbeOutcome(probe, Fate.SLOWED, AT_ONCE, reason)
        if touched and self.fault.kind is FaultKind.FLAP and self._on(self.fault.network or "") is None:
            return self._flaps(probe)
        gateway = self._on(network)
        if gateway is None:
            return self._through_a_node(probe)
        if gateway.after is None:
            return self._lost(probe, REASON_NO_GATEWAY)
        node = self.nodes[gateway.after]
        if probe.path.kind is PathKind.GATEWAY:
            return self._moved(probe, gateway.after, (gateway,))
        out = self._exit(probe)
        if not node.linked(out):
            return self._no_link(probe, node, out)
        if probe.path.kind is PathKind.ZONE:
            return self._zone(probe, gateway, self._on(out))
        return self._internet(probe, network, gateway)

    def _zone(self, probe: Probe, gateway: VhidOutcome, other: VhidOutcome | None) -> ProbeOutcome:
        ways = (gateway, other) if other else (gateway,)
        if other is not None and other.after is None:
            return self._lost(probe, REASON_NO_GATEWAY)
        if probe.flow is Flow.DATAGRAM:
            # One way, and let in by the rules wherever it comes first: what the other network waits for is not on its way.
            return self._moved(probe, gateway.after or "", (gateway,))
        answering = other.after if other is not None and other.after else self.topology.master
        return self._with_state(probe, gateway, answering, ways)

    def _internet(self, probe: Probe, network: str, gateway: VhidOutcome) -> ProbeOutcome:
        wan = self.topology.wan
        holder = gateway.after or ""
        if self._translated_to_vip:
            outside = self._on(wan)
            if outside is None or outside.after is None:
                return self._lost(probe, REASON_NO_GATEWAY)
            return self._with_state(probe, gateway, outside.after, (gateway, outside))
        first = self.nodes[gateway.before]
        if probe.flow is Flow.NEW and holder != first.name and self._goes_on_behind(first.name):
            return ProbeOutcome(probe, Fate.SURVIVES, AT_ONCE, REASON_TWO_STATES.format(node=holder), None)
        if probe.flow in (Flow.NEW, Flow.FRESH) or holder == first.name:
            return self._moved(probe, holder, (gateway,))
        if not states_synced(self.topology, self.stage):
            # An echo request opens a state anywhere, and gets the new node's own address; a TCP segment does not.
            if probe.flow not in ESTABLISHED:
                return self._moved(probe, holder, (gateway,))
            return self._lost(probe, REASON_NO_STATE.format(node=holder))
        if not first.linked(wan):
            return self._lost(probe, REASON_TRANSLATED.format(node=first.name))
        if not first.linked(network):
            return self._lost(probe, REASON_STRANDED.format(node=first.name, network=network))
        return self._moved(probe, holder, (gateway,), REASON_ASYMMETRIC.format(node=first.name))

    def _goes_on_behind(self, node: str) -> bool:
        """Whether that node comes back as a master that missed what its peer told it meanwhile, and hears it all at once.

        Frames and the peer's states then race for it: it may open a state where the peer's is already on the way. pf keeps
        the two apart by their ids. conntrackd, the stand-in's, lets each replace the other's.
        """
        frozen = self.fault.kind is FaultKind.FREEZE and self.fault.node == node
        return frozen and states_synced(self.topology, self.stage)

    def _with_state(
        self, probe: Probe, gateway: VhidOutcome, answering: str, ways: tuple[VhidOutcome, ...]
    ) -> ProbeOutcome:
        """A connection whose replies come in at `answering`: it and the gateway's node must know its state."""
        holder = gateway.after or ""
        if not states_synced(self.topology, self.stage):
            if answering != holder:
                return self._lost(probe, REASON_NO_STATE.format(node=answering))
            if probe.flow in ESTABLISHED and holder != gateway.before:
                return self._lost(probe, REASON_NO_STATE.format(node=holder))
        return self._moved(probe, holder, ways)

    def _moved(
        self, probe: Probe, holder: str, ways: tuple[VhidOutcome, ...], reason: str = REASON_MOVES
    ) -> ProbeOutcome:
        back = self._gap(probe, tuple(way.back for way in ways))
        if self._asked_in_vain(ways):
            back = back.later_of(ARP_RETRY)
        if all(way.fault.at is None for way in ways):
            return ProbeOutcome(probe, Fate.SURVIVES, AT_ONCE, REASON_STAYS, back)
        if probe.flow is Flow.NEW:
            return ProbeOutcome(probe, Fate.SURVIVES, AT_ONCE, REASON_AFTER.format(node=holder), back)
        gap = self._gap(probe, tuple(way.fault for way in ways))
        fate = Fate.SURVIVES if gap == AT_ONCE else Fate.OUTAGE
        return ProbeOutcome(probe, fate, gap, reason.format(node=holder), back)

    def _asked_in_vain(self, ways: tuple[VhidOutcome, ...]) -> bool:
        """Whether the old master, its cable pulled, still gets replies for machines on that network.

        It asks for them in vain all the time, so that after the cable is back they wait for its next ARP request.
        """
        cut = [way for way in ways if way.network == self.fault.network]
        return (
            self.fault.kind is FaultKind.UNPLUG
            and any(way.before == self.fault.node for way in cut)
            and not self._translated_to_vip
            and states_synced(self.topology, self.stage)
        )

    @staticmethod
    def _gap(probe: Probe, moves: tuple[Move, ...]) -> Interval:
        """How long a probe sees nothing while these VHIDs move."""
        gap = AT_ONCE
        for move in moves:
            gap = gap.later_of(move.gap)
        apart = [move.at for move in moves if move.at is not None and move.cause is Cause.NEXT_ADVERT]
        if probe.flow is Flow.FRESH and len(apart) > 1:
            # Each VHID waits for its own advert. Until both have moved, question and answer take different nodes, and
            # the answer to a SYN may outrun the state that lets it in.
            gap = Interval(gap.low, max(gap.high, *(at.high for at in apart)))
        return gap

    def _flaps(self, probe: Probe) -> ProbeOutcome:
        """Nobody takes over on that network: the path is cut until the cable is back, and the neighbour is asked for again."""
        if self.fault.node != self.topology.master:
            return ProbeOutcome(probe, Fate.SURVIVES, AT_ONCE, REASON_STAYS)
        reason = REASON_FLAPS.format(node=self.fault.node, network=self.fault.network, seconds=FLAP_SECONDS)
        return ProbeOutcome(probe, Fate.OUTAGE, Interval(0.0, FLAP_SECONDS) + ARP_RETRY + ARP_RETRY, reason)

    def _lost(self, probe: Probe, reason: str) -> ProbeOutcome:
        return ProbeOutcome(probe, Fate.LOST, None, reason)

    def _no_link(self, probe: Probe, node: NodeState, network: str) -> ProbeOutcome:
        reason = REASON_NO_LINK.format(node=node.name, network=network)
        other = next(name for name in self.nodes if name != node.name)
        if self.nodes[other].linked(network) and self._on(network) is None:
            reason += REASON_BACKUP_IDLE.format(other=other, network=network)
        return self._lost(probe, reason)

    def _through_a_node(self, probe: Probe) -> ProbeOutcome:
        """No virtual address on the probe's network: its gateway is the first firewall itself."""
        node = self.nodes[self.topology.master]
        ways = (self.topology.machines[probe.source].network, self._exit(probe))
        if all(node.linked(network) for network in ways):
            return ProbeOutcome(probe, Fate.SURVIVES, AT_ONCE, REASON_STAYS)
        return self._lost(probe, REASON_NODE_GATEWAY.format(node=node.name))

    def _exit(self, probe: Probe) -> str:
        """The network a probe's packets leave the cluster on."""
        if probe.path.kind is PathKind.ZONE:
            return self.topology.machines[probe.path.target].network
        if probe.path.kind is PathKind.GATEWAY:
            return self.topology.machines[probe.source].network
        return self.topology.wan

    def _on(self, network: str) -> VhidOutcome | None:
        return next((vhid for vhid in self.vhids if vhid.network == network), None)

    @property
    def _translated_to_vip(self) -> bool:
        # Until stage `rules` outbound NAT is pfSense's automatic mode, whatever the topology says.
        return (
            self.topology.nat.outbound is Outbound.VIP
            and self.stage.reaches(Stage.RULES)
            and self.topology.vip_on(self.topology.wan) is not None
        )

"""What can be done to a cluster, and what it means for each node: alive, cables, CARP allowed, demotion, skew."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from lab.carp import law
from lab.errors import LabError
from lab.expect.mistake import MADE_ON_MASTER, Mistake
from lab.topology.model import Topology

CURE = "`./inv lab.faults` lists them"


class FaultKind(StrEnum):
    """KILL: power off, no grace. BOTH: the same, both nodes at once. CARP_OFF: "Temporarily disable CARP". REBOOT, HALT: asked of
    the firewall itself. FREEZE: the guest stands still. RETURN: a frozen master goes on while the backup is taking over.

    UNPLUG: one cable of one node. FLAP: the same for FLAP_SECONDS. LOSS, DELAY: of frames on one network. MISTAKE: one node's
    configuration says something wrong.
    """

    KILL = "kill"
    BOTH = "kill-both"
    CARP_OFF = "carp-off"
    MAINTENANCE = "maintenance"
    DEMOTION = "demotion"
    REBOOT = "reboot"
    HALT = "halt"
    FREEZE = "freeze"
    RETURN = "return-early"
    UNPLUG = "unplug"
    FLAP = "flap"
    LOSS = "loss"
    DELAY = "delay"
    MISTAKE = "misconfigure"


ON_A_NETWORK = frozenset((FaultKind.UNPLUG, FaultKind.FLAP, FaultKind.LOSS, FaultKind.DELAY))

UNDO_THEMSELVES = frozenset((FaultKind.REBOOT, FaultKind.FLAP, FaultKind.RETURN))
"""Faults that end on their own: doing them is their whole story."""

FLAP_SECONDS = 1.0
"""How long a flapping cable is out: the master's own patience of 3 s then begins so late that the backup always wins."""

LOSS_SHARE = 0.05
"""Frames lost on a network, each direction. Three adverts in a row are lost once in 8,000 times."""

DELAY_SECONDS = 0.1
"""Longest time a frame is held back, each direction; the mean is half of it."""


@dataclass(frozen=True)
class Fault:
    """One fault on one node. network: for the kinds ON_A_NETWORK. mistake: for MISTAKE."""

    kind: FaultKind
    node: str
    network: str | None = None
    mistake: Mistake | None = None

    def __str__(self) -> str:
        if self.mistake is not None:
            return f"{self.mistake.value} {self.node}"
        if self.kind is FaultKind.BOTH:
            return self.kind.value
        if self.kind is FaultKind.LOSS:
            return f"{self.kind.value} {self.network}"
        return " ".join(part for part in (self.kind.value, self.node, self.network) if part)

    @property
    def undoes_itself(self) -> bool:
        return self.kind in UNDO_THEMSELVES


@dataclass(frozen=True)
class NodeState:
    """What CARP on one node depends on. unplugged: networks without carrier. demotion: by operator, links not counted."""

    name: str
    advbase: int
    advskew: int
    vhids: dict[str, int] = field(hash=False)
    alive: bool = True
    allow: bool = True
    demotion: int = 0
    unplugged: frozenset[str] = frozenset()

    def runs(self, network: str) -> bool:
        """Whether a VHID on this network leaves INIT."""
        return self.alive and self.allow and network not in self.unplugged

    def linked(self, network: str) -> bool:
        """Whether the node can send and receive there at all, CARP or not."""
        return self.alive and network not in self.unplugged

    @property
    def carp(self) -> law.Node:
        """This node to the timing law. Each VHID on a dead link demotes the whole node once. pfSense always preempts."""
        lost = sum(count for network, count in self.vhids.items() if network in self.unplugged)
        return law.Node(self.advbase, self.advskew, self.demotion + lost * law.DEMOTION)


def parse(topology: Topology, kind: str, node: str = "", network: str = "") -> Fault:
    """A fault from what a person typed: `kill`, `unplug lan`, `wrong-password`. The node defaults to the master, or to the one a
    mistake is usually made on; the network of a flap, loss or delay to the LAN. Raises LabError with what would be right."""
    word, *rest = kind.split() or [""]
    network = network or "".join(rest[:1])
    mistakes = [known.value for known in Mistake]
    kinds = [known.value for known in FaultKind if known is not FaultKind.MISTAKE]
    if word not in (*kinds, *mistakes) or len(rest) > 1:
        known = ", ".join([*kinds, *mistakes])
        raise LabError(f"There is no fault called {kind}", expected=known, seen=kind, cure=CURE)
    on_backup = word in mistakes and Mistake(word) not in MADE_ON_MASTER
    name = node or (topology.backup if on_backup else topology.master)
    if name not in topology.firewalls:
        known = ", ".join(topology.firewalls)
        raise LabError(f"unknown firewall '{name}'", expected=known, seen=name, cure="name one of these with --node")
    if word in mistakes:
        return Fault(FaultKind.MISTAKE, name, mistake=Mistake(word))
    if FaultKind(word) not in ON_A_NETWORK:
        if network:
            raise LabError(f"{word} is not done to a network", expected=word, seen=f"{word} {network}", cure=CURE)
        return Fault(FaultKind(word), name)
    if not network and FaultKind(word) is not FaultKind.UNPLUG:
        network = topology.lan
    if network not in topology.networks:
        known = ", ".join(topology.networks)
        raise LabError(f"unknown network '{network}'", expected=known, seen=network, cure="name the cable's network")
    return Fault(FaultKind(word), name, network)


def healthy(topology: Topology) -> dict[str, NodeState]:
    """Both nodes as the topology wants them."""
    vhids: dict[str, int] = {}
    for vip in topology.carp.vips:
        vhids[vip.network] = vhids.get(vip.network, 0) + 1
    return {
        name: NodeState(name, topology.carp.advbase, firewall.advskew, vhids)
        for name, firewall in topology.firewalls.items()
    }


def apply(nodes: dict[str, NodeState], fault: Fault) -> dict[str, NodeState]:
    """The nodes after the fault, once it has settled; for one that undoes itself, while it lasts."""
    node = nodes[fault.node]
    match fault.kind:
        case FaultKind.KILL | FaultKind.REBOOT | FaultKind.HALT | FaultKind.FREEZE | FaultKind.RETURN:
            changed = replace(node, alive=False)
        case FaultKind.BOTH:
            return {name: replace(each, alive=False) for name, each in nodes.items()}
        case FaultKind.CARP_OFF:
            changed = replace(node, allow=False)
        case FaultKind.MAINTENANCE:
            changed = replace(node, advskew=law.MAINTENANCE_SKEW)
        case FaultKind.DEMOTION:
            changed = replace(node, demotion=node.demotion + law.DEMOTION)
        case FaultKind.UNPLUG | FaultKind.FLAP:
            changed = replace(node, unplugged=node.unplugged | {fault.network or ""})
        case FaultKind.LOSS | FaultKind.DELAY | FaultKind.MISTAKE:
            changed = node
    return {**nodes, fault.node: changed}

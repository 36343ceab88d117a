"""What can be done to a cluster, and what it means for each node: alive, cables, CARP allowed, demotion, skew."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from lab.carp import law
from lab.errors import LabError
from lab.topology.model import Topology


class FaultKind(StrEnum):
    """KILL: power off, no grace. CARP_OFF: "Temporarily disable CARP". UNPLUG: one cable of one node."""

    KILL = "kill"
    CARP_OFF = "carp-off"
    MAINTENANCE = "maintenance"
    DEMOTION = "demotion"
    UNPLUG = "unplug"


@dataclass(frozen=True)
class Fault:
    """One fault on one node. network: for UNPLUG only."""

    kind: FaultKind
    node: str
    network: str | None = None

    def __str__(self) -> str:
        return " ".join(part for part in (self.kind.value, self.node, self.network) if part)


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
    """A fault from what a person typed; the node defaults to the master. Raises LabError with what would be right."""
    kinds = [known.value for known in FaultKind]
    if kind not in kinds:
        raise LabError(f"unknown fault '{kind}'", expected=", ".join(kinds), seen=kind, cure="choose one of these")
    name = node or topology.master
    if name not in topology.firewalls:
        known = ", ".join(topology.firewalls)
        raise LabError(f"unknown firewall '{name}'", expected=known, seen=name, cure="name one of these with --node")
    if FaultKind(kind) is not FaultKind.UNPLUG:
        return Fault(FaultKind(kind), name)
    if network not in topology.networks:
        known = ", ".join(topology.networks)
        raise LabError(f"unknown network '{network}'", expected=known, seen=network, cure="name the cable's network")
    return Fault(FaultKind.UNPLUG, name, network)


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
    """The nodes after the fault."""
    node = nodes[fault.node]
    match fault.kind:
        case FaultKind.KILL:
            changed = replace(node, alive=False)
        case FaultKind.CARP_OFF:
            changed = replace(node, allow=False)
        case FaultKind.MAINTENANCE:
            changed = replace(node, advskew=law.MAINTENANCE_SKEW)
        case FaultKind.DEMOTION:
            changed = replace(node, demotion=node.demotion + law.DEMOTION)
        case FaultKind.UNPLUG:
            changed = replace(node, unplugged=node.unplugged | {fault.network or ""})
    return {**nodes, fault.node: changed}

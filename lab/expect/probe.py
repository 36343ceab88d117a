"""What is tried from the clients while a fault happens."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address

from lab.expect.paths import Path, PathKind, matrix
from lab.topology.model import Topology
from lab.topology.stage import Stage


class Flow(StrEnum):
    """OLD: one ping begun before the fault. NEW: one ping begun after the hand-over. FRESH: one new TCP connection after
    the other. STREAM: one TCP connection begun before the fault."""

    OLD = "old"
    NEW = "new"
    FRESH = "fresh"
    STREAM = "stream"


@dataclass(frozen=True)
class Probe:
    """One stream of tries from one machine. path: where to, by what, and whether the rules let it."""

    path: Path
    flow: Flow

    @property
    def id(self) -> str:
        """For example `client>internet:icmp:old`."""
        return f"{self.path.id}:{self.flow.value}"

    @property
    def source(self) -> str:
        return self.path.source

    @property
    def destination(self) -> IPv4Address:
        return self.path.destination


def probes(topology: Topology, stage: Stage = Stage.RULES) -> tuple[Probe, ...]:
    """Pings to gateways, zones and the internet, denied ones too; towards the internet a second ping for after the
    hand-over, and fresh connections to whatever serves pages and may be reached."""
    found: list[Probe] = []
    for path in matrix(topology, stage):
        if path.kind in (PathKind.INBOUND, PathKind.FIREWALL):
            continue
        if path.protocol == "icmp":
            found.append(Probe(path, Flow.OLD))
            if path.kind is PathKind.INTERNET and path.verdict.allowed:
                found.append(Probe(path, Flow.NEW))
        elif path.verdict.allowed:
            found.append(Probe(path, Flow.FRESH))
    return tuple(found)

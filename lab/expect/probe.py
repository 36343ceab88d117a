"""What is tried from the clients while a fault happens."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address

from lab.expect.paths import Path, PathKind, Protocol, matrix, reach
from lab.topology.model import MachineRole, Topology
from lab.topology.stage import Stage

STREAM_PORT, DOWNLOAD_PORT, DATAGRAM_PORT = 7001, 7002, 7003
"""Where the far machine of a stream listens while an experiment runs."""


class Flow(StrEnum):
    """OLD: one ping begun before the fault. NEW: one ping begun after the hand-over. FRESH: one new TCP connection after
    the other. DATAGRAM: numbered UDP datagrams begun before the fault, one way. STREAM: one TCP connection begun before the fault,
    from client to server. DOWNLOAD: the same from server to client, over HTTP."""

    OLD = "old"
    NEW = "new"
    FRESH = "fresh"
    STREAM = "stream"
    DATAGRAM = "datagram"
    DOWNLOAD = "download"


LONG = (Flow.STREAM, Flow.DOWNLOAD, Flow.DATAGRAM)
ESTABLISHED = frozenset((Flow.STREAM, Flow.DOWNLOAD))
"""TCP connections that cannot be opened anew by a segment in the middle."""
PORTS = {Flow.STREAM: STREAM_PORT, Flow.DOWNLOAD: DOWNLOAD_PORT, Flow.DATAGRAM: DATAGRAM_PORT}


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


def streams(topology: Topology, stage: Stage = Stage.RULES) -> tuple[Probe, ...]:
    """What is kept open from the LAN through a fault: a stream and a download from the web server (another inside machine where
    there is none), numbered datagrams to it, and a stream to the internet. What the rules deny is left out."""
    source = next((name for name, machine in topology.machines.items() if machine.network == topology.lan), None)
    if source is None:
        return ()
    inside = [n for n, m in topology.machines.items() if m.network not in (topology.lan, topology.wan)]
    inside.sort(key=lambda name: topology.machines[name].role is not MachineRole.WEB)
    wanted = [(PathKind.ZONE, inside[0], flow) for flow in LONG] if inside else []
    wanted.append((PathKind.INTERNET, topology.internet, Flow.STREAM))
    found = []
    for kind, target, flow in wanted:
        machine = topology.machines[target]
        address = machine.address if kind is PathKind.ZONE else machine.public
        if address is None:
            continue
        protocol: Protocol = "udp" if flow is Flow.DATAGRAM else "tcp"
        verdict = reach(topology, stage, source, address, protocol, PORTS[flow])
        if verdict.allowed:
            found.append(Probe(Path(kind, source, target, address, protocol, PORTS[flow], verdict), flow))
    return tuple(found)

"""Who is master right now, by the wire: for lab.status --full, and judged for lab.check."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lab.experiment.capture import listen
from lab.experiment.contracts import Subject
from lab.experiment.pcap import Frame
from lab.experiment.result import CheckResult
from lab.experiment.wire import AdvertSeen, Group, Ledger, Roster, overlaps, reigns
from lab.topology.model import Topology, Vip
from lab.topology.plan import bridge_name
from lab.topology.stage import Stage

ADVERTS = "ip proto 112"

LISTEN_INTERVALS = 1.6
"""A master is surely heard within one and a half of the longest intervals it can have (advbase + 240/256)."""

WHAT = "VHID {vhid} on {network} has one master"
WHAT_NONE = "no VHID is advertised at stage {stage}"
MASTER = "{node} (advbase {advbase}, advskew {advskew})"
NOBODY = "nobody"
JOINED = " and "
TWO_AT_ONCE = ", two masters for {seconds:.3f} s"
REAL_MAC = ", adverts not from the virtual MAC"
REPEATED = ", {count} adverts with a counter heard before"
STRANGERS = "VHID {vhid} on {network}, from {node}"


@dataclass(frozen=True)
class Mastership:
    """masters: (network, VHID) -> the last advert of each master, the best first; empty where all fell silent."""

    masters: dict[Group, tuple[AdvertSeen, ...]]
    ledger: Ledger

    def nodes(self, network: str, vhid: int) -> tuple[str, ...]:
        """Names of the masters."""
        return tuple(advert.node for advert in self.masters.get((network, vhid), ()))


def listen_seconds(topology: Topology, intervals: float = LISTEN_INTERVALS) -> float:
    """How long to listen so that no master is missed. intervals: of the longest a master can have."""
    return intervals * (topology.carp.advbase + 240 / 256)


def advertised_links(topology: Topology) -> tuple[str, ...]:
    """Bridges of the networks that have a virtual address."""
    return tuple(dict.fromkeys(bridge_name(vip.network) for vip in topology.carp.vips))


def mastership(subject: Subject, seconds: float | None = None) -> Mastership:
    """Listen, then say who is master: the wire's part of lab.status --full. Raises LabError where listening fails."""
    wait = listen_seconds(subject.topology) if seconds is None else seconds
    frames = listen(subject.world, advertised_links(subject.topology), wait, ADVERTS)
    return mastership_of(subject.topology, frames, time.time())


def mastership_of(topology: Topology, frames: Sequence[Frame], now: float) -> Mastership:
    """The same from frames captured already. now: seconds since the epoch."""
    ledger = Ledger(Roster.of(topology))
    ledger.feed(frames)
    return Mastership(ledger.masters(now), ledger)


def master_results(topology: Topology, stage: Stage, seen: Mastership) -> Iterator[CheckResult]:
    """One result per VHID, expected on the first firewall with the skew it is configured with; and one for strangers."""
    if not stage.reaches(Stage.VIPS):
        heard = sorted({advert.node for advert in seen.ledger.adverts})
        what = WHAT_NONE.format(stage=stage.value)
        yield CheckResult("master:none", what, NOBODY, JOINED.join(heard) or NOBODY, not heard)
        return
    for vip in topology.carp.vips:
        yield _vhid_result(topology, vip, seen)
    known = {(vip.network, vip.vhid) for vip in topology.carp.vips}
    strange = {
        (advert.network, advert.vhid, advert.node)
        for advert in seen.ledger.adverts
        if advert.group not in known or advert.node not in topology.firewalls
    }
    words = [STRANGERS.format(network=network, vhid=vhid, node=node) for network, vhid, node in sorted(strange)]
    yield CheckResult("master:strangers", "nobody else advertises", NOBODY, JOINED.join(words) or NOBODY, not words)


def _vhid_result(topology: Topology, vip: Vip, seen: Mastership) -> CheckResult:
    carp, node = topology.carp, topology.master
    expected = MASTER.format(node=node, advbase=carp.advbase, advskew=topology.firewalls[node].advskew)
    adverts = [advert for advert in seen.ledger.adverts if advert.group == (vip.network, vip.vhid)]
    reigning = seen.masters.get((vip.network, vip.vhid), ())
    said = JOINED.join(MASTER.format(node=a.node, advbase=a.advbase, advskew=a.advskew) for a in reigning) or NOBODY
    both = sum(overlap.seconds for overlap in overlaps(reigns(adverts)))
    faults = ""
    if both:
        faults += TWO_AT_ONCE.format(seconds=both)
    if not all(advert.virtual_mac for advert in adverts):
        faults += REAL_MAC
    notes = REPEATED.format(count=repeated) if (repeated := sum(advert.repeated for advert in adverts)) else ""
    what = WHAT.format(vhid=vip.vhid, network=vip.network)
    ok = said == expected and not faults
    return CheckResult(f"master:{vip.network}/{vip.vhid}", what, expected, said + faults + notes, ok)

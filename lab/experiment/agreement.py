"""The firewalls' own words beside the wire and the topology, in plain words: what agrees, and what contradicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lab.appliances.carp_text import DISABLED
from lab.appliances.node_word import NodeWord
from lab.experiment.mastership import Mastership
from lab.render.config.cluster import HOST_IDS
from lab.topology.plan import Plan, PlannedVip
from lab.topology.stage import Stage

MAINTENANCE_SKEW = 254
"""What pfSense gives every VHID in maintenance mode (interfaces.inc, interface_carp_configure)."""

MAX_SKEW = 240
"""More is not advertised: demotion adds up to it (FreeBSD ip_carp.c, CARP_MAXSKEW and DEMOTE_ADVSKEW)."""

VHID = "VHID {vhid} on {network}: "
SAYS_MASTER = VHID + "{node} is heard on the wire, and says MASTER"
SAYS_OTHER = VHID + "{node} is heard on the wire, but says {state}"
SILENT_MASTER = VHID + "{node} says MASTER, but is not heard on the wire"
SILENT = VHID + "{node} is not heard on the wire, and says {state}"
SKEW = VHID + "{node} advertises {heard}, as its skew {skew} and demotion {demotion} make it"
OTHER_SKEW = VHID + "{node} advertises {heard}, but by its skew {skew} and demotion {demotion} it would be {expected}"
DEMOTED = "{node} is demoted by {demotion}: {reason}"
FROM_ABOVE = "it has a link down, CARP switched off, or was told so"
FROM_BELOW = "it claims to be better than it is configured"
MAINTAINED = "{node} is in maintenance mode, and every VHID has skew 254"
HALF_MAINTAINED = "{node} has the maintenance mode in its config.xml, but not skew 254 on VHID {vhids}"
UNDECLARED = "{node} has skew 254 on VHID {vhids}, but no maintenance mode in its config.xml"
OFF = "{node} has CARP switched off"
OFF_BUT_HEARD = "{node} has CARP switched off, but is heard on the wire"
SYNCS = "{node} sends its states to {peer} by {device}"
SYNCS_ELSEWHERE = "{node} sends its states to {peer} by {device}, but the topology says {expected} by {card}"
NO_SYNC = "{node} sends its states nowhere, but the topology says to {expected}"
UNEXPECTED_SYNC = "{node} sends its states to {peer}, but stage {stage} has no state sync"
SAME_CREATORS = "both nodes know states made by {creators}: state sync works"
OTHER_CREATORS = "state sync: {one} knows states made by {ours}, {other} those made by {theirs}"
RUN_OUT = OTHER_CREATORS + "; those of a node that is not master run out one by one"
LONELY = "state sync: no states of the node with id {missing} yet; each node has to make one first"
NONE_YET = "nobody"


@dataclass(frozen=True)
class Statement:
    """One thing that was compared. agrees: None where there is nothing to compare it with: it is only told."""

    agrees: bool | None
    text: str


def compare(plan: Plan, stage: Stage, wire: Mastership | None, words: Mapping[str, NodeWord]) -> tuple[Statement, ...]:
    """Everything that can be said. words: of the firewalls that answered; wire: None where nothing should be heard yet."""
    topology = plan.topology
    found: list[Statement] = []
    for node, word in words.items():
        found += _switches(node, word, wire, topology.firewalls[node].advskew)
    if wire is not None:
        for vip in plan.vips:
            for node, word in words.items():
                found += _vhid(vip, node, word, wire)
    for node, word in words.items():
        found += _pfsync(plan, stage, node, word)
    if topology.sync.pfsync and stage.reaches(Stage.RULES) and len(words) == len(topology.firewalls):
        found += _creators(plan, wire, words)
    return tuple(found)


def _vhid(vip: PlannedVip, node: str, word: NodeWord, wire: Mastership) -> Iterator[Statement]:
    about = {"vhid": vip.vhid, "network": vip.network, "node": node}
    advert = next((each for each in wire.masters.get((vip.network, vip.vhid), ()) if each.node == node), None)
    own = word.carp.vhid_on(vip.device, vip.vhid)
    state = own.state if own else DISABLED
    if advert is None:
        if state == "MASTER":
            yield Statement(False, SILENT_MASTER.format(**about))
        else:
            yield Statement(True, SILENT.format(**about, state=state))
        return
    if state != "MASTER" or own is None:
        yield Statement(False, SAYS_OTHER.format(**about, state=state))
        return
    yield Statement(True, SAYS_MASTER.format(**about))
    expected = advertised(own.advskew, word.carp.demotion)
    numbers = {"heard": f"{advert.advbase}/{advert.advskew}", "skew": own.advskew, "demotion": word.carp.demotion}
    if (advert.advbase, advert.advskew) == (own.advbase, expected):
        yield Statement(True, SKEW.format(**about, **numbers))
    else:
        yield Statement(False, OTHER_SKEW.format(**about, **numbers, expected=f"{own.advbase}/{expected}"))


def advertised(advskew: int, demotion: int) -> int:
    """The skew on the wire (FreeBSD ip_carp.c, DEMOTE_ADVSKEW)."""
    return max(0, min(MAX_SKEW, advskew + demotion))


def _switches(node: str, word: NodeWord, wire: Mastership | None, configured: int) -> Iterator[Statement]:
    carp = word.carp
    if not carp.allow:
        heard = wire is not None and any(each.node == node for adverts in wire.masters.values() for each in adverts)
        yield Statement(False, OFF_BUT_HEARD.format(node=node)) if heard else Statement(None, OFF.format(node=node))
    if carp.demotion:
        reason = FROM_ABOVE if carp.demotion > 0 else FROM_BELOW
        yield Statement(None, DEMOTED.format(node=node, demotion=carp.demotion, reason=reason))
    slow = [str(each.vhid) for each in carp.vhids if each.advskew == MAINTENANCE_SKEW]
    fast = [str(each.vhid) for each in carp.vhids if each.advskew != MAINTENANCE_SKEW]
    if word.maintenance and fast:
        yield Statement(False, HALF_MAINTAINED.format(node=node, vhids=", ".join(fast)))
    elif word.maintenance:
        yield Statement(True, MAINTAINED.format(node=node))
    elif slow and configured != MAINTENANCE_SKEW:
        yield Statement(False, UNDECLARED.format(node=node, vhids=", ".join(slow)))


def _pfsync(plan: Plan, stage: Stage, node: str, word: NodeWord) -> Iterator[Statement]:
    topology = plan.topology
    own = next(each for each in plan.firewalls if each.name == node).nic_on(topology.sync.network)
    peer = next(each for each in plan.firewalls if each.name != node).nic_on(topology.sync.network).address.ip
    wanted = topology.sync.pfsync and stage.reaches(Stage.PFSYNC)
    said = word.pfsync
    if said is None:
        if wanted:
            yield Statement(False, NO_SYNC.format(node=node, expected=peer))
        return
    about = {"node": node, "peer": said.peer, "device": said.device}
    if not wanted:
        yield Statement(False, UNEXPECTED_SYNC.format(**about, stage=stage.value))
    elif (said.peer, said.device) == (str(peer), own.device):
        yield Statement(True, SYNCS.format(**about))
    else:
        yield Statement(False, SYNCS_ELSEWHERE.format(**about, expected=peer, card=own.device))


def _creators(plan: Plan, wire: Mastership | None, words: Mapping[str, NodeWord]) -> Iterator[Statement]:
    """What a master makes now, its peer has to know. Else the two may differ: states that nobody uses run out one by one."""
    (one, ours), (other, theirs) = ((node, word.creators) for node, word in words.items())
    missing = sorted(set(HOST_IDS) - set(ours) - set(theirs))
    if missing:
        yield Statement(None, LONELY.format(missing=" and ".join(missing)))
    elif ours == theirs:
        yield Statement(True, SAME_CREATORS.format(creators=" and ".join(ours)))
    else:
        said = {"one": one, "other": other, "ours": _listed(ours), "theirs": _listed(theirs)}
        masters = {advert.node for adverts in wire.masters.values() for advert in adverts} if wire else set()
        ids = dict(zip(plan.topology.firewalls, HOST_IDS, strict=True))
        lost = any(
            ids[node] in words[node].creators and ids[node] not in peer.creators
            for node in masters & set(words)
            for name, peer in words.items()
            if name != node
        )
        yield Statement(False if lost else None, (OTHER_CREATORS if lost else RUN_OUT).format(**said))


def _listed(creators: tuple[str, ...]) -> str:
    return " and ".join(creators) or NONE_YET

"""What has to hold in a cluster, looked at on the wire and in both nodes' configurations; and who it is that is wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lab.appliances.config_file import digests
from lab.expect.invariants import Name
from lab.expect.mistake import Line, blocks, value
from lab.expect.outcome import Outcome
from lab.experiment.result import Invariant, Look
from lab.experiment.wire import PATIENCE, AdvertSeen, Group, Ledger
from lab.topology.model import Topology
from lab.topology.plan import PlannedVip, make_plan
from lab.topology.secrets import Secrets
from lab.topology.stage import Stage

NOBODY = "nobody"
JOINED = " and "
VHID = "VHID {vhid} on {network}"
STRANGER = "VHID {vhid} on {network} from {nodes}"
NO_STRANGERS = "only the topology's VHIDs"
ALL = "all VHIDs"
BOTH = "both nodes"
SAME, DIFFERENT = "the same", "different: {sections}"
RIGHT, WRONG, MISSING = "the lab's", "another one", "none"
RULE_THERE, RULE_MISSING = "a rule that passes it", "no rule passes it"
HELD, NOT_HELD = "held by {node}", "not held by {node}"
CONNECTION = "a connection from {source} to {target}"
ANSWERED = "every probe answered"

SYNCED = ("aliases", "nat", "filter")
UNSYNCED_TAGS = frozenset(("created", "updated", "time", "username"))
"""Elements inside a synchronised section that say who changed it when, and may differ."""

EXPECT_PASSES = {Name.PFSYNC_RULE: ("pfsync", ""), Name.XMLRPC_RULE: ("tcp", "443")}


@dataclass(frozen=True)
class Config:
    """One node's configuration as listed (lab.appliances.config_file). salt: the one its digests were made with."""

    lines: tuple[Line, ...]
    salt: str


def on_the_wire(
    topology: Topology, stage: Stage, ledger: Ledger, now: float, look: Look, home: bool
) -> Iterator[Invariant]:
    """ONE_MASTER, ALL_ON_ONE and, where `home`, PREEMPTED. now: seconds since the epoch."""
    if not stage.reaches(Stage.VIPS):
        return
    found = sustained(ledger, now)
    known = {(vip.network, vip.vhid): found.get((vip.network, vip.vhid), ()) for vip in topology.carp.vips}
    for (network, vhid), nodes in known.items():
        seen = JOINED.join(nodes) or NOBODY
        yield Invariant(
            Name.ONE_MASTER, look, VHID.format(vhid=vhid, network=network), "one master", seen, len(nodes) == 1
        )
    masters = {node for nodes in found.values() for node in nodes}
    yield Invariant(Name.ALL_ON_ONE, look, ALL, "one node", JOINED.join(sorted(masters)) or NOBODY, len(masters) == 1)
    strangers = [
        STRANGER.format(vhid=vhid, network=network, nodes=JOINED.join(nodes))
        for (network, vhid), nodes in found.items()
        if nodes and (network, vhid) not in known
    ]
    if strangers:
        yield Invariant(Name.VHID, look, "the wire", NO_STRANGERS, JOINED.join(strangers), False)
    if home:
        rulers = {JOINED.join(nodes) or NOBODY for nodes in known.values()}
        seen = JOINED.join(sorted(rulers))
        yield Invariant(Name.PREEMPTED, look, ALL, topology.master, seen, rulers == {topology.master})


def settles_on_one(outcome: Outcome) -> bool:
    """Whether one node is master of everything while the fault lasts, so that it can be asked for."""
    after = {vhid.after for vhid in outcome.vhids}
    return len(after) == 1 and None not in after


def sustained(ledger: Ledger, now: float) -> dict[Group, tuple[str, ...]]:
    """Nodes that advertise a VHID at their own pace: two adverts, the next not overdue.

    Two masters that do not believe each other go on like that, each as if alone; a master that was preempted does not.
    """
    times: dict[Group, dict[str, list[AdvertSeen]]] = {}
    for advert in ledger.adverts:
        if advert.time <= now:
            times.setdefault(advert.group, {}).setdefault(advert.node, []).append(advert)
    return {
        group: tuple(
            node for node in nodes if _goes_on(nodes[node], [nodes[each] for each in nodes if each != node], now)
        )
        for group, nodes in times.items()
    }


def _goes_on(own: Sequence[AdvertSeen], others: Sequence[Sequence[AdvertSeen]], now: float) -> bool:
    """Whether a node keeps its pace, and has not just heard a better one: that one it would have to ignore first."""
    if len(own) < 2:
        return False
    before, last = own[-2:]
    if max(now - last.time, last.time - before.time) > last.interval * PATIENCE:
        return False
    better = [other for other in others if other[-1].time > last.time and other[-1].rank <= last.rank]
    return all(any(before.time < advert.time < last.time for advert in other) for other in better)


def in_the_settings(
    topology: Topology, stage: Stage, configs: Mapping[str, Config], secrets: Secrets, look: Look
) -> Iterator[Invariant]:
    """Everything that both nodes' configurations must agree on, as far as the lab's stage has it. configs: by node, both or one."""
    if stage.reaches(Stage.VIPS):
        for vip in make_plan(topology).vips:
            yield from _vip(topology, vip, configs, secrets, look)
    if stage.reaches(Stage.PFSYNC) and topology.sync.pfsync:
        yield from _peers(topology, configs, look)
    if stage.reaches(Stage.XMLRPC) and topology.sync.xmlrpc:
        yield from _sync_password(topology, configs, secrets, look)
    if stage.reaches(Stage.RULES):
        yield from _sync_rules(topology, configs, look)
        if len(configs) > 1 and topology.sync.xmlrpc:
            yield _same(configs, look)


def states_held(topology: Topology, source: str, target: str, count: int, look: Look) -> Invariant:
    """STATES: how often the backup's table has a connection that was made through the master."""
    node = topology.backup
    seen = (HELD if count else NOT_HELD).format(node=node)
    subject = CONNECTION.format(source=source, target=target)
    return Invariant(Name.STATES, look, subject, HELD.format(node=node), seen, count > 0)


def clients(mute: Sequence[str], look: Look) -> Invariant:
    """CLIENTS: ids of the probes that should be answered and are not."""
    return Invariant(Name.CLIENTS, look, "every allowed probe", ANSWERED, ", ".join(mute) or ANSWERED, not mute)


def expecting(found: Sequence[Invariant], broken: Collection[Name]) -> tuple[Invariant, ...]:
    """The same, with those expected broken that a mistake is expected to break.

    A mistake breaks an invariant for one subject; that the others of its name hold is no surprise. Where none is broken, the
    first of its name says so.
    """
    result: list[Invariant] = []
    for name in dict.fromkeys(one.name for one in found):
        own = [one for one in found if one.name == name]
        if Name(name) in broken:
            marked = [replace(one, wanted=one.holds) for one in own]
            if all(one.holds for one in own):
                marked[0] = replace(own[0], wanted=False)
            own = marked
        result += own
    return tuple(result)


def _vip(
    topology: Topology, vip: PlannedVip, configs: Mapping[str, Config], secrets: Secrets, look: Look
) -> Iterator[Invariant]:
    """Of one virtual address, on each node: what the topology says."""
    for node, config in configs.items():
        own = next((b for b in blocks(config.lines, "vip") if value(b, "subnet") == str(vip.address.ip)), ())
        subject = f"{vip.address.ip} on {node}"
        wanted = {
            Name.VHID: ("vhid", str(vip.vhid)),
            Name.SKEW: ("advskew", str(topology.firewalls[node].advskew)),
            Name.MASK: ("subnet_bits", str(vip.address.network.prefixlen)),
        }
        for name, (tag, right) in wanted.items():
            seen = value(own, tag) or MISSING
            yield Invariant(name, look, subject, right, seen, seen == right)
        yield _password(Name.PASSWORD, subject, value(own, "password"), digests(config.salt, secrets.carp), look)


def _peers(topology: Topology, configs: Mapping[str, Config], look: Look) -> Iterator[Invariant]:
    for node, config in configs.items():
        other = next(name for name in topology.firewalls if name != node)
        right = str(topology.firewalls[other].addresses[topology.sync.network])
        seen = value(_section(config, "hasync"), "pfsyncpeerip") or MISSING
        yield Invariant(Name.PFSYNC_PEER, look, node, right, seen, seen == right)


def _sync_password(
    topology: Topology, configs: Mapping[str, Config], secrets: Secrets, look: Look
) -> Iterator[Invariant]:
    config = configs.get(topology.master)
    if config is not None:
        seen = value(_section(config, "hasync"), "password")
        yield _password(Name.SYNC_PASSWORD, topology.master, seen, digests(config.salt, secrets.admin), look)


def _sync_rules(topology: Topology, configs: Mapping[str, Config], look: Look) -> Iterator[Invariant]:
    """Whether the rules on the sync network pass what the topology's rules pass. XML-RPC is asked of the backup alone."""
    for name, (protocol, port) in EXPECT_PASSES.items():
        wanted = any(rule.on == topology.sync.network and rule.protocol == protocol for rule in topology.rules)
        for node, config in configs.items():
            if not wanted or (name is Name.XMLRPC_RULE and node != topology.backup):
                continue
            key = value(_section(config, "hasync"), "pfsyncinterface")
            there = any(
                value(rule, "interface") == key
                and value(rule, "protocol") in (protocol, "")
                and value(rule, "type") in ("pass", "")
                and (not port or value(rule, "port") in (port, ""))
                for rule in blocks(config.lines, "rule")
            )
            yield Invariant(name, look, node, RULE_THERE, RULE_THERE if there else RULE_MISSING, there)


def _same(configs: Mapping[str, Config], look: Look) -> Invariant:
    one, other = configs.values()
    differing = [tag for tag in SYNCED if _content(one, tag) != _content(other, tag)]
    seen = DIFFERENT.format(sections=", ".join(differing)) if differing else SAME
    return Invariant(Name.CONFIG, look, BOTH, SAME, seen, not differing)


def _content(config: Config, tag: str) -> list[str]:
    return [
        line.text.strip()
        for line in _section(config, tag)
        if line.tag not in UNSYNCED_TAGS
        and not line.text.strip().startswith(tuple(f"</{each}>" for each in UNSYNCED_TAGS))
    ]


def _section(config: Config, tag: str) -> tuple[Line, ...]:
    return next(iter(blocks(config.lines, tag)), ())


def _password(name: Name, subject: str, seen: str, right: Collection[str], look: Look) -> Invariant:
    said = RIGHT if seen in right else (WRONG if seen else MISSING)
    return Invariant(name, look, subject, RIGHT, said, seen in right)

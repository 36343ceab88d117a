"""Mistakes people make in one node's configuration: which lines of its config.xml they change, and which invariants they break.

Pure. A config.xml is taken as pfSense writes it: one element a line. What stands in a line's password does not matter, so that
a listing with its secrets replaced serves as well as the file itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from lab.errors import LabError
from lab.expect.invariants import Name
from lab.topology.model import Topology
from lab.topology.stage import Stage


class Mistake(StrEnum):
    """One wrong thing each. Those about a virtual address are made on the LAN's, or the first where the LAN has none."""

    PASSWORD = "wrong-password"
    VHID = "wrong-vhid"
    SKEW = "equal-skews"
    MASK = "vip-mask"
    PFSYNC_PEER = "pfsync-peer"
    PFSYNC_RULE = "pfsync-rule"
    XMLRPC_RULE = "xmlrpc-rule"
    SYNC_PASSWORD = "sync-password"


MADE_ON_MASTER = frozenset((Mistake.PFSYNC_PEER, Mistake.SYNC_PASSWORD))
"""Made on the master unless said otherwise, for that is where each shows at once; all others on the backup."""

_SINCE = {
    Mistake.PFSYNC_PEER: Stage.PFSYNC,
    Mistake.SYNC_PASSWORD: Stage.XMLRPC,
    Mistake.PFSYNC_RULE: Stage.RULES,
    Mistake.XMLRPC_RULE: Stage.RULES,
}


def possible(mistake: Mistake, stage: Stage) -> bool:
    """Whether a configuration at this stage has what the mistake is made in."""
    return stage.reaches(_SINCE.get(mistake, Stage.VIPS))


_ALWAYS: dict[Mistake, frozenset[Name]] = {
    Mistake.PASSWORD: frozenset((Name.PASSWORD, Name.ONE_MASTER, Name.ALL_ON_ONE)),
    Mistake.VHID: frozenset((Name.VHID, Name.ALL_ON_ONE)),
    Mistake.SKEW: frozenset((Name.SKEW,)),
    Mistake.MASK: frozenset((Name.MASK,)),
    Mistake.PFSYNC_PEER: frozenset((Name.PFSYNC_PEER,)),
    Mistake.PFSYNC_RULE: frozenset((Name.PFSYNC_RULE, Name.CONFIG)),
    Mistake.XMLRPC_RULE: frozenset((Name.XMLRPC_RULE, Name.CONFIG)),
    Mistake.SYNC_PASSWORD: frozenset((Name.SYNC_PASSWORD,)),
}


def breaks(topology: Topology, node: str, mistake: Mistake) -> frozenset[Name]:
    """The invariants that a mistake made on `node` breaks."""
    broken = _ALWAYS[mistake]
    # States are asked for at the backup, of connections made through the master.
    stops_states = (mistake is Mistake.PFSYNC_PEER and node == topology.master) or (
        mistake is Mistake.PFSYNC_RULE and node == topology.backup
    )
    if mistake is Mistake.XMLRPC_RULE and node == topology.master:
        # Nobody sends the master its configuration.
        broken -= {Name.XMLRPC_RULE}
    return broken | {Name.STATES} if stops_states else broken


WRONG_PASSWORD = "not-the-password"
WRONG_VHID_BY = 100
"""What is added to a VHID to make it wrong; modulo 255."""
WRONG_BITS = 32

NOT_FOUND = "There is nothing in {node}'s config.xml to make this mistake in"
NOT_FOUND_CURE = "The lab's stage may be too early for it, or the configuration has been changed by hand."


@dataclass(frozen=True)
class Line:
    """One line of config.xml. number: from 1."""

    number: int
    text: str

    @property
    def tag(self) -> str:
        return self.text.strip().partition(">")[0].lstrip("<")

    @property
    def value(self) -> str:
        inner = self.text.strip().partition(">")[2].rpartition("</")[0]
        return inner.removeprefix("<![CDATA[").removesuffix("]]>")


@dataclass(frozen=True)
class Edit:
    """Lines first to last, numbered from 1, go; where `text` is given it stands in their place."""

    first: int
    last: int
    text: str | None = None


def edits(topology: Topology, node: str, mistake: Mistake, lines: Sequence[Line]) -> tuple[Edit, ...]:
    """What to change in `node`'s config.xml. lines: all, or the sections virtualip, hasync and filter. Raises LabError where the
    configuration has nothing of the kind."""
    firewall = topology.firewalls[node]
    other = topology.firewalls[next(name for name in topology.firewalls if name != node)]
    vip = topology.vip_on(topology.lan) or topology.carp.vips[0]
    match mistake:
        case Mistake.PASSWORD:
            found = _set(_vip_block(lines, vip.vhid), "password", WRONG_PASSWORD)
        case Mistake.VHID:
            found = _set(_vip_block(lines, vip.vhid), "vhid", str((vip.vhid + WRONG_VHID_BY - 1) % 255 + 1))
        case Mistake.SKEW:
            found = tuple(
                edit
                for each in topology.carp.vips
                for edit in _set(_vip_block(lines, each.vhid), "advskew", str(other.advskew))
            )
        case Mistake.MASK:
            found = _set(_vip_block(lines, vip.vhid), "subnet_bits", str(WRONG_BITS))
        case Mistake.PFSYNC_PEER:
            # Its own address: a slip that looks right, since it is one of the two.
            own = str(firewall.addresses[topology.sync.network])
            found = _set(_section(lines, "hasync"), "pfsyncpeerip", own)
        case Mistake.PFSYNC_RULE:
            found = _without_rule(lines, topology, "pfsync")
        case Mistake.XMLRPC_RULE:
            found = _without_rule(lines, topology, "tcp")
        case Mistake.SYNC_PASSWORD:
            found = _set(_section(lines, "hasync"), "password", WRONG_PASSWORD)
    if not found:
        raise LabError(NOT_FOUND.format(node=node), expected=mistake.value, cure=NOT_FOUND_CURE)
    return found


def blocks(lines: Sequence[Line], tag: str) -> tuple[tuple[Line, ...], ...]:
    """Every element `tag` that has children, with its own two lines."""
    found, start = [], None
    for index, line in enumerate(lines):
        text = line.text.strip()
        if text == f"<{tag}>":
            start = index
        elif text == f"</{tag}>" and start is not None:
            found.append(tuple(lines[start : index + 1]))
            start = None
    return tuple(found)


def value(block: Sequence[Line], tag: str) -> str:
    """Text of the first element `tag` in a block, "" where there is none."""
    return next((line.value for line in block if line.tag == tag), "")


def apply_edits(text: str, changes: Sequence[Edit]) -> str:
    """The whole file after these changes."""
    lines = text.split("\n")
    for edit in sorted(changes, key=lambda each: each.first, reverse=True):
        lines[edit.first - 1 : edit.last] = [] if edit.text is None else [edit.text]
    return "\n".join(lines)


def _section(lines: Sequence[Line], tag: str) -> tuple[Line, ...]:
    return next(iter(blocks(lines, tag)), ())


def _vip_block(lines: Sequence[Line], vhid: int) -> tuple[Line, ...]:
    return next((block for block in blocks(lines, "vip") if value(block, "vhid") == str(vhid)), ())


def _set(block: Sequence[Line], tag: str, text: str) -> tuple[Edit, ...]:
    return tuple(Edit(line.number, line.number, f"<{tag}>{text}</{tag}>") for line in block if line.tag == tag)[:1]


def _without_rule(lines: Sequence[Line], topology: Topology, protocol: str) -> tuple[Edit, ...]:
    """The user's pass rules for this protocol on the sync network's interface."""
    key = value(_section(lines, "hasync"), "pfsyncinterface")
    return tuple(
        Edit(block[0].number, block[-1].number)
        for block in blocks(lines, "rule")
        if key and value(block, "interface") == key and value(block, "protocol") == protocol
    )

"""All that a firewall says of the cluster, the same for both appliances: CARP, maintenance mode, pfsync, states."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from lab.appliances.carp_text import CarpWord, parse_carp

PFSYNC_LINE = re.compile(r"^\s*pfsync: syncdev: (\S+) syncpeer: (\S+)", re.MULTILINE)
SYNCOK_LINE = re.compile(r"^\s*syncok: ([01])", re.MULTILINE)
"""FreeBSD sbin/ifconfig/ifpfsync.c. syncok is 0 while a bulk update is open."""

MULTICAST = "224.0.0.240"
"""What `syncpeer` is where nobody is named (FreeBSD if_pfsync.h, INADDR_PFSYNC_GROUP)."""

ASK_MODE = "echo maintenance `grep -c virtualip_carp_maint /cf/conf/config.xml`"
"""The tag is the maintenance mode."""

_COUNT = (
    "pfctl -vvss|sed -nE -e '/^[^ ]/{{h;s/.*/state/p;}}'"
    " -e '/creatorid:/{{G;/\\n.*({own})[^0-9]/!s/.*creatorid: ([0-9a-f]*).*/\\1/p;}}'|sort|uniq -c"
)


def ask_states(sync: Sequence[IPv4Address]) -> str:
    """Command that counts states, and says whose they are, as pfSense's own page takes it from `pfctl -vvss` (status_carp.php).

    sync: addresses of both nodes on the sync network. What they say to each other is counted, but not asked for its maker:
    conntrackd does not carry it over, so it would tell nothing about state sync.
    """
    return _COUNT.format(own="|".join(str(address) for address in sync))


COUNT_LINE = re.compile(r"^\s*(\d+) (state|[0-9a-f]{1,8})$")
MAINTENANCE_LINE = re.compile(r"^maintenance (\d+)$")
NOT_UNDERSTOOD = "not understood: {line}"
NO_MODE = "no line `maintenance`"


@dataclass(frozen=True)
class PfsyncWord:
    """State sync: the device it goes out by, the address it goes to, and whether no bulk update is open."""

    device: str
    peer: str
    settled: bool


@dataclass(frozen=True)
class NodeWord:
    """A firewall's own word.

    maintenance: the tag of the persistent mode is in its config.xml.
    pfsync:      None where there is none.
    states:      entries of its state table.
    creators:    host ids of the nodes that made those between other machines, hexadecimal without leading zeros, sorted.
    """

    carp: CarpWord
    maintenance: bool
    pfsync: PfsyncWord | None
    states: int
    creators: tuple[str, ...]


def parse_word(carp: str, states: str) -> NodeWord:
    """carp: as for `parse_carp`, with all of `ifconfig`. states: the output of `ask_states`, then ASK_MODE. Raises ValueError."""
    counts: dict[str, int] = {}
    mode = None
    for line in states.splitlines():
        if found := COUNT_LINE.match(line):
            counts[found[2]] = int(found[1])
        elif found := MAINTENANCE_LINE.match(line):
            mode = found[1] != "0"
        elif line.strip():
            raise ValueError(NOT_UNDERSTOOD.format(line=line))
    if mode is None:
        raise ValueError(NO_MODE)
    number = counts.pop("state", 0)
    creators = {each.lstrip("0") or "0" for each in counts}
    return NodeWord(parse_carp(carp), mode, parse_pfsync(carp), number, tuple(sorted(creators)))


def parse_pfsync(text: str) -> PfsyncWord | None:
    """From `ifconfig`, or `ifconfig pfsync0`. Without a sync device there is no state sync."""
    found = PFSYNC_LINE.search(text)
    if found is None:
        return None
    settled = SYNCOK_LINE.search(text, found.end())
    return PfsyncWord(found[1], found[2], settled is not None and settled[1] == "1")

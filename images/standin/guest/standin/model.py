"""What a config.xml says, as far as the stand-in obeys it. Frozen; no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface


@dataclass(frozen=True)
class CarpVip:
    """One `<vip>` of mode carp.

    key:     interface key in config.xml (`lan`, `opt1`, ...).
    nic:     device of that interface (`vtnet1`).
    address: the VIP with its prefix length.
    advskew: configured skew, 0..254; 254 in maintenance mode.
    """

    key: str
    nic: str
    vhid: int
    advbase: int
    advskew: int
    password: str
    address: IPv4Interface
    uniqid: str
    descr: str


@dataclass(frozen=True)
class StateSync:
    """`<hasync>` as far as states go: pfsync on a real pfSense, conntrackd here.

    nic:   device of `pfsyncinterface`.
    local: this node's address there.
    peer:  `pfsyncpeerip`.
    hostid: `pfhostid`, the creator id of this node's states.
    """

    nic: str
    local: IPv4Address
    peer: IPv4Address
    hostid: int

"""Who advertises which VHID on a lab's bridges, remembered by the kernel, so that a look at it takes no time.

One rule of nftables writes down every CARP advert that comes into a bridge: the port it came by, and the virtual MAC it came
from. Nothing runs for it, and nothing is held back by it.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass

from lab.carp.packet import PROTOCOL, mac_text, virtual_mac
from lab.host import sudo
from lab.host.members import NETNS
from lab.paths import LabPaths

TABLE, SET = "uranus-watch", "adverts"

KEPT = 20
"""Seconds an advert is remembered: longer than any backup waits in a lab that counts as healthy."""

RULES = f"""\
table bridge {TABLE} {{
    set {SET} {{
        type ifname . ether_addr
        size 1024
        flags dynamic,timeout
        timeout {KEPT}s
    }}
    chain heard {{
        type filter hook prerouting priority -300; policy accept;
        ip protocol {PROTOCOL} ip daddr 224.0.0.18 update @{SET} {{ iifname . ether saddr }}
    }}
}}
"""
"""CARP's protocol number and group: netinet/in.h IPPROTO_CARP, INADDR_CARP_GROUP. The set stands in `nft` as it reads here."""

SHOW = ("nft", "list", "set", "bridge", TABLE, SET)
ELEMENT = re.compile(r'"([^"]+)" \. ([0-9a-f:]{17})(?: timeout \S+)? expires ([0-9a-z]+)')
SPAN = re.compile(r"(\d+)(ms|s|m|h)")
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
VIRTUAL = mac_text(virtual_mac(0)).removesuffix("00")
"""What all virtual MACs begin with; the VHID is the last byte."""

LOOK_SECONDS = 5.0


@dataclass(frozen=True)
class Heard:
    """An advert's sender. port: the tap it came by; age: seconds since the last one."""

    port: str
    vhid: int
    age: float


def heard(paths: LabPaths) -> tuple[Heard, ...] | None:
    """Who advertised lately. None where it cannot be known: no namespace, no such rule in it, or no right to look."""
    command = [*sudo.prefix(), "nsenter", f"--net={NETNS / paths.namespace}", *SHOW]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LOOK_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse(done.stdout) if done.returncode == 0 else None


def parse(listing: str) -> tuple[Heard, ...]:
    """The senders in the output of `nft list set`; an element that has just run out is left out."""
    return tuple(
        Heard(port, int(mac.rpartition(":")[2], 16), max(0.0, KEPT - seconds(left)))
        for port, mac, left in ELEMENT.findall(listing)
        if mac.startswith(VIRTUAL)
    )


def seconds(text: str) -> float:
    """A span of time as nft writes it: `19s644ms`, `1m2s`."""
    return sum(int(number) * UNITS[unit] for number, unit in SPAN.findall(text))

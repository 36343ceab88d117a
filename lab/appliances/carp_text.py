"""What a firewall says of its CARP: FreeBSD's `ifconfig` and `sysctl`, as text, into values."""

from __future__ import annotations

import re
from dataclasses import dataclass

DISABLED = "DISABLED"
"""The state of a VHID that is not shown: "Temporarily Disable CARP" takes the addresses away, and the line goes with the last."""

INTERFACE = re.compile(r"^(\S+): flags=", re.MULTILINE)
CARP_LINE = re.compile(r"^\s*carp: (MASTER|BACKUP|INIT) vhid (\d+) advbase (\d+) advskew (\d+)", re.MULTILINE)
"""A further line `peer …` follows on a FreeBSD with unicast CARP; it is not needed. (FreeBSD sbin/ifconfig/carp.c)"""


@dataclass(frozen=True)
class VhidWord:
    """One VHID as its firewall describes it. advskew: the configured one (254 in maintenance mode), not the demoted one."""

    nic: str
    vhid: int
    state: str
    advbase: int
    advskew: int


@dataclass(frozen=True)
class CarpWord:
    """A firewall's own word. vhids is empty after "Temporarily Disable CARP": the addresses are gone, and the lines with them."""

    allow: bool
    preempt: bool
    demotion: int
    vhids: tuple[VhidWord, ...]

    def vhid_on(self, nic: str, vhid: int) -> VhidWord | None:
        """A VHID is an interface's own: two networks may have the same number."""
        return next((word for word in self.vhids if (word.nic, word.vhid) == (nic, vhid)), None)

    def state_on(self, nic: str, vhid: int) -> str:
        """MASTER, BACKUP, INIT, or DISABLED where the firewall shows no such VHID on that interface."""
        found = self.vhid_on(nic, vhid)
        return found.state if found else DISABLED


SYSCTLS = ("net.inet.carp.allow", "net.inet.carp.preempt", "net.inet.carp.demotion")


def parse_ifconfig(text: str) -> tuple[VhidWord, ...]:
    """Every `carp:` line of `ifconfig`, with the interface it stands under."""
    starts = [*INTERFACE.finditer(text)]
    words: list[VhidWord] = []
    for at, start in enumerate(starts):
        end = starts[at + 1].start() if at + 1 < len(starts) else len(text)
        for state, vhid, advbase, advskew in CARP_LINE.findall(text[start.start() : end]):
            words.append(VhidWord(start.group(1), int(vhid), state, int(advbase), int(advskew)))
    return tuple(words)


def parse_carp(text: str) -> CarpWord:
    """The output of `sysctl -n` of SYSCTLS, three lines, followed by that of `ifconfig`. Raises ValueError on anything else."""
    lines = text.splitlines()
    allow, preempt, demotion = (int(line) for line in lines[:3])
    return CarpWord(allow > 0, preempt > 0, demotion, parse_ifconfig("\n".join(lines[3:])))

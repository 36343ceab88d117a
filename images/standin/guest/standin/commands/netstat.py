"""`netstat -s -p carp` in FreeBSD's format (usr.bin/netstat/inet.c, carp_stats); nothing else of netstat is offered."""

from __future__ import annotations

import sys

from standin.commands.ifconfig import carp_state
from standin.places import Places

USAGE = "netstat: the stand-in knows `netstat -s -p carp` alone; for the rest use ss and ip\n"
# Name in FreeBSD's struct carpstats, text for one, text for any other number.
LINES = (
    ("ipackets", "\t{n} packet received (IPv4)", "\t{n} packets received (IPv4)"),
    ("ipackets6", "\t{n} packet received (IPv6)", "\t{n} packets received (IPv6)"),
    ("badttl", "\t\t{n} packet discarded for wrong TTL", "\t\t{n} packets discarded for wrong TTL"),
    ("hdrops", "\t\t{n} packet shorter than header", "\t\t{n} packets shorter than header"),
    ("badsum", "\t\t{n} discarded for bad checksum", "\t\t{n} discarded for bad checksums"),
    ("badver", "\t\t{n} discarded packet with a bad version", "\t\t{n} discarded packets with a bad version"),
    ("badlen", "\t\t{n} discarded because packet too short", "\t\t{n} discarded because packet too short"),
    ("badauth", "\t\t{n} discarded for bad authentication", "\t\t{n} discarded for bad authentication"),
    ("badvhid", "\t\t{n} discarded for bad vhid", "\t\t{n} discarded for bad vhid"),
    ("badaddrs", "\t\t{n} discarded because of a bad address list", "\t\t{n} discarded because of a bad address list"),
    ("opackets", "\t{n} packet sent (IPv4)", "\t{n} packets sent (IPv4)"),
    ("opackets6", "\t{n} packet sent (IPv6)", "\t{n} packets sent (IPv6)"),
    ("onomem", "\t\t{n} send failed due to mbuf memory error", "\t\t{n} send failed due to mbuf memory error"),
)


def main(name: str, arguments: list[str], places: Places) -> int:
    if "carp" not in arguments:
        sys.stderr.write(USAGE)
        return 1
    sys.stdout.write(carp_statistics(carp_state()["counters"]))
    return 0


def carp_statistics(counters: dict[str, int]) -> str:
    lines = ["carp:"]
    for name, one, many in LINES:
        number = counters.get(name, 0)
        lines.append((one if number == 1 else many).format(n=number))
    return "\n".join(lines) + "\n"

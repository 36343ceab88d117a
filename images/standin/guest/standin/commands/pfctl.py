"""`pfctl -s states|rules|nat|info` and `-F states`. States are in pf's format; rules are shown as they are: nftables."""

from __future__ import annotations

import sys
from ipaddress import IPv4Interface

from standin import apply
from standin.match import Names
from standin.pf_states import count_states, format_states, read_flows
from standin.places import Places
from standin.ruleset import TABLE
from standin.run import CommandError, attempt, run
from standin.settings import Settings

USAGE = (
    "usage: pfctl [-v] -s states|rules|nat|info, pfctl -F states, pfctl -k host [-k host]"
    " (the stand-in's filter is nftables; see `nft list ruleset`)\n"
)
HONEST = "# The stand-in filters with nftables; this is the loaded table, read back from the kernel.\n"
KILLED = "killed {count} states from {sources} sources and {destinations} destinations\n"
INFO = (
    "Status: Enabled                               Debug: Urgent\n\n"
    "State Table                          Total             Rate\n"
    "  current entries               {entries:>8}               \n"
)
# What may stand after -s, shortest form first.
SHOWN = {"states": "states", "rules": "rules", "nat": "nat", "info": "info", "all": "all"}


def main(name: str, arguments: list[str], places: Places) -> int:
    try:
        if arguments[:1] == ["-k"]:
            return _kill(arguments[1::2])
        return _run("".join(arguments).replace("-", ""), places)
    except CommandError as error:
        sys.stderr.write(f"pfctl: {error}\n")
        return 1


def _kill(hosts: list[str]) -> int:
    """`-k SOURCE [-k DESTINATION]`: their connections are judged anew."""
    sides = [word for pair in zip(("-s", "-d"), hosts, strict=False) for word in pair]
    _, said = attempt(["conntrack", "-D", *sides])
    sys.stderr.write(KILLED.format(count=said.count("src=") // 2, sources=1, destinations=max(1, len(hosts) - 1)))
    return 0


def _run(words: str, places: Places) -> int:
    """words: all arguments in one, without dashes: `vvss`, `ssstates`, `Fstates`."""
    if words.startswith("F"):
        run(["conntrack", "-F"])
        sys.stderr.write("states cleared\n")
        return 0
    flags, asked, what = words.partition("s")
    if not asked or set(flags) - {"v"}:
        sys.stderr.write(USAGE)
        return 1
    chosen = next((each for each in SHOWN if what and each.startswith(what)), "")
    settings = apply.load(places)
    if chosen == "states":
        sys.stdout.write(_states(settings, places, "v" in flags))
    elif chosen == "info":
        sys.stdout.write(INFO.format(entries=count_states(read_flows(), _own(settings, places))))
    elif chosen == "rules":
        sys.stdout.write(HONEST + run(["nft", "list", "table", "inet", TABLE]))
    elif chosen == "nat":
        sys.stdout.write(HONEST + run(["nft", "list", "chain", "inet", TABLE, "outbound"]))
    else:
        sys.stderr.write(USAGE)
        return 1
    return 0


def _states(settings: Settings, places: Places, verbose: bool) -> str:
    return format_states(read_flows(), _own(settings, places), settings.host_id, verbose)


def _own(settings: Settings, places: Places) -> frozenset[str]:
    names = Names(settings, apply.current_facts(places, settings))
    return frozenset(str(IPv4Interface(each).ip) for each in names.own_addresses())

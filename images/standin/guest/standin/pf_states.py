"""The connection tracking table in the words of `pfctl -ss` and `pfctl -vvss` (FreeBSD pf_print_state.c).

pf keeps two states for a connection that passes through, one where it comes in and one where it goes out; the kernel
here keeps one entry, so both lines are made from it. What an entry does not know is left out or approximated:

- the interface is `all`, as for pfSense's floating states;
- the creator id is the connection mark, which the ruleset sets to this node's host id for every new connection and
  conntrackd carries to the peer; an entry without a mark counts as this node's own;
- TCP states are pf's for the kernel's; packets and bytes need net.netfilter.nf_conntrack_acct, else they are 0.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from typing import NamedTuple

IN, OUT = "<-", "->"

# What pf calls (client, server) in each state of the kernel's TCP tracking.
_TCP = {
    "SYN_SENT": ("SYN_SENT", "CLOSED"),
    "SYN_SENT2": ("SYN_SENT", "SYN_SENT"),
    "SYN_RECV": ("ESTABLISHED", "SYN_SENT"),
    "ESTABLISHED": ("ESTABLISHED", "ESTABLISHED"),
    "FIN_WAIT": ("CLOSING", "ESTABLISHED"),
    "CLOSE_WAIT": ("FIN_WAIT_2", "ESTABLISHED"),
    "LAST_ACK": ("FIN_WAIT_2", "CLOSING"),
    "TIME_WAIT": ("FIN_WAIT_2", "FIN_WAIT_2"),
    "CLOSE": ("TIME_WAIT", "TIME_WAIT"),
}
_UNKNOWN_TCP = ("CLOSED", "CLOSED")

_CARP = "112"

_STATE = "all {proto} {left} {arrow} {right}       {client}:{server}\n"
_COUNTERS = "   {age}expires in {expires}, {sent[0]}:{back[0]} pkts, {sent[1]}:{back[1]} bytes\n"
_AGE = "age {age}, "
_CREATOR = "   id: {id:016x} creatorid: {creator:08x}\n"


class Tuple(NamedTuple):
    """One direction of a connection. Ports are the echo id for ICMP, "" where the protocol has none."""

    source: str
    destination: str
    source_port: str
    destination_port: str
    packets: int = 0
    bytes: int = 0


class Flow(NamedTuple):
    """One entry of the table. timeout and age in seconds; age None where the kernel keeps no start times."""

    proto: str
    timeout: int
    tcp_state: str
    original: Tuple
    reply: Tuple
    replied: bool
    assured: bool
    mark: int = 0
    id: int = 0
    age: int | None = None


def read_flows() -> list[Flow]:
    """The table of this namespace, as `parse_flows` gives it. OSError where `conntrack` is missing."""
    listed = subprocess.run(["conntrack", "-L", "-o", "id"], capture_output=True, text=True, check=False)
    return parse_flows(listed.stdout)


def parse_flows(text: str) -> list[Flow]:
    """Flows from the lines of `conntrack -L -o id`; lines of another form are skipped.

    Left out: what the host says to itself, and CARP, which pf passes without a state.
    """
    flows = (_parse_line(line) for line in text.splitlines())
    return [flow for flow in flows if flow and flow.proto != _CARP and not flow.original.source.startswith("127.")]


def format_states(flows: Iterable[Flow], own: frozenset[str], hostid: int, verbose: bool = False) -> str:
    """The text of `pfctl -ss`, or of `pfctl -vvss`.

    own:    addresses of this node, VIPs included: what ends or begins there has one state, not two.
    hostid: creator id of an entry that carries no mark.
    """
    return "".join(line for flow in flows for line in _format_flow(flow, own, hostid, verbose))


def count_states(flows: Iterable[Flow], own: frozenset[str]) -> int:
    """How many states pf would have for these flows."""
    return sum(len(list(_sides(flow, own))) for flow in flows)


def creators(flows: Iterable[Flow], hostid: int) -> set[int]:
    """Host ids of the nodes that made these states."""
    return {flow.mark or hostid for flow in flows}


def _format_flow(flow: Flow, own: frozenset[str], hostid: int, verbose: bool) -> Iterator[str]:
    client, server = state_names(flow)
    for number, (left, arrow, right) in enumerate(_sides(flow, own)):
        # For a state that came in pf writes the far end, which is the server, first.
        first, second = (server, client) if arrow == IN else (client, server)
        yield _STATE.format(proto=flow.proto, left=left, arrow=arrow, right=right, client=first, server=second)
        if verbose:
            age = "" if flow.age is None else _AGE.format(age=_clock(flow.age))
            sent, back = ((side.packets, side.bytes) for side in (flow.original, flow.reply))
            yield _COUNTERS.format(age=age, expires=_clock(flow.timeout), sent=sent, back=back)
            yield _CREATOR.format(id=flow.id << 1 | number, creator=flow.mark or hostid)


def _sides(flow: Flow, own: frozenset[str]) -> Iterator[tuple[str, str, str]]:
    """(left, arrow, right) of each pf state of the flow; the translated address first, the other one in brackets."""
    original, reply = flow.original, flow.reply
    client = _host(original.source, original.source_port)
    asked = _host(original.destination, original.destination_port)
    server = _host(reply.source, reply.source_port)
    seen_as = _host(reply.destination, reply.destination_port)
    if original.source not in own:
        yield server if server == asked else f"{server} ({asked})", IN, client
    if reply.source not in own:
        yield seen_as if seen_as == client else f"{seen_as} ({client})", OUT, server


def state_names(flow: Flow) -> tuple[str, str]:
    """(client, server) as pf names them."""
    if flow.proto == "tcp":
        return _TCP.get(flow.tcp_state, _UNKNOWN_TCP)
    if flow.proto == "icmp":
        return "0", "0"
    if flow.assured:
        return "MULTIPLE", "MULTIPLE"
    return ("MULTIPLE", "SINGLE") if flow.replied else ("SINGLE", "NO_TRAFFIC")


def _host(address: str, port: str) -> str:
    return f"{address}:{port}" if port else address


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _parse_line(line: str) -> Flow | None:
    """`tcp 6 431999 ESTABLISHED src=… dst=… sport=… dport=… src=… … [ASSURED] mark=161 use=1 id=7`."""
    words = line.split()
    if len(words) < 5 or not words[2].isdigit():
        return None
    sides: list[dict[str, str]] = []
    rest: dict[str, str] = {}
    for word in words[3:]:
        name, equals, value = word.partition("=")
        if not equals:
            continue
        if name == "src":
            sides.append({})
        # An ICMP direction has an id of its own; the entry's id comes after `use`.
        inside = sides and name in _OF_A_SIDE and "mark" not in rest and "use" not in rest
        (sides[-1] if inside else rest)[name] = value
    if len(sides) != 2:
        return None
    return Flow(
        words[1] if words[0] == "unknown" else words[0],
        int(words[2]),
        words[3] if "=" not in words[3] else "",
        _tuple(sides[0]),
        _tuple(sides[1]),
        "[UNREPLIED]" not in words,
        "[ASSURED]" in words,
        int(rest.get("mark", "0")),
        int(rest.get("id", "0")),
        int(rest["delta-time"]) if "delta-time" in rest else None,
    )


_OF_A_SIDE = frozenset(("src", "dst", "sport", "dport", "id", "packets", "bytes", "type", "code"))


def _tuple(side: dict[str, str]) -> Tuple:
    return Tuple(
        side["src"],
        side["dst"],
        side.get("sport", side.get("id", "")),
        side.get("dport", side.get("id", "")),
        int(side.get("packets", "0")),
        int(side.get("bytes", "0")),
    )

"""Probes as commands in the machines: what starts them, what ends them, and how their frames are told apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lab.errors import LabError
from lab.expect.paths import PathKind
from lab.expect.probe import Flow, Probe
from lab.experiment.contracts import Guest
from lab.experiment.series import ConnectKey, DatagramKey, PingKey
from lab.experiment.series import Key as SeriesKey
from lab.experiment.stream import StreamKey
from lab.topology.model import MachineRole, Topology
from lab.topology.plan import tap_name

PING_PERIOD = 0.02
THROUGH_PERIOD = 0.1
DENIED_PERIOD = 0.5
CONNECT_PERIOD = 0.5
CONNECT_PATIENCE = 0.5
"""Seconds: between two tries (to a machine's gateway; through the firewalls; where the rules deny it; of connections), and
until a connection is given up (before TCP would send its SYN again, at 1 s).

One fine-grained ping per machine: more of them keep an emulated firewall so busy that they measure themselves.
"""

PING_PATIENCE = 1.0
"""Seconds after which the answer to a ping is none any more: something held it back."""

FIRST_IDENT, IDENTS, RUNS = 0x4000, 64, 600
"""ICMP identifiers of the probes: RUNS blocks of IDENTS each. Runs take different ones, because a firewall may still hold
the state, and the translation, of an earlier run's ping."""

QUICK_CONNECT_PERIOD = 0.1
"""Seconds between connections from the LAN to the web server: one target only, for each is ten packets through a firewall."""

STREAM_PERIOD = 0.1
"""Seconds between two writes into a stream and between two datagrams. A local ping keeps time and writes: it costs a client
less than a shell that starts `sleep` ten times a second, and its lines are numbered."""
STREAM_GRAIN = 0.3

TICK = "ping -n -i {period} 127.0.0.1"
STREAM_COMMAND = "until {tick} | nc {address} {port}; do sleep 1; done"
"""Tried again where nobody listens yet."""
STREAM_SERVER = "nc -lk {port}"
DATAGRAM_COMMAND = "until {tick} | nc -u {address} {port}; do sleep 1; done"
DATAGRAM_SERVER = "nc -luk {port}"
DOWNLOAD_COMMAND = (
    "curl -s -N -o /dev/null --retry 20 --retry-connrefused --retry-delay 1 http://{address}:{port}/cgi-bin/stream"
)
DOWNLOAD_SERVER = (
    'mkdir -p {place}/cgi-bin; cd {place}/cgi-bin; printf "#!/bin/sh\\necho Content-Type: text/plain\\necho\\nexec {tick}\\n"'
    " >stream; chmod +x stream; exec httpd -f -p {port} -h {place}"
)
"""A page that never ends and comes evenly. A file with `curl --limit-rate` comes in bursts between closed windows."""
PLACE = "/run/uranus-stream"

PIDS = "/run/uranus-probes"
PING = "ping -n -q -i {period} -e {ident} {address}"
CONNECT = (
    "curl -s -o /dev/null --rate {rate}/s --connect-timeout {patience} -m {limit} -H 'Connection: close'"
    " 'http://{address}:{port}/?[1-1000000]'"
)
START = "{command} >/dev/null 2>&1 & echo $! >>{pids}"
START_GROUP = "setsid sh -c '{command}' >/dev/null 2>&1 & echo -$! >>{pids}"
"""Several processes in one: a process group of their own, ended as one."""
STOP = "test ! -f {pids} || kill -TERM $(cat {pids}) 2>/dev/null; rm -f {pids}"
SECONDS = 30.0

Key = SeriesKey | StreamKey

NO_GUEST = "Probes could not be started on {machine}"


@dataclass(frozen=True)
class Traffic:
    """A probe with its place on the wire. tap: where its machine is heard. period: seconds between tries.

    grain: how much longer than the outage itself the gap between two answers may be, in seconds. patience: how long an
    answer may take, in seconds. server: what its target runs meanwhile, "" for nothing. far_tap: where the target is heard.
    """

    probe: Probe
    key: Key
    tap: str
    period: float
    grain: float
    patience: float
    command: str
    server: str = ""
    far_tap: str = ""


def plan_traffic(topology: Topology, wanted: Iterable[Probe], run: int = 0) -> tuple[Traffic, ...]:
    """Give every probe its identifier and command. run: any number that differs between runs close in time.

    Raises ValueError for a flow that has no command yet.
    """
    first = FIRST_IDENT + run % RUNS * IDENTS
    return tuple(_traffic(topology, probe, first + number % IDENTS) for number, probe in enumerate(wanted))


def _traffic(topology: Topology, probe: Probe, ident: int) -> Traffic:
    machine = topology.machines[probe.source]
    ends = machine.address.packed, probe.destination.packed
    tap = tap_name(probe.source, machine.network)
    if probe.path.protocol == "icmp":
        period = _ping_period(probe)
        command = PING.format(period=period, ident=ident, address=probe.destination)
        return Traffic(probe, PingKey(*ends, ident), tap, period, 2 * period, PING_PATIENCE, command)
    if probe.flow in _LONG:
        return _long(topology, probe, tap)
    if probe.flow is not Flow.FRESH or probe.path.port is None:
        raise ValueError(f"no command for {probe.id}")
    period = _connect_period(topology, probe)
    command = CONNECT.format(
        rate=round(1 / period),
        patience=CONNECT_PATIENCE,
        limit=2 * CONNECT_PATIENCE,
        address=probe.destination,
        port=probe.path.port,
    )
    key = ConnectKey(*ends, probe.path.port)
    return Traffic(probe, key, tap, period, 2 * period + CONNECT_PATIENCE, CONNECT_PATIENCE, command)


def _connect_period(topology: Topology, probe: Probe) -> float:
    target = topology.machines[probe.path.target]
    quick = topology.machines[probe.source].network == topology.lan and target.role is MachineRole.WEB
    return QUICK_CONNECT_PERIOD if quick else CONNECT_PERIOD


def _long(topology: Topology, probe: Probe, tap: str) -> Traffic:
    """A stream, a download or datagrams."""
    command, server = _LONG[probe.flow]
    words = {
        "tick": TICK.format(period=STREAM_PERIOD),
        "address": probe.destination,
        "port": probe.path.port,
        "place": PLACE,
    }
    target = topology.machines[probe.path.target]
    ends = topology.machines[probe.source].address.packed, probe.destination.packed, probe.path.port or 0
    key: Key = DatagramKey(*ends) if probe.flow is Flow.DATAGRAM else StreamKey(*ends)
    return Traffic(
        probe,
        key,
        tap,
        STREAM_PERIOD,
        STREAM_GRAIN if probe.flow is not Flow.DATAGRAM else 2 * STREAM_PERIOD,
        PING_PATIENCE,
        command.format(**words),
        server.format(**words),
        tap_name(probe.path.target, target.network),
    )


_LONG = {
    Flow.STREAM: (STREAM_COMMAND, STREAM_SERVER),
    Flow.DOWNLOAD: (DOWNLOAD_COMMAND, DOWNLOAD_SERVER),
    Flow.DATAGRAM: (DATAGRAM_COMMAND, DATAGRAM_SERVER),
}


def start_servers(guests: Mapping[str, Guest], traffic: Iterable[Traffic]) -> None:
    """Start what the targets of these run, all machines at once; to be done before their probes. Raises LabError."""
    scripts: dict[str, list[str]] = {}
    for server, target in dict.fromkeys((one.server, one.probe.path.target) for one in traffic if one.server):
        scripts.setdefault(target, []).append(START_GROUP.format(command=server, pids=PIDS))
    _everywhere(guests, {name: "\n".join(lines) for name, lines in scripts.items()})


def _ping_period(probe: Probe) -> float:
    if not probe.path.verdict.allowed:
        return DENIED_PERIOD
    return PING_PERIOD if probe.path.kind is PathKind.GATEWAY else THROUGH_PERIOD


def start(guests: Mapping[str, Guest], traffic: Iterable[Traffic]) -> None:
    """Start these probes, all machines at once. Raises LabError."""
    scripts: dict[str, list[str]] = {}
    for one in traffic:
        form = START_GROUP if one.server else START
        scripts.setdefault(one.probe.source, []).append(form.format(command=one.command, pids=PIDS))
    _everywhere(guests, {name: "\n".join(lines) for name, lines in scripts.items()})


def stop(guests: Mapping[str, Guest], machines: Iterable[str]) -> None:
    """End every probe on these machines, also those of a run that was cut short. Raises LabError."""
    _everywhere(guests, dict.fromkeys(machines, STOP.format(pids=PIDS)))


def _everywhere(guests: Mapping[str, Guest], scripts: Mapping[str, str]) -> None:
    def one(name: str) -> None:
        ran = guests[name].run(scripts[name], SECONDS)
        if ran.exit_code:
            raise LabError(NO_GUEST.format(machine=name), expected=scripts[name], seen=ran.stdout)

    if scripts:
        with ThreadPoolExecutor(max_workers=len(scripts)) as pool:
            list(pool.map(one, scripts))

"""Probes as commands in the machines: what starts them, what ends them, and how their frames are told apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lab.errors import LabError
from lab.expect.paths import PathKind
from lab.expect.probe import Flow, Probe
from lab.experiment.contracts import Guest
from lab.experiment.series import ConnectKey, Key, PingKey
from lab.topology.model import Topology
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

PIDS = "/run/uranus-probes"
PING = "ping -n -q -i {period} -e {ident} {address}"
CONNECT = (
    "curl -s -o /dev/null --rate {rate}/s --connect-timeout {patience} -m {limit} -H 'Connection: close'"
    " 'http://{address}:{port}/?[1-1000000]'"
)
START = "{command} >/dev/null 2>&1 & echo $! >>{pids}"
STOP = "test ! -f {pids} || kill $(cat {pids}) 2>/dev/null; rm -f {pids}"
SECONDS = 30.0

NO_GUEST = "Probes could not be started on {machine}"


@dataclass(frozen=True)
class Traffic:
    """A probe with its place on the wire. tap: where its machine is heard. period: seconds between tries.

    grain: how much longer than the outage itself the gap between two answers may be, in seconds. patience: how long an
    answer may take, in seconds.
    """

    probe: Probe
    key: Key
    tap: str
    period: float
    grain: float
    patience: float
    command: str


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
    if probe.flow is not Flow.FRESH or probe.path.port is None:
        raise ValueError(f"no command for {probe.id}")
    command = CONNECT.format(
        rate=round(1 / CONNECT_PERIOD),
        patience=CONNECT_PATIENCE,
        limit=2 * CONNECT_PATIENCE,
        address=probe.destination,
        port=probe.path.port,
    )
    key = ConnectKey(*ends, probe.path.port)
    return Traffic(probe, key, tap, CONNECT_PERIOD, 2 * CONNECT_PERIOD + CONNECT_PATIENCE, CONNECT_PATIENCE, command)


def _ping_period(probe: Probe) -> float:
    if not probe.path.verdict.allowed:
        return DENIED_PERIOD
    return PING_PERIOD if probe.path.kind is PathKind.GATEWAY else THROUGH_PERIOD


def start(guests: Mapping[str, Guest], traffic: Iterable[Traffic]) -> None:
    """Start these probes, all machines at once. Raises LabError."""
    scripts: dict[str, list[str]] = {}
    for one in traffic:
        scripts.setdefault(one.probe.source, []).append(START.format(command=one.command, pids=PIDS))
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

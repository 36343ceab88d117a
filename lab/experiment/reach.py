"""Trying every path from inside the machines, all machines and all paths at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from lab.errors import LabError
from lab.expect.paths import Path, PathKind
from lab.experiment.contracts import Guest
from lab.experiment.pcap import Frame
from lab.experiment.result import CheckResult
from lab.topology.model import Topology
from lab.topology.plan import bridge_name

PING = "ping -n -q -c 3 -i 0.3 -W {patience} {address}"
PING_ONCE = "ping -n -q -c 1 -W 1 {address}"
"""Enough where all is well, and over at once."""
CONNECT = "nc -z -w{patience} {address} {port}"
"""A TCP connection made and ended, whatever would be said over it. It costs an emulated client a third of what curl does."""

ALLOWED_PATIENCE, DENIED_PATIENCE = 3, 1
"""Seconds to wait for an answer. A slow machine costs an allowed path nothing but time; of a denied one the wire on the far side
tells besides whether anything came through."""

ROUTE = 'ip route add {address}/32 via {via} 2>/dev/null && undo="$undo; ip route del {address}/32 via {via}"'
SCRIPT = """undo=:
{routes}
{tries}
wait
eval "$undo"
"""
EITHER = "{first} || {then}"
TRY = "( {{ {command}; }} >/dev/null 2>&1 && echo 'yes {id}' || echo 'no {id}' ) &"
SECONDS = 60.0
NOTHING_ELSE: Mapping[str, str] = {}

WHAT = "{source} to {target} ({address}), {how}"
ALLOWED, DENIED = "answered", "no answer"
BECAUSE = "{word} ({reason})"
LEAKED = "no answer, but {count} packets reached {network}"
NOT_TRIED = "could not be tried: {reason}"


def try_paths(guests: Mapping[str, Guest], paths: Sequence[Path]) -> dict[str, bool | str]:
    """Path id -> whether an answer came, or why it could not be tried."""
    by_source: dict[str, list[Path]] = {}
    for path in paths:
        by_source.setdefault(path.source, []).append(path)
    with ThreadPoolExecutor(max_workers=max(1, len(by_source))) as pool:
        found = pool.map(lambda item: try_from(guests[item[0]], item[1]), by_source.items())
    return {id_: answer for answers in found for id_, answer in answers.items()}


def try_from(guest: Guest, paths: Sequence[Path], others: Mapping[str, str] = NOTHING_ELSE) -> dict[str, bool | str]:
    """The same from one machine. others: id -> a command to be run there at the same time, which succeeds or does not."""
    ids = [*(path.id for path in paths), *others]
    try:
        ran = guest.run(script(paths, others), SECONDS)
    except LabError as error:
        return dict.fromkeys(ids, error.problem.summary)
    words = [line.partition(" ") for line in ran.stdout.splitlines()]
    said = {id_: word == "yes" for word, _, id_ in words}
    return {id_: said.get(id_, repr(ran.stdout)) for id_ in ids}


def script(paths: Sequence[Path], others: Mapping[str, str] = NOTHING_ELSE) -> str:
    """What one machine runs: a line `yes ID` or `no ID` per path, and per other command, on stdout."""
    routes = {(path.destination, path.via) for path in paths if path.via is not None}
    commands = {**{path.id: _command(path) for path in paths}, **others}
    return SCRIPT.format(
        routes="\n".join(ROUTE.format(address=address, via=via) for address, via in sorted(routes)),
        tries="\n".join(TRY.format(command=command, id=id_) for id_, command in commands.items()),
    )


def _command(path: Path) -> str:
    allowed = path.verdict.allowed
    patience = ALLOWED_PATIENCE if allowed else DENIED_PATIENCE
    if path.protocol != "icmp":
        return CONNECT.format(address=path.destination, port=path.port, patience=patience)
    ping = PING.format(address=path.destination, patience=patience)
    return EITHER.format(first=PING_ONCE.format(address=path.destination), then=ping) if allowed else ping


def path_results(
    topology: Topology, paths: Iterable[Path], answers: Mapping[str, bool | str], frames: Sequence[Frame]
) -> Iterator[CheckResult]:
    """A denied path is denied only if its packets do not reach the far segment either."""
    leaks = _Arrivals(frames)
    for path in paths:
        answer = answers[path.id]
        how = f"{path.protocol} {path.port}" if path.port else path.protocol
        what = WHAT.format(source=path.source, target=path.target, address=path.destination, how=how)
        word = ALLOWED if path.verdict.allowed else DENIED
        expected = BECAUSE.format(word=word, reason=path.verdict.reason)
        ok, seen = answer is path.verdict.allowed, ALLOWED if answer is True else DENIED
        if isinstance(answer, str):
            ok, seen = False, NOT_TRIED.format(reason=answer)
        elif not path.verdict.allowed and path.kind in (PathKind.ZONE, PathKind.INBOUND):
            network = topology.machines[path.target].network
            count = leaks.count(topology, path, network)
            if count and not answer:
                ok, seen = False, LEAKED.format(count=count, network=network)
        yield CheckResult(f"path:{path.id}", what, expected, seen, ok)


class _Arrivals:
    """Questions seen on each segment: echo requests and SYNs by (bridge, source, destination, port or None)."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._seen: dict[tuple[str, bytes, bytes, int | None], int] = {}
        for frame in frames:
            key = _question(frame)
            if key is not None:
                self._seen[key] = self._seen.get(key, 0) + 1

    def count(self, topology: Topology, path: Path, network: str) -> int:
        source = topology.machines[path.source].address.packed
        return self._seen.get((bridge_name(network), source, path.destination.packed, path.port), 0)


def _question(frame: Frame) -> tuple[str, bytes, bytes, int | None] | None:
    data = frame.data
    if data[12:14] != b"\x08\x00" or len(data) < 42:
        return None
    start = 14 + (data[14] & 0x0F) * 4
    if data[23] == 1 and data[start] == 8:
        return frame.link, data[26:30], data[30:34], None
    if data[23] == 6 and len(data) > start + 13 and data[start + 13] & 0x12 == 0x02:
        return frame.link, data[26:30], data[30:34], int.from_bytes(data[start + 2 : start + 4], "big")
    return None

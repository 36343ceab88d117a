"""One timeline out of all that was heard and done: adverts, ARP, consoles, logs, power, cables, probes, invariants."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

from lab.console.shell import plain
from lab.expect.fault import FaultKind
from lab.experiment.pcap import Frame
from lab.experiment.result import Invariant, Kind, TimelineEvent
from lab.experiment.wire import AdvertSeen
from lab.topology.model import Topology
from lab.topology.plan import bridge_name

KINDS = {
    FaultKind.KILL: Kind.POWER,
    FaultKind.BOTH: Kind.POWER,
    FaultKind.HALT: Kind.POWER,
    FaultKind.REBOOT: Kind.POWER,
    FaultKind.FREEZE: Kind.POWER,
    FaultKind.RETURN: Kind.POWER,
    FaultKind.UNPLUG: Kind.LINK,
    FaultKind.FLAP: Kind.LINK,
    FaultKind.LOSS: Kind.LINK,
    FaultKind.DELAY: Kind.LINK,
}
"""What doing a fault is; a command where nothing else."""

DONE, UNDONE = "{fault}", "{fault}: undone"
MASTER = "VHID {vhid} on {network}: master, advbase {advbase}, advskew {advskew}"
SKEW = "VHID {vhid} on {network}: advskew {advskew} now"
GRATUITOUS = "gratuitous ARP: {address} is at {mac}"
SILENT, ANSWERS = "{id}: no answer from here on", "{id}: answers again after {seconds:.3f} s"
STALLS, FLOWS = "{id}: no byte from here on", "{id}: flows again after {seconds:.3f} s"
BROKEN = "{name}: {subject}: {seen}"

LOG_LINE = re.compile(r"^(\w{3} [ \d]\d \d\d:\d\d:\d\d) \S+ (.*)$")
LOG_STAMP = "%Y %b %d %H:%M:%S"
LOG_DOUBT = 1.0

_ARP, _REQUEST = b"\x08\x06", b"\x00\x01"
_OURS = re.compile(rb"@@BEGIN\w+\r?\n.*?@@END\w+ \d+|[^\n]*@@LAB@@[^\n]*|[^\n]*@@B''EGIN[^\n]*", re.DOTALL)
"""What the lab itself types on a console, and what it reads there."""


MENU = re.compile(
    r"\d+\) |QEMU Guest|\*\*\* Welcome|.+ \(\w+\) +-> |Enter an option|\[[^]]*\]\[root@|# PS1=|\^C|exit$|8$|[#$] *$|.*Device ID: "
)
"""The menu, which the console shows again whenever somebody leaves its shell."""


@dataclass(frozen=True)
class Note:
    """One moment, seconds since the epoch."""

    time: float
    kind: Kind
    where: str
    text: str
    doubt: float = 0.0


@dataclass
class ConsoleTail:
    """Lines as they come on a serial line's transcript, without what the lab types there itself."""

    where: str
    path: Path
    _offset: int = 0
    _rest: bytes = b""

    def __post_init__(self) -> None:
        self._offset = self.path.stat().st_size if self.path.exists() else 0

    def poll(self) -> Iterator[Note]:
        """Whole lines since the last call, stamped now: they came between the two calls."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._offset)
            fresh = file.read()
        if not fresh:
            return
        self._offset += len(fresh)
        text = _OURS.sub(b"", self._rest + fresh)
        # What the lab has begun to read and not yet read whole stays for the next time.
        begun = text.find(b"@@BEGIN")
        cut = begun if begun >= 0 else text.rfind(b"\n") + 1
        self._rest = text[cut:]
        now = time.time()
        for line in plain(text[:cut]).splitlines():
            if line.strip() and not MENU.match(line.strip()):
                yield Note(now, Kind.CONSOLE, self.where, line.strip())


@dataclass
class ArpWatch:
    """Gratuitous ARP for virtual addresses, by bridge."""

    topology: Topology
    notes: list[Note] = field(default_factory=list)

    def feed(self, frames: Sequence[Frame]) -> None:
        bridges = {bridge_name(vip.network): vip.network for vip in self.topology.carp.vips}
        virtual = {vip.address.packed for vip in self.topology.carp.vips}
        for frame in frames:
            data = frame.data
            if data[12:14] != _ARP or frame.link not in bridges or data[28:32] != data[38:42]:
                continue
            if data[28:32] in virtual:
                address, mac = IPv4Address(data[28:32]), data[22:28].hex(":")
                text = GRATUITOUS.format(address=address, mac=mac)
                self.notes.append(Note(frame.seconds, Kind.ARP, bridges[frame.link], text))


def log_notes(where: str, said: str, asked: float, since: float) -> Iterator[Note]:
    """Lines of a firewall's log on the host's clock. said: that firewall's own time (`date '+%Y %b %d %H:%M:%S'`), then its log.

    asked: when that was, by the host. Lines from before `since` are left out.
    """
    first, _, rest = said.partition("\n")
    try:
        now = time.mktime(time.strptime(first.strip(), LOG_STAMP))
    except ValueError:
        return
    year = first.split()[0]
    for line in rest.splitlines():
        found = LOG_LINE.match(line)
        if found is None:
            continue
        stamp = time.mktime(time.strptime(f"{year} {found.group(1)}", LOG_STAMP))
        at = asked - (now - stamp)
        if at >= since - LOG_DOUBT:
            yield Note(at, Kind.LOG, where, found.group(2), LOG_DOUBT)


def advert_notes(adverts: Sequence[AdvertSeen]) -> Iterator[Note]:
    """The first advert of each reign by a node, and each that carries another skew than its last."""
    last: dict[tuple[str, int], AdvertSeen] = {}
    own: dict[tuple[str, int, str], AdvertSeen] = {}
    for advert in sorted(adverts, key=lambda one: one.time):
        before, mine = last.get(advert.group), own.get((*advert.group, advert.node))
        words = MASTER if before is None or before.node != advert.node else SKEW
        if words is MASTER or (mine is not None and mine.rank != advert.rank):
            text = words.format(
                vhid=advert.vhid, network=advert.network, advbase=advert.advbase, advskew=advert.advskew
            )
            yield Note(advert.time, Kind.ADVERT, advert.node, text)
        last[advert.group] = own[(*advert.group, advert.node)] = advert


def probe_notes(gaps: Mapping[str, tuple[float, float | None]], streams: Collection[str]) -> Iterator[Note]:
    """Where each outage began and ended. gaps: probe id -> last and first answer, seconds since the epoch. streams: ids of streams."""
    for name, (last, first) in gaps.items():
        silent, again = (STALLS, FLOWS) if name in streams else (SILENT, ANSWERS)
        yield Note(last, Kind.PROBE, name, silent.format(id=name))
        if first is not None:
            yield Note(first, Kind.PROBE, name, again.format(id=name, seconds=first - last))


def invariant_notes(found: Sequence[Invariant], times: Mapping[str, float]) -> Iterator[Note]:
    """Those that do not hold. times: look -> when it was, seconds since the epoch."""
    for one in found:
        if not one.holds and one.look.value in times:
            text = BROKEN.format(name=one.name, subject=one.subject, seen=one.seen)
            yield Note(times[one.look.value], Kind.INVARIANT, one.subject, text)


def events(notes: Sequence[Note], zero: float) -> tuple[TimelineEvent, ...]:
    """On the run's clock, in order."""
    return tuple(
        TimelineEvent(round(note.time - zero, 6), note.kind, note.where, note.text, note.doubt)
        for note in sorted(notes, key=lambda note: note.time)
    )

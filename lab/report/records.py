"""The rows of the table of packets and events, in one language."""

from __future__ import annotations

from dataclasses import dataclass

from lab.experiment.result import Kind, TimelineEvent
from lab.report.account import source
from lab.report.packets import ADVERT, ARP, Packet
from lab.report.run import SavedRun
from lab.report.style import Style


@dataclass(frozen=True)
class Record:
    """One row. steady: an advert like the one before; bold: a change."""

    seconds: float
    at: str
    where: str
    kind: str
    text: str
    note: str = ""
    steady: bool = False
    bold: bool = False


def records(run: SavedRun, style: Style) -> tuple[Record, ...]:
    """Packets and events, in order of time. Adverts and announcements come from the frames where there are any."""
    seen = run.packets
    found = [_packet(one, style) for one in seen]
    drawn = {Kind.ADVERT, Kind.ARP} if seen else set()
    found += [_event(one, style) for one in run.report.events if one.kind not in drawn]
    return tuple(sorted(found, key=lambda one: one.seconds))


def _packet(one: Packet, style: Style) -> Record:
    words = style.words
    note = ""
    if one.kind == ADVERT:
        text = words.advert.format(vhid=one.vhid, base=one.advbase, skew=one.advskew)
        if one.first:
            note = words.advert_first.format(node=one.node)
        elif one.was is not None:
            note = words.advert_skew.format(was=one.was)
        elif one.repeated:
            note = words.advert_repeated
    elif one.kind == ARP:
        text = words.announcement.format(address=one.address, mac=one.mac)
    else:
        text = words.unreadable.format(reason=one.reason)
    where = " · ".join(part for part in (one.network, one.node) if part)
    return Record(one.at, _at(one.at, style), where, one.kind, text, note, one.steady, bool(one.first))


def _event(one: TimelineEvent, style: Style) -> Record:
    bold = one.kind in (Kind.POWER, Kind.LINK, Kind.COMMAND, Kind.INVARIANT)
    text = one.text if one.kind in (Kind.CONSOLE, Kind.LOG) else style.translate(one.text)
    where = source(one.where) if one.kind is Kind.PROBE else one.where
    return Record(one.at, _at(one.at, style), where, one.kind.value, text, bold=bold)


def _at(seconds: float, style: Style) -> str:
    return style.seconds(seconds, 3, signed=True)

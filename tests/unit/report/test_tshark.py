"""An independent reader over the pcapng that a report leaves: the same adverts, the same gap, the same times within a millisecond."""

from __future__ import annotations

import subprocess
from functools import cache
from itertools import pairwise

import pytest

from tests.unit.report.runs import RECORDED, recorded

MILLISECOND = 0.001
FIELDS = (
    "frame.time_epoch", "frame.interface_name", "frame.comment", "ip.src", "ip.dst", "carp.vhid", "carp.advskew",
    "carp.adver_int", "icmp.type", "icmp.seq", "arp.src.proto_ipv4",
)  # fmt: skip


@cache
def rows() -> tuple[dict[str, str], ...]:
    """Every frame as tshark reads it, CARP decoded as the report's page says."""
    command = ["tshark", "-n", "-o", "ip.try_heuristic_first:TRUE", "-r", str(RECORDED / "failover.pcapng")]
    command += ["-T", "fields", "-E", "occurrence=f", *(word for field in FIELDS for word in ("-e", field))]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return tuple(dict(zip(FIELDS, line.split("\t"), strict=True)) for line in text.splitlines())


def at(row: dict[str, str]) -> float:
    """Seconds from the fault. tshark's stamps have nanoseconds; a float of today's seconds has 0.2 microseconds."""
    return float(row["frame.time_epoch"]) - recorded().report.fault_at


def adverts(node: str, network: str, vhid: int) -> list[float]:
    address = str(recorded().topology.firewalls[node].addresses[network])
    return [at(row) for row in rows() if row["ip.src"] == address and row["carp.vhid"] == str(vhid)]


def test_it_reads_every_frame_on_its_network() -> None:
    assert len(rows()) == len(recorded().frames)
    assert [row["frame.interface_name"] for row in rows()] == [frame.link for frame in recorded().frames]


def test_reigns_begin_and_end_when_tshark_says_so() -> None:
    report = recorded().report
    assert report.reigns
    for reign in report.reigns:
        inside = [
            time for time in adverts(reign.node, reign.network, reign.vhid)
            if reign.start - MILLISECOND <= time <= reign.last + MILLISECOND
        ]  # fmt: skip
        assert len(inside) == reign.adverts
        assert inside[0] == pytest.approx(reign.start, abs=MILLISECOND)
        assert inside[-1] == pytest.approx(reign.last, abs=MILLISECOND)


def test_hand_overs_happen_when_tshark_says_so() -> None:
    report = recorded().report
    for move in report.hand_overs:
        assert move.at is not None
        assert move.silence is not None
        since = 0.0 if move.phase == "fault" else report.undone_at
        first = next(time for time in adverts(move.new, move.network, move.vhid) if time > since)
        last = [time for time in adverts(move.old, move.network, move.vhid) if time < first][-1]
        assert first - since == pytest.approx(move.at, abs=MILLISECOND)
        assert first - last == pytest.approx(move.silence, abs=MILLISECOND)


def test_the_gap_in_the_pings_is_as_long_as_tshark_says() -> None:
    report = recorded().report
    probe = next(one for one in report.probes if one.id == "client>gateway:icmp:old")
    gateway = str(recorded().topology.vip_on("lan").address)  # type: ignore[union-attr]
    answered = {row["icmp.seq"] for row in rows() if row["icmp.type"] == "0" and row["ip.src"] == gateway}
    sent = [at(r) for r in rows() if r["icmp.type"] == "8" and r["ip.dst"] == gateway and r["icmp.seq"] in answered]
    gap = max(after - before for before, after in pairwise(sent))
    assert probe.outage == pytest.approx(gap, abs=MILLISECOND)
    # CARP's take-over and the ping's gap are two views of one thing: a probe's period and 30 ms apart at most.
    took = next(move.at for move in report.hand_overs if move.vhid == 1 and move.phase == "fault")
    assert probe.outage == pytest.approx(took, abs=0.02 + 0.03)


def test_every_question_of_a_series_is_where_tshark_has_it() -> None:
    series = next(one for one in recorded().report.series if one.id == "client>gateway:icmp:old")
    gateway = str(recorded().topology.vip_on("lan").address)  # type: ignore[union-attr]
    seen = [at(row) for row in rows() if row["icmp.type"] == "8" and row["ip.dst"] == gateway]
    saved = [time for time, _ in series.tries if seen[0] - MILLISECOND < time < seen[-1] + MILLISECOND]
    assert len(seen) == len(saved)
    assert all(abs(one - other) < MILLISECOND for one, other in zip(seen, saved, strict=True))


def test_the_comments_stand_where_masters_change() -> None:
    said = [row for row in rows() if row["frame.comment"]]
    assert [row["frame.comment"] for row in said if row["carp.vhid"] == "1"] == [
        "VHID 1: backup is master from here on",
        "VHID 1: master is master from here on",
    ]
    assert {row["carp.advskew"] for row in said} == {"0", "100"}

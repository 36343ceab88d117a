"""What is drawn where."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.experiment.result import OverlapSeen, ProbeSeries
from lab.report.lanes import ANSWERED, LOST, MASTER, PRESUMED, SPLIT, Bar, Chart, charts, probe_lanes, reign_lanes
from tests.unit.report.runs import recorded

NODES = ("master", "backup")


def test_three_charts_of_a_kill() -> None:
    whole, fault, back = charts(recorded().report)
    assert (whole.id, fault.id, back.id) == ("whole", "fault", "return")
    assert whole.start < fault.start < 0 < fault.end < back.start < back.end <= whole.end
    assert whole.end == pytest.approx(recorded().report.baseline + recorded().report.seconds)
    assert 0.0 in fault.ticks
    assert len(fault.ticks) <= 9


def test_places_are_cut_at_the_ends() -> None:
    chart = Chart("fault", -1.0, 3.0)
    assert [chart.x(at) for at in (-5, -1, 0, 3, 9)] == [0, 0, 250, 1000, 1000]
    assert chart.ticks == (-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
    assert chart.visible([Bar(-3, -2, MASTER), Bar(-2, 0, MASTER), Bar(4, 5, MASTER)]) == (Bar(-2, 0, MASTER),)


def test_a_killed_master_is_drawn_until_it_was_killed() -> None:
    run = recorded()
    lanes = reign_lanes(run.report, NODES, run.packets)
    assert [(lane.vhid, lane.name) for lane in lanes] == [(1, "lan"), (2, "srv"), (3, "dmz"), (4, "ha")]
    master, backup = lanes[0].tracks
    first, presumed, *_ = master.bars
    assert (first.kind, presumed.kind) == (MASTER, PRESUMED)
    assert presumed.end == 0.0
    assert backup.bars[0].start == run.report.hand_overs[0].at
    assert backup.law == run.report.hand_overs[0].law
    assert master.law is None
    last = first.end
    assert backup.due is not None
    assert backup.due[1] - last == pytest.approx(3.390625, abs=1e-6)


def test_adverts_are_marked_in_their_own_track() -> None:
    run = recorded()
    master, backup = reign_lanes(run.report, NODES, run.packets)[0].tracks
    sent = [one for one in run.packets if one.kind == "advert" and one.vhid == 1]
    for track in (master, backup):
        own = [mark.at for mark in track.marks if mark.kind == "advert"]
        assert own == [one.at for one in sent if one.node == track.id]
    assert sum(mark.kind == "arp" for mark in backup.marks) == 1


def test_two_masters_are_drawn_on_both() -> None:
    report = replace(recorded().report, overlaps=(OverlapSeen(1, "lan", ("master", "backup"), 3.0, 3.2, 200.0),))
    lanes = reign_lanes(report, NODES, ())
    assert all(Bar(3.0, 3.2, SPLIT) in track.bars for track in lanes[0].tracks)
    assert not any(bar.kind == SPLIT for track in lanes[1].tracks for bar in track.bars)


def test_a_probes_outage_is_as_long_as_its_bar() -> None:
    report = recorded().report
    lanes = probe_lanes(report)
    track = next(track for lane in lanes for track in lane.tracks if track.id == "client>gateway:icmp:old")
    (lost,) = (bar for bar in track.bars if bar.kind == LOST)
    outage = next(probe.outage for probe in report.probes if probe.id == track.id)
    # The bar begins with the first lost question, the outage with the last answered one.
    assert outage is not None
    assert 0 < outage - (lost.end - lost.start) < 0.04
    assert {"client", "web"} >= {lane.name for lane in lanes} - {"web"}


def test_a_probe_that_pauses_has_a_hole() -> None:
    tries = tuple((float(at), 0.1) for at in (*range(5), *range(20, 25)))
    report = replace(recorded().report, series=(ProbeSeries("client>web:icmp:old", tries),), bytes=())
    (track,) = probe_lanes(report)[0].tracks
    assert track.bars == (Bar(0.0, 5.0, ANSWERED), Bar(20.0, 25.0, ANSWERED))

"""The verdict: a run as it should be passes, and every way of bending it is found and named."""

from __future__ import annotations

import json

import pytest

from lab.experiment.heartbeat import Stall, Stalls, Wait
from lab.experiment.probes import THROUGH_PERIOD, plan_traffic
from lab.experiment.repeat import repeat
from lab.experiment.report import to_json, to_text
from lab.experiment.series import PingKey
from tests.unit.experiment.frames import EPOCH, adverts
from tests.unit.experiment.story import ANSWER, END, FAULT, HOME, TAKEN, Story, moves, probe

GATEWAY, OLD, NEW = "client>gateway:icmp:old", "client>internet:icmp:old", "client>internet:icmp:new"
DENIED, FRESH = "web>client:icmp:old", "client>internet:tcp/80:fresh"


def test_a_run_by_the_law_passes() -> None:
    report = Story().report()
    assert report.ok, report.problems
    assert report.problems == ()
    there, back = moves(report, 1)
    assert (there.old, there.new) == ("master", "backup")
    assert there.silence == pytest.approx(3.390625, abs=1e-5)
    assert there.at == pytest.approx(TAKEN - FAULT, abs=0.03)
    assert there.miss == pytest.approx(0.0, abs=1e-5)
    assert (back.old, back.new) == ("backup", "master")
    assert probe(report, GATEWAY).outage == pytest.approx(TAKEN - FAULT, abs=0.05)
    assert probe(report, GATEWAY).lost == pytest.approx(155, abs=2)
    assert probe(report, OLD).outage is None
    assert probe(report, OLD).resumed == pytest.approx(HOME - 14.0, abs=THROUGH_PERIOD)


def test_the_report_is_json_and_text() -> None:
    report = Story().report()
    assert json.loads(json.dumps(to_json(report)))["ok"] is True
    text = to_text(report)
    assert "PASS: 29 of 29 as expected" in text
    assert "master > backup" in text
    assert "endless" in text


@pytest.mark.parametrize(("taken", "sign"), [(TAKEN + 0.3, 1), (TAKEN - 0.3, -1)])
def test_a_hand_over_off_the_law_is_named_by_how_much(taken: float, sign: int) -> None:
    report = Story(taken={2: taken}).report()
    there, _ = moves(report, 2)
    assert not there.ok
    assert there.miss == pytest.approx(sign * 0.3, abs=1e-3)
    assert "VHID 2" in report.problems[0]
    assert moves(report, 1)[0].ok


def test_what_the_host_stalled_is_no_fault_of_the_lab() -> None:
    stall = Stall(EPOCH + TAKEN + 0.3, 0.3)
    assert moves(Story(taken={2: TAKEN + 0.3}, stalls=(stall,)).report(), 2)[0].ok
    elsewhere = Stall(EPOCH + 1.0, 0.3)
    assert not moves(Story(taken={2: TAKEN + 0.3}, stalls=(elsewhere,)).report(), 2)[0].ok


def test_what_a_guest_waited_for_a_core_explains_that_it_was_late_and_nothing_else() -> None:
    due = EPOCH + TAKEN
    late, early = {2: TAKEN + 0.3}, {2: TAKEN - 0.3}
    waits = (Wait(due + 0.1, "backup", 0.1), Wait(due + 0.2, "backup", 0.15))
    assert moves(Story(taken=late, waits=waits).report(), 2)[0].ok
    assert not moves(Story(taken=late, waits=(Wait(due + 0.1, "master", 0.25),)).report(), 2)[0].ok
    assert not moves(Story(taken=late, waits=(Wait(due - 1.0, "backup", 0.25),)).report(), 2)[0].ok
    assert not moves(Story(taken=early, waits=waits).report(), 2)[0].ok


def test_a_vhid_that_never_moves_or_never_returns_is_named() -> None:
    report = Story(taken={3: END + 1}, home={3: END + 1}).report()
    assert "did not move; expected backup" in moves(report, 3)[0].problem
    report = Story(home={3: END + 1}).report()
    assert "did not move; expected master" in moves(report, 3)[1].problem


def test_two_masters_are_named() -> None:
    rival = adverts("dmz", 3, "172.17.3.254", 0, 10.0, 13.5)
    there, _ = moves(Story(extra=rival).report(), 3)
    assert not there.ok


@pytest.mark.parametrize(
    ("name", "silences", "words"),
    [
        (GATEWAY, [(FAULT, TAKEN + 0.6)], "outside the law by +"),
        (GATEWAY, [(FAULT, FAULT + 1.0)], "outside the law by -"),
        (GATEWAY, [(FAULT, END)], "no answer any more"),
        (GATEWAY, [(0.0, END)], "never answered"),
        (GATEWAY, [(FAULT, TAKEN), (HOME, HOME + 0.5)], "outside the law by +"),
        (GATEWAY, [(FAULT, TAKEN), (HOME, END)], "did not come back"),
        (NEW, [(12.0, 12.5)], "outside the law by +"),
        (NEW, [(11.0, END)], "never answered"),
        (OLD, [(FAULT, TAKEN)], "expected lost, but it went on"),
        (OLD, [(FAULT, END)], "did not come back"),
        (FRESH, [(FAULT, TAKEN + 2.0)], "outside the law by +"),
        (DENIED, [], "though the rules deny it"),
    ],
)
def test_every_way_a_probe_can_differ_is_named(name: str, silences: list[tuple[float, float]], words: str) -> None:
    report = Story(gaps={name: silences}).report()
    assert words in probe(report, name).problem
    assert [one.id for one in report.probes if not one.ok] == [name]


def test_the_moment_of_a_kill_is_the_nodes_last_frame() -> None:
    report = Story().report()
    assert report.fault_at == pytest.approx(EPOCH + FAULT - ANSWER)


def test_the_worst_stall_is_the_one_that_touches_the_window() -> None:
    stalls = Stalls((Stall(10.0, 0.5), Stall(20.0, 0.1)))
    assert stalls.worst(9.9, 15) == 0.5
    assert stalls.worst(10.1, 15) == 0.0
    assert stalls.worst(0, 9.4) == 0.0
    assert stalls.worst(0, 30) == 0.5


def test_several_runs_lie_beside_the_law() -> None:
    runs = iter([Story(), Story(taken={1: TAKEN + 0.05})])
    done = repeat(lambda _: next(runs).report(), 2)
    assert done.ok
    spread = next(one for one in done.spreads if one.what == "fault: VHID 1, after the last advert")
    assert (spread.count, spread.law) == (2, (3.390625, 3.390625))
    assert spread.low == pytest.approx(3.390625, abs=1e-5)
    assert spread.middle == pytest.approx(3.415625, abs=1e-5)
    assert spread.high == pytest.approx(3.440625, abs=1e-5)


def test_runs_close_in_time_do_not_share_identifiers() -> None:
    story = Story()
    wanted = [one.probe for one in story.outcome.probes]
    runs = [plan_traffic(story.topology, wanted, run) for run in range(1_700_000_000, 1_700_000_300)]
    idents = [one.key.ident for run in runs for one in run if isinstance(one.key, PingKey)]
    assert len(set(idents)) == len(idents)
    assert 0 < min(idents) <= max(idents) <= 0xFFFF

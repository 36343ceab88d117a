"""Mastership out of frames: who, with which skew, for how long, how many at once."""

from __future__ import annotations

import time

import pytest

from lab.experiment.pcap import Frame
from lab.experiment.wire import Ledger, Roster, overlaps, reigns, take_overs
from tests.unit.experiment.frames import EPOCH, advert, adverts, frame, uranus

A, B = "172.17.1.254", "172.17.1.253"


def ledger(*runs: list[Frame]) -> Ledger:
    made = Ledger(Roster.of(uranus()))
    made.feed(sorted(frame for run in runs for frame in run))
    return made


def masters(made: Ledger, at: float) -> list[str]:
    return [advert.node for advert in made.masters(EPOCH + at).get(("lan", 1), ())]


def test_a_steady_master() -> None:
    heard = ledger(adverts("lan", 1, A, 0, 0, 5), adverts("srv", 2, "172.17.2.254", 0, 0, 5))
    assert {group: [a.node for a in found] for group, found in heard.masters().items()} == {
        ("lan", 1): ["master"],
        ("srv", 2): ["master"],
    }
    (reign,) = [reign for reign in reigns(heard.adverts) if reign.vhid == 1]
    assert (reign.node, reign.adverts, reign.skews) == ("master", 5, ((1, 0),))
    assert reign.longest == pytest.approx(1.0)
    assert overlaps(reigns(heard.adverts)) == ()


def test_a_crash_the_take_over_and_the_return() -> None:
    heard = ledger(
        adverts("lan", 1, A, 0, 0, 4.5), adverts("lan", 1, B, 100, 7.390625, 20), adverts("lan", 1, A, 0, 19.9063, 30)
    )
    assert [masters(heard, at) for at in (4.4, 5.4, 5.6, 7.4, 19.0, 20.0)] == [
        ["master"], ["master"], [], ["backup"], ["backup"], ["master"],
    ]  # fmt: skip
    first, second = take_overs(heard.adverts)
    assert (first.old, first.new, first.rank) == ("master", "backup", (1, 0))
    assert first.silence == pytest.approx(3.390625)
    assert (second.old, second.new, second.rank) == ("backup", "master", (1, 100))
    assert second.silence < 0.001
    assert [reign.node for reign in reigns(heard.adverts)] == ["master", "backup", "master"]
    assert overlaps(reigns(heard.adverts)) == ()


def test_two_masters_are_seen_and_their_time_measured() -> None:
    heard = ledger(adverts("lan", 1, A, 0, 0, 10), adverts("lan", 1, B, 100, 2.5, 8))
    assert masters(heard, 6.0) == ["master"] or masters(heard, 6.0) == ["master", "backup"]
    (overlap,) = overlaps(reigns(heard.adverts))
    assert overlap.nodes == ("master", "backup")
    assert overlap.start == pytest.approx(EPOCH + 2.5)
    assert overlap.seconds == pytest.approx(4 * 1.390625 - 1.390625)


def test_a_worse_master_that_heard_nothing_counts_until_it_yields() -> None:
    both = ledger([advert(0, "lan", 1, A), advert(0.5, "lan", 1, B, 100)])
    assert masters(both, 0.6) == ["master", "backup"]
    yielded = ledger([advert(0, "lan", 1, A), advert(0.5, "lan", 1, B, 100), advert(1, "lan", 1, A)])
    assert masters(yielded, 1.1) == ["master"]


def test_demotion_shows_as_a_skew_and_hands_over() -> None:
    heard = ledger(adverts("lan", 1, A, 0, 0, 3), [advert(3.3, "lan", 1, A, 240)], adverts("lan", 1, B, 100, 3.301, 9))
    (change,) = take_overs(heard.adverts)
    assert change.rank == (1, 240)
    assert change.silence == pytest.approx(0.001, abs=1e-6)
    assert masters(heard, 3.4) == ["backup"]
    assert reigns(heard.adverts)[0].skews == ((1, 0), (1, 240))


def test_a_demoted_master_that_comes_back_has_two_reigns() -> None:
    heard = ledger(
        adverts("lan", 1, A, 0, 0, 3),
        [advert(3.3, "lan", 1, A, 240)],
        adverts("lan", 1, B, 100, 3.301, 6.1),
        adverts("lan", 1, A, 0, 6.083, 9),
    )
    assert [reign.node for reign in reigns(heard.adverts)] == ["master", "backup", "master"]
    assert [change.new for change in take_overs(heard.adverts)] == ["backup", "master"]
    assert overlaps(reigns(heard.adverts)) == ()


def test_one_late_advert_ends_no_reign() -> None:
    heard = ledger([advert(t, "lan", 1, A) for t in (0, 1, 3.2, 4.2)])
    (reign,) = reigns(heard.adverts)
    assert reign.longest == pytest.approx(2.2)


def test_the_same_number_on_two_networks_is_two_groups() -> None:
    heard = ledger(adverts("lan", 7, A, 0, 0, 3), adverts("srv", 7, "172.17.2.253", 100, 0, 3))
    assert {group: found[0].node for group, found in heard.masters().items()} == {
        ("lan", 7): "master",
        ("srv", 7): "backup",
    }
    assert overlaps(reigns(heard.adverts)) == ()
    assert take_overs(heard.adverts) == ()


def test_repeats_strangers_and_wrong_macs_are_reported_not_refused() -> None:
    first = advert(0, "lan", 1, A, counter=99)
    again = frame(0.5, "br-lan", first.data)
    odd = advert(1, "lan", 1, "172.17.1.66")
    odd = frame(1.0, "br-lan", odd.data[:6] + b"\x52\x54\x00\x17\x00\x01" + odd.data[12:])
    heard = ledger([first, again, odd])
    assert [(a.repeated, a.node, a.virtual_mac) for a in heard.adverts] == [
        (False, "master", True),
        (True, "master", True),
        (False, "172.17.1.66", False),
    ]


def test_damage_is_counted_and_other_links_are_passed_over() -> None:
    good = advert(0, "lan", 1, A)
    flipped = frame(1, "br-lan", good.data[:-1] + bytes([good.data[-1] ^ 1]))
    heard = ledger(
        [flipped, frame(2, "client-lan", good.data), frame(3, "br-lan", b"\xff" * 12 + b"\x08\x06" + bytes(28))]
    )
    assert heard.adverts == []
    assert heard.malformed == {"badsum": 1}


def test_ten_thousand_frames_are_decoded_faster_than_they_can_be_sent() -> None:
    frames = [advert(n / 100, "lan", 1 + n % 4, A, counter=n + 1) for n in range(10_000)]
    best = 9.0
    for _ in range(3):
        begun = time.process_time()
        made = ledger(frames)
        reigns(made.adverts)
        take_overs(made.adverts)
        made.masters()
        best = min(best, time.process_time() - begun)
    print(f"10,000 adverts: {best:.3f} s of processor time")
    assert best < 1.0


def test_a_demoted_master_that_comes_back_just_when_its_slow_advert_was_due_reigns_anew() -> None:
    """A cable that flaps: demoted at 2.1, beaten at 2.2, itself again at 4.0, 1.9 s later: its own demoted pace is 1.94 s."""
    frames = [*adverts("srv", 2, "172.17.2.254", 0, 0.0, 2.05), advert(2.1, "srv", 2, "172.17.2.254", 240)]
    frames += adverts("srv", 2, "172.17.2.253", 100, 2.2, 4.0) + adverts("srv", 2, "172.17.2.254", 0, 4.0, 6.0)
    ledger = Ledger(Roster.of(uranus()))
    ledger.feed(sorted(frames))
    found = reigns(ledger.adverts)
    assert [reign.node for reign in found] == ["master", "backup", "master"]
    assert overlaps(found) == ()

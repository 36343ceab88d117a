"""The rehearsal plays a whole take-over: adverts that verify, and an announcement."""

from __future__ import annotations

from standin.rehearsal import VIP, _play_machine, rehearse

from lab.carp.packet import parse_frame


def test_a_take_over_is_played_to_its_end() -> None:
    frames = _play_machine()
    advert = parse_frame(frames[0])
    assert advert is not None
    assert advert.heard is not None
    assert advert.heard.advert.advskew == 0
    assert VIP in frames[1]


def test_without_its_device_it_does_nothing() -> None:
    rehearse("no-such-nic")

"""What goes on the timeline: consoles without the lab's own chatter, logs on the host's clock, adverts that mean something."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lab.experiment.result import Kind
from lab.experiment.timeline import ConsoleTail, advert_notes, events, log_notes, probe_notes
from lab.experiment.wire import Ledger, Roster
from tests.unit.experiment.frames import EPOCH, adverts, uranus


def said(tail: ConsoleTail) -> list[str]:
    return [note.text for note in tail.poll()]


def test_a_console_is_followed_without_what_the_lab_types_there(tmp_path: Path) -> None:
    log = tmp_path / "master.log"
    log.write_text("of yesterday\r\n")
    tail = ConsoleTail("master", log)
    assert said(tail) == []
    with log.open("a") as file:
        file.write("Configuring CARP settings...done.\r\nBootup comp")
    assert said(tail) == ["Configuring CARP settings...done."]
    with log.open("a") as file:
        file.write(
            "lete\r\n 5) Reboot system    14) Disable\r\nEnter an option: 8\r\n@@LAB@@ echo @@B''EGINaa; (x); ...\r\n"
        )
        file.write("@@BEGINaa\r\nsecret")
    assert said(tail) == ["Bootup complete"]
    with log.open("a") as file:
        file.write(" output\r\n@@ENDaa 0\r\n@@LAB@@ exit\r\npanic: out of luck\r\n")
    assert said(tail) == ["panic: out of luck"]


def test_a_log_is_moved_to_the_hosts_clock() -> None:
    log = "2026 Nov 22 16:05:10\nNov 22 16:04:00 fw kernel: old\nNov 22 16:05:05 fw kernel: carp: 1@vtnet1: BACKUP -> MASTER\n"
    notes = list(log_notes("backup", log, asked=1000.0, since=990.0))
    assert [(note.time, note.text, note.kind) for note in notes] == [
        (995.0, "kernel: carp: 1@vtnet1: BACKUP -> MASTER", Kind.LOG)
    ]
    assert list(log_notes("backup", "nothing of the kind", 0.0, 0.0)) == []


def test_adverts_are_told_where_a_reign_begins_or_a_skew_changes() -> None:
    ledger = Ledger(Roster.of(uranus()))
    frames = adverts("lan", 1, "172.17.1.254", 0, 0.0, 3.0) + adverts("lan", 1, "172.17.1.254", 240, 3.0, 6.0)
    frames += adverts("lan", 1, "172.17.1.253", 100, 6.0, 9.0)
    ledger.feed(sorted(frames))
    told = [(round(note.time - EPOCH, 1), note.where, note.text) for note in advert_notes(ledger.adverts)]
    assert told == [
        (0.0, "master", "VHID 1 on lan: master, advbase 1, advskew 0"),
        (3.0, "master", "VHID 1 on lan: advskew 240 now"),
        (6.0, "backup", "VHID 1 on lan: master, advbase 1, advskew 100"),
    ]


def test_events_are_in_order_on_the_runs_clock() -> None:
    notes = list(probe_notes({"a": (10.0, 13.5), "b": (11.0, None)}, {"b"}))
    found = events(notes, 10.0)
    assert [event.at for event in found] == [0.0, 1.0, 3.5]
    assert found[1].text == "b: no byte from here on"
    assert "after 3.500 s" in found[2].text


@pytest.mark.parametrize("zone", ["UTC", "Europe/Paris"])
def test_the_zone_of_neither_clock_matters(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        (note,) = log_notes("x", "2026 Jul 01 12:00:10\nJul  1 12:00:00 fw kernel: y\n", 500.0, 0.0)
        assert note.time == 490.0
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()

from __future__ import annotations

from lab.commands.waterfall import Span, Waterfall, drawn, guest_spans
from lab.events import Event, Phase, silent


def test_bars_stand_on_one_axis() -> None:
    text = drawn([Span("lab", "namespace", 0.0, 1.0), Span("master", "boot", 1.0, 5.0), Span("web", "boot", 1.0, 2.0)])
    head, _, *rows = text.splitlines()
    assert head == "6.0 s; one character is 0.10 s"
    assert [row.count("█") for row in rows] == [10, 50, 20]
    bars = [len(row) - len(row.lstrip("█ ")) for row in rows]
    assert bars == [0, 0, 0]
    assert rows[1].index("█") == rows[2].index("█") == rows[0].index("█") + 10


def test_a_step_is_remembered_when_it_ends_and_events_go_on() -> None:
    heard: list[Event] = []
    waterfall = Waterfall(heard.append)
    waterfall(Event("web", "boot", Phase.STARTED))
    waterfall(Event("web", "boot", Phase.DONE, 0.0))
    waterfall(Event("web", "note", Phase.NOTE))
    assert len(heard) == 3
    assert [(span.subject, span.step) for span in waterfall.spans] == [("web", "boot")]
    assert Waterfall(silent).text() == ""


def test_a_guests_diary_ends_where_its_boot_ends() -> None:
    log = "  2.10  0.40 kernel modules\n  4.00  1.50 ruleset\n"
    spans = guest_spans("master", Span("master", "boot", 1.0, 9.0), log)
    assert [(span.step, round(span.begin, 2), span.seconds) for span in spans] == [
        ("  kernel modules", 7.7, 0.4),
        ("  ruleset", 8.5, 1.5),
    ]
    assert guest_spans("master", Span("master", "boot", 1.0, 9.0), "no diary") == []

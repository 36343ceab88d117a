"""The page: its words in both languages, and that it needs nothing but itself."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from lab.experiment.result import ByteSeries, Invariant, Look, OverlapSeen, StreamFate, StreamResult, Verdict
from lab.report.run import SavedRun
from tests.golden_files import assert_golden
from tests.unit.report.runs import account, page, recorded, text_of

VOID = frozenset(("meta", "input", "br", "img", "link"))


class Strict(HTMLParser):
    """Fails where an element is closed that is not open; notes what would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.fetched += [
            f"{tag} {name}={value}" for name, value in attrs if name in ("src", "srcset", "data", "action")
        ]
        if tag in ("script", "link", "iframe", "object", "embed"):
            self.fetched.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element without content."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_words_of_a_page(language: str) -> None:
    assert_golden(f"report/kill.{language}.txt", text_of(page(recorded(), language)))


def test_it_is_well_formed_and_fetches_nothing() -> None:
    html = page(recorded(), "fr")
    reader = Strict()
    reader.feed(html)
    assert not reader.open
    assert not reader.fetched
    assert not re.findall(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", html)
    assert '<html lang="fr">' in html


def test_what_is_named_by_others_is_escaped() -> None:
    run = recorded()
    odd = replace(run, report=replace(run.report, teaches="<script>alert(1)</script> & co"))
    html = page(odd, "en")
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co" in html


def test_a_run_without_frames_and_series_is_drawn_too() -> None:
    run = recorded()
    bare = replace(run, frames=(), report=replace(run.report, series=()))
    text = text_of(page(bare, "en"))
    assert "were not saved with this run" in text
    assert "failover.pcapng\n" not in text


def test_a_figure_outside_the_law_is_said_to_be_unexplained() -> None:
    run = recorded()
    problem = "outside the law by +1.250 s, more than 0.416 s can explain"
    first, *rest = run.report.hand_overs
    late = replace(first, ok=False, problem=problem, off_time=True, miss=1.25)
    odd = replace(run, report=replace(run.report, hand_overs=(late, *rest), ok=False))
    assert odd.report.verdict is Verdict.UNEXPLAINED
    english, french = text_of(page(odd, "en")), text_of(page(odd, "fr"))
    assert "One of 29 predictions did not hold:\nfault: VHID 1 on lan: outside the law by +1.250 s" in english
    assert "Une prévision sur 29 ne s’est pas vérifiée" in french
    assert "\npanne\u00a0: VHID 1 sur lan\u00a0: hors de la loi de +1,250 s, plus que les 0,416 s explicables" in french
    assert "28 of 29 predictions held" in english


def mistaken() -> SavedRun:
    """A wrong CARP password: two masters, found out by the invariants."""
    run = recorded()
    names = ("one master per VHID", "CARP passwords agree")

    def look(when: Look, broken: bool) -> list[Invariant]:
        seen = ("master and backup", "another one") if broken else ("master", "the lab's")
        subjects = ("VHID 1 on lan", "172.17.1.252 on backup")
        wanted = ("one master", "the lab's")
        given = zip(names, subjects, wanted, seen, strict=True)
        return [
            Invariant(name, when, about, right, found, not broken, not broken) for name, about, right, found in given
        ]

    found = (*look(Look.BEFORE, False), *look(Look.DURING, True), *look(Look.AFTER, False))
    both = OverlapSeen(1, "lan", ("master", "backup"), 3.0, 6.0, 3000.0)
    report = replace(
        run.report,
        fault="wrong-password backup",
        hand_overs=(),
        probes=(),
        series=(),
        invariants=found,
        overlaps=(both,),
    )
    return replace(run, report=report)


def test_a_mistake_is_told_by_its_invariants() -> None:
    english, french = text_of(page(mistaken(), "en")), text_of(page(mistaken(), "fr"))
    assert "Node backup has a wrong CARP password" in english
    assert "2 invariants were looked at before anything was done" in english
    assert (
        "2 invariants did not hold, as predicted: one master per VHID (VHID 1 on lan: master and backup) and" in english
    )
    assert "had two masters, master and backup, for 3000\u202fms, as the law predicts here" in english
    assert "les mots de passe CARP concordent (172.17.1.252 sur le nœud backup\u00a0: un autre)" in french
    assert "Ensuite, les 2 invariants ont tous tenu de nouveau." in french


def test_a_stream_has_its_lane_and_its_line() -> None:
    run = recorded()
    stream = StreamResult(
        "client>web:tcp/5001:stream", "lan", "stalled", StreamFate.STALLED, 3.4, 3.39, 6.8, "survived",
        StreamFate.SURVIVED, 0.1, None, 1000, 200, 3000, True, "its gateway moves to backup", True,
    )  # fmt: skip
    points = tuple((number / 10, 100 * number) for number in (*range(-20, 1), *range(34, 80)))
    report = replace(run.report, streams=(stream,), bytes=(ByteSeries(stream.id, points),))
    html = page(replace(run, report=report), "en")
    assert "Long connection to web, TCP port 5001: stood still for 3.400" in text_of(html)
    assert "stream web:5001" in html
    assert "1\u202f000 / 200 / 3\u202f000" in html


def test_the_headline_names_the_node_and_the_network() -> None:
    run = recorded()
    cut = replace(run, report=replace(run.report, fault="unplug master dmz"))
    assert account(cut, "fr").headline == "Le nœud master perd son câble sur dmz"
    odd = replace(run, report=replace(run.report, fault="eaten by mice"))
    assert account(odd, "en").headline == "eaten by mice"

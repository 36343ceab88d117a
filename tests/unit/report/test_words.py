"""Both languages say everything, with the same fields; and what the engine says in English has its French."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from string import Formatter

import pytest

from lab.expect import outcome, paths
from lab.expect.catalogue import KINDS, MISTAKES
from lab.expect.invariants import Name
from lab.experiment import measure, measure_streams
from lab.report.english import ENGLISH
from lab.report.french import FRENCH
from lab.report.style import Style
from lab.report.translate import Translator

NBSP = "\N{NO-BREAK SPACE}"


def leaves(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every string of a table of words with its place; not the phrases, whose keys are the other language."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}")
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from leaves(item, f"{path}.{number}")
    elif is_dataclass(value):
        for field in fields(value):
            if field.name not in ("phrases", "purposes"):
                yield from leaves(getattr(value, field.name), f"{path}.{field.name}")


def used(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def test_both_languages_fill_the_same_places() -> None:
    assert [path for path, _ in leaves(ENGLISH)] == [path for path, _ in leaves(FRENCH)]


def test_both_languages_use_the_same_fields() -> None:
    french = dict(leaves(FRENCH))
    assert not [path for path, english in leaves(ENGLISH) if used(french[path]) != used(english)]


def test_phrases_keep_their_fields() -> None:
    # The French of one says `this network` where English names it a second time.
    odd = {english for english, french in FRENCH.phrases.items() if used(english) != used(french)}
    assert not odd


def test_french_punctuation_does_not_wrap() -> None:
    said = [text for _, text in leaves(FRENCH)] + list(FRENCH.phrases.values())
    assert not [text for text in said if any(f" {mark}" in text for mark in ":;?!»") or "« " in text]
    assert any(f"{NBSP}:" in text for text in said)


def engine_sentences() -> Iterator[str]:
    """Templates and values of the engine that end up in a report."""
    for module, prefix in ((outcome, "REASON_"), (measure, ""), (measure_streams, "")):
        for name, value in vars(module).items():
            if name.startswith(prefix) and name.isupper() and isinstance(value, str) and len(value.split()) > 1:
                yield value
    yield from (why.value for why in paths.Why if why is not paths.Why.RULE)
    yield from (name.value for name in Name)
    yield from (about.teaches for about in (*KINDS.values(), *MISTAKES.values()))


def test_what_the_engine_says_has_its_french() -> None:
    parts = {outcome.REASON_BACKUP_IDLE, measure.OFF_TIME}
    """Said only as a part of something longer."""
    said = set(engine_sentences())
    assert len(said) > 60
    assert not said - parts - set(FRENCH.phrases)
    assert all(any(part in phrase for phrase in FRENCH.phrases) for part in parts)


def test_every_fault_has_its_words() -> None:
    names = {about.name for about in (*KINDS.values(), *MISTAKES.values())}
    assert names == set(ENGLISH.faults) == set(FRENCH.faults)


def test_a_cause_has_an_explanation_in_both() -> None:
    for words in (ENGLISH, FRENCH):
        assert {cause.value for cause in outcome.Cause} == set(words.causes) == set(words.back_causes)
        assert {fate.name.lower() for fate in outcome.Fate} <= set(words.fates) & set(words.fate_names)


def test_translation_goes_into_the_fields() -> None:
    french = Style(FRENCH).translate
    denied = outcome.REASON_DENIED.format(reason="block by rule 'DMZ not to LAN' on dmz")
    assert french(denied) == f"les règles l’interdisent{NBSP}: bloqué par la règle «{NBSP}DMZ not to LAN{NBSP}» sur dmz"
    assert french("did not move; expected backup after 2.391-3.391 s").endswith("après 2,391-3,391 s")
    assert french("172.17.1.252 on backup") == "172.17.1.252 sur le nœud backup"
    assert french("what nobody has translated") == "what nobody has translated"
    assert Translator({})("1.5 s") == "1.5 s"


@pytest.mark.parametrize(
    ("words", "wanted"),
    [(ENGLISH, ["0.500\u202fs", "\u22121.5", "2.391 to 3.391\u202fs", "3.391\u202fs", "22 November 2026, 09:05:03 UTC"]),
     (FRENCH, ["0,500\u202fs", "\u22121,5", "2,391 à 3,391\u202fs", "3,391\u202fs", "22 novembre 2026 à 09:05:03 UTC"])],
)  # fmt: skip
def test_figures_and_dates(words: object, wanted: list[str]) -> None:
    style = Style(words)  # type: ignore[arg-type]
    assert wanted == [
        style.seconds(0.5),
        style.number(-1.5, 1),
        style.range(2.390625, 3.390625),
        style.range(3.3906, 3.3909),
        style.date("2026-11-22T09:05:03.123+00:00"),
    ]


def test_the_singular_of_none() -> None:
    assert Style(ENGLISH).plural(ENGLISH.dropped, 0) == "The capture lost 0 frames."
    assert Style(FRENCH).plural(FRENCH.dropped, 0) == "La capture a perdu 0 trame."
    assert Style(FRENCH).plural(FRENCH.dropped, 1234) == "La capture a perdu 1\u202f234 trames."
    assert Style(FRENCH).several(["a", "b", "c"]) == "a, b et c"

"""When a `lab.up` may be a warm one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lab.commands import warm
from lab.commands.record import Record, read_record, write_record
from lab.events import Event
from lab.host.kept import Kept
from lab.paths import LabPaths
from lab.topology.stage import Stage

RECORD = Record("uranus", "{}", "standin", "libvirt", Stage.RULES, "tcg", 1.0, {"client": "abc"}, "then", True)


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LabPaths:
    """Of a lab that was up and is kept."""
    monkeypatch.setenv("URANUS_CACHE", str(tmp_path / "cache"))
    paths = LabPaths(tmp_path / "uranus")
    write_record(paths, RECORD)
    (paths.root / "disks").mkdir()
    paths.checkpoints.mkdir()
    (paths.checkpoints / "up.json").write_text("{}")
    assert Kept.of(paths).keep()
    assert not paths.record.exists()
    return paths


def prepare(paths: LabPaths, wanted: Record, cold: bool = False) -> tuple[bool, list[str]]:
    told: list[Event] = []
    return warm.prepare(paths, wanted, cold, told.append), [event.detail for event in told]


def test_the_same_lab_is_fetched(paths: LabPaths) -> None:
    later = replace(RECORD, created="now", slowness=3.0, ready=False)
    assert prepare(paths, later) == (True, [])
    assert read_record(paths) == RECORD
    assert not Kept.of(paths).exists()


@pytest.mark.parametrize("word", ["topology", "firewall", "provider", "stage", "accelerator", "images"])
def test_another_lab_boots_and_says_why(paths: LabPaths, word: str) -> None:
    value: object = {"stage": Stage.BARE, "images": {"client": "def"}}.get(word, "other")
    wanted = replace(RECORD, **{word: value})  # type: ignore[arg-type]
    possible, told = prepare(paths, wanted)
    assert not possible
    assert told == [f"not possible: what was kept is made from another {word}; booting"]
    assert Kept.of(paths).exists()
    assert read_record(paths) is None


def test_cold_leaves_what_is_kept(paths: LabPaths) -> None:
    assert prepare(paths, RECORD, cold=True) == (False, [])
    assert Kept.of(paths).exists()


def test_a_lab_that_is_there_is_mended_not_restored(paths: LabPaths) -> None:
    write_record(paths, RECORD)
    assert prepare(paths, RECORD) == (False, [])


def test_a_warm_start_that_was_killed_is_begun_again(paths: LabPaths) -> None:
    assert prepare(paths, RECORD)[0]
    assert prepare(paths, RECORD)[0]
    assert not prepare(paths, RECORD, cold=True)[0]
    assert not (paths.root / "disks").exists()
    assert not prepare(paths, RECORD)[0]

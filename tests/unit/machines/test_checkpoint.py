"""Saving and restoring pretended machines: the law, and what is left when the command is killed at any of its steps."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lab.errors import LabError
from lab.host.qcow2 import Content
from lab.host.wires import Seen
from lab.machines.checkpoint import Cut
from lab.machines.checkpoint_store import Checkpoint, Store
from lab.machines.fake_machines import FakeMachine, FakeMachines
from lab.machines.machine import MachineState
from lab.paths import LabPaths

NAMES = ("master", "backup", "client")
XML = "<domain><devices><interface><source bridge='br-lan'/></interface></devices></domain>"


class Killed(BaseException):
    """kill -9: no handler of the product runs to any effect from here on."""


@dataclass
class Reaper:
    """Counts everything the product does to the world, and kills it at one of these deeds; what it tries later is not done."""

    at: int = -1
    done: int = 0
    turn: threading.Lock = field(default_factory=threading.Lock)

    def deed(self) -> None:
        with self.turn:
            self.done += 1
            if 0 <= self.at < self.done:
                raise Killed


class Watched:
    """An object whose named methods count as deeds."""

    def __init__(self, inner: Any, reaper: Reaper, deeds: Iterable[str]) -> None:
        self._inner, self._reaper, self._deeds = inner, reaper, set(deeds)

    def __getattr__(self, name: str) -> Any:
        if name in self._deeds:
            self._reaper.deed()
        return getattr(self._inner, name)


MACHINE_DEEDS = ("start", "pause", "kill", "keep", "revert", "forget", "set_link", "start_paused")


class WatchedMachines(FakeMachines):
    def __init__(self, inner: FakeMachines, reaper: Reaper) -> None:
        super().__init__()
        self.fakes, self._reaper = inner.fakes, reaper

    def get(self, name: str) -> Any:
        return Watched(super().get(name), self._reaper, MACHINE_DEEDS)


@dataclass
class Tables:
    """The bridges' tables, as one value."""

    value: tuple[Seen, ...] = (Seen("aa", "master-lan", "br-lan"),)

    def read(self) -> tuple[Seen, ...]:
        return self.value

    def write(self, seen: tuple[Seen, ...]) -> None:
        self.value = seen


@dataclass
class Lab:
    """A pretended lab. `cut()` is a new process each time."""

    paths: LabPaths
    machines: FakeMachines = field(default_factory=FakeMachines)
    tables: Tables = field(default_factory=Tables)

    def __post_init__(self) -> None:
        self.paths.root.mkdir()
        for name in NAMES:
            self.machines.define(name, XML).start()
            self.fake(name).memory = "old"

    def fake(self, name: str) -> FakeMachine:
        return self.machines.fakes[name]

    def cut(self, reaper: Reaper | None = None) -> Cut:
        watch = reaper or Reaper()
        store: Any = Watched(Store(self.paths), watch, ("begin", "end", "write", "remove"))
        wires: Any = Watched(self.tables, watch, ("write",))
        return Cut(WatchedMachines(self.machines, watch), wires, store, content=read_back)

    @property
    def memory(self) -> tuple[str, ...]:
        return tuple(self.fake(name).memory for name in NAMES)

    @property
    def states(self) -> set[MachineState]:
        return {self.fake(name).state() for name in NAMES}

    @property
    def tags(self) -> set[str]:
        return {tag for name in NAMES for tag in self.fake(name).kept()}

    def remember(self, memory: str) -> None:
        for name in NAMES:
            self.fake(name).memory = memory


def read_back(path: Path, tag: str) -> Content:
    return Content(hashlib.sha256(path.name.encode()).hexdigest(), len(path.name))


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(LabPaths(tmp_path / "lab"))


def test_a_saved_lab_comes_back_with_roles_cables_and_tables(lab: Lab) -> None:
    lab.fake("client").kill()
    saved = lab.cut().save("one")
    assert lab.fake("master").state() is MachineState.RUNNING
    lab.remember("new")
    lab.fake("client").start()
    lab.fake("master").kill()
    lab.fake("backup").set_link("lan", False)
    lab.tables.value = ()
    lab.cut().restore(saved)
    assert lab.memory == ("old", "old", "old")
    assert [lab.fake(name).state().value for name in NAMES] == ["running", "running", "off"]
    assert lab.fake("backup").link("lan")
    assert lab.tables.value == saved.wires


def test_one_machine_alone_comes_back(lab: Lab) -> None:
    saved = lab.cut().save("one")
    lab.remember("new")
    lab.tables.value = ()
    lab.cut().restore(saved, ("backup",))
    assert lab.memory == ("new", "old", "new")
    assert lab.tables.value == ()
    with pytest.raises(LabError, match="no machine called web"):
        lab.cut().restore(saved, ("web",))


def test_a_new_checkpoint_of_a_name_takes_the_place_of_the_old(lab: Lab) -> None:
    first = lab.cut().save("one")
    lab.remember("new")
    second = lab.cut().save("one")
    assert lab.tags == {second.tag} != {first.tag}
    lab.remember("newer")
    lab.cut().restore(Store(lab.paths).read("one"))
    assert lab.memory == ("new",) * 3


def test_its_record_is_for_its_owner_alone(lab: Lab) -> None:
    lab.cut().save("one")
    (record,) = lab.paths.checkpoints.iterdir()
    assert (record.stat().st_mode & 0o777, record.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_damage_is_told_before_anything_is_touched(lab: Lab) -> None:
    saved = lab.cut().save("one")
    lab.fake("client")._tags[saved.tag] = "rotten"
    lab.remember("new")
    with pytest.raises(LabError, match="Checkpoint one is damaged: client"):
        lab.cut().restore(saved)
    assert lab.memory == ("new",) * 3
    assert lab.states == {MachineState.RUNNING}


def test_a_failing_machine_leaves_no_checkpoint_and_a_lab_that_runs(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_tag: str) -> None:
        raise LabError("disk full")

    monkeypatch.setattr(lab.fake("client"), "keep", refuse)
    with pytest.raises(LabError, match="disk full"):
        lab.cut().save("one")
    assert Store(lab.paths).names() == ()
    assert lab.tags == set()
    assert lab.states == {MachineState.RUNNING}
    assert Store(lab.paths).pending() is None


def deeds_of(act: Callable[[Reaper], object]) -> int:
    reaper = Reaper()
    act(reaper)
    return reaper.done


def killed_at(step: int, act: Callable[[Reaper], object]) -> None:
    with pytest.raises(Killed):
        act(Reaper(step))


def test_killed_in_a_save_the_next_command_finds_whole_checkpoints_and_a_lab_that_goes_on(tmp_path: Path) -> None:
    count = deeds_of(lambda reaper: _saved_twice(Lab(LabPaths(tmp_path / "count")), reaper))
    assert count >= 15
    for step in range(count):
        lab = Lab(LabPaths(tmp_path / str(step)))
        lab.cut().save("one")
        lab.remember("new")
        killed_at(step, lambda reaper, lab=lab: lab.cut(reaper).save("one"))  # type: ignore[misc]
        lab.cut().recover()
        assert lab.states == {MachineState.RUNNING}, step
        assert lab.memory == ("new",) * 3, step
        kept = Store(lab.paths).read("one")
        lab.cut().verify(kept)
        lab.remember("newer")
        lab.cut().restore(kept)
        assert lab.memory in (("old",) * 3, ("new",) * 3), step
        lab.cut().sweep()
        assert lab.tags == {kept.tag}, step


def _saved_twice(lab: Lab, reaper: Reaper) -> Checkpoint:
    lab.cut().save("one")
    return lab.cut(reaper).save("one")


def test_killed_in_a_restore_the_next_command_finds_the_old_lab_or_the_new(tmp_path: Path) -> None:
    outcomes = set()
    count = deeds_of(lambda reaper: _saved_and_restored(Lab(LabPaths(tmp_path / "count")), reaper))
    assert count > 10
    for step in range(count):
        lab = Lab(LabPaths(tmp_path / str(step)))
        killed_at(step, lambda reaper, lab=lab: _saved_and_restored(lab, reaper))  # type: ignore[misc]
        lab.cut().recover()
        assert lab.memory in (("old",) * 3, ("new",) * 3), step
        new = lab.memory == ("new",) * 3
        assert [lab.fake(name).state().value for name in NAMES] == (
            ["running", "off", "running"] if new else ["running"] * 3
        ), step
        assert (lab.tables.value == ()) == new, step
        assert Store(lab.paths).pending() is None, step
        lab.cut().verify(Store(lab.paths).read("one"))
        outcomes.add(lab.memory)
    assert len(outcomes) == 2


def _saved_and_restored(lab: Lab, reaper: Reaper) -> None:
    saved = lab.cut().save("one")
    lab.remember("new")
    lab.fake("backup").kill()
    lab.tables.value = ()
    lab.cut(reaper).restore(saved)


@pytest.mark.parametrize("name", ["", "Up", "../x", "a b", "x" * 33])
def test_a_name_that_is_none_is_refused(lab: Lab, name: str) -> None:
    with pytest.raises(LabError, match="cannot be called"):
        lab.cut().save(name)

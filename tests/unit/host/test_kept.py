"""What `lab.down` keeps for a warm `lab.up`."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest

from lab.host import kept as module
from lab.host.kept import PARTS, Kept, kept_names, sweep
from lab.paths import LabPaths


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    monkeypatch.setenv("URANUS_CACHE", str(tmp_path / "cache"))
    return Kept.of(LabPaths(tmp_path / "state" / "uranus"))


def build(paths: LabPaths, word: str) -> None:
    """A lab's files, each with a word in it."""
    for part in PARTS:
        place = paths.root / part
        place.parent.mkdir(parents=True, exist_ok=True)
        if "." in part:
            place.write_text(word)
        else:
            place.mkdir()
            (place / "up.json").write_text(word)


def words(root: Path) -> set[str]:
    return {path.read_text() for path in root.rglob("*.json")}


def test_what_was_kept_comes_back_as_it_was(kept: Kept) -> None:
    build(kept.paths, "old")
    assert kept.keep()
    assert kept_names(kept.paths.root.parent) == ("uranus",)
    assert not list(kept.paths.root.iterdir())
    assert kept.place.stat().st_mode & 0o777 == 0o700
    assert kept.fetch()
    assert sorted(path.name for path in kept.paths.root.iterdir()) == sorted(PARTS)
    assert not kept.exists()
    assert not kept.fetch()


def test_the_last_lab_takes_the_place_of_the_one_before(kept: Kept) -> None:
    for word in ("old", "new"):
        build(kept.paths, word)
        assert kept.keep()
    assert words(kept.place) == {"new"}
    assert kept.purge()
    assert not list(kept.cache.iterdir())
    assert not kept.purge()


def test_a_lab_without_a_checkpoint_is_not_kept(kept: Kept) -> None:
    build(kept.paths, "old")
    shutil.rmtree(kept.paths.checkpoints)
    assert not kept.keep()
    assert not kept.exists()


def test_torn_by_a_kill_it_is_whole_or_not_there(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    move = shutil.move
    for step in range(len(PARTS)):
        build(kept.paths, "old")
        left = iter(range(step))

        def torn(source: Path, target: Path, left: object = left) -> None:
            if next(left, None) is None:  # type: ignore[call-overload]
                raise Killed
            move(source, target)

        monkeypatch.setattr(module.shutil, "move", torn)
        with pytest.raises(Killed):
            kept.keep()
        monkeypatch.setattr(module.shutil, "move", move)
        assert not kept.exists()
        assert kept.keep() == (step == 0), "what is left of a torn lab is no lab"
        kept.purge()
        shutil.rmtree(kept.paths.root)


def test_fetching_goes_on_where_it_was_torn(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    build(kept.paths, "old")
    kept.keep()
    shutil.move(kept.place, kept.paths.root / module.COMING)
    (kept.paths.root / module.COMING / "disks").rename(kept.paths.root / "disks")
    assert kept.fetch()
    assert sorted(path.name for path in kept.paths.root.iterdir()) == sorted(PARTS)


def test_what_nobody_can_ask_for_is_swept(kept: Kept) -> None:
    build(kept.paths, "old")
    kept.keep()
    sweep()
    assert kept.exists()
    shutil.rmtree(kept.paths.root.parent)
    sweep()
    assert not kept.place.exists()


def test_from_another_file_system_it_comes_whole_or_not_at_all(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    build(kept.paths, "old")
    kept.keep()
    rename = Path.rename

    def across(source: Path, target: Path) -> Path:
        if source == kept.place:
            raise OSError(errno.EXDEV, "another file system")
        return rename(source, target)

    def torn(source: Path, target: Path, **_: object) -> None:
        target.mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", across)
    monkeypatch.setattr(module.shutil, "copytree", torn)
    with pytest.raises(KeyboardInterrupt):
        kept.fetch()
    monkeypatch.undo()
    monkeypatch.setenv("URANUS_CACHE", str(kept.cache.parent))
    monkeypatch.setattr(Path, "rename", across)
    assert kept.fetch()
    assert words(kept.paths.root) == {"old"}
    assert {part for part in PARTS if (kept.paths.root / part).exists()} == set(PARTS)
    assert not kept.exists()

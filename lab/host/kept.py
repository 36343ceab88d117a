"""What stays of a lab after `lab.down`, for a warm `lab.up`: its checkpoints, the disks that hold them, and its passwords.

~/.cache/uranus-lab/kept/NAMESPACE/ (0700), one per lab name and state directory. It appears and disappears in one step.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from lab.host.state import private_directory
from lab.paths import LabPaths, cache_home

PARTS = ("disks", "marks", "domains", "secrets.json", "lab.json", "checkpoints")
"""In this order: a lab without its checkpoints, torn by a kill, is not kept."""

HOME = "home"
"""The file that says which state directory it came from."""

NEW, OLD, COMING = ".new-", ".old-", "coming"


@dataclass(frozen=True)
class Kept:
    """The place for one lab. paths: where the lab lives while it is up."""

    paths: LabPaths
    cache: Path

    @classmethod
    def of(cls, paths: LabPaths) -> Kept:
        return cls(paths, cache_home() / "kept")

    @property
    def place(self) -> Path:
        return self.cache / self.paths.namespace

    @property
    def stored(self) -> LabPaths:
        """The lab's own files there: only record, checkpoints, disks and secrets are to be asked for."""
        return LabPaths(self.place)

    def exists(self) -> bool:
        return (self.place / HOME).exists()

    def keep(self) -> bool:
        """Move what is worth keeping here, in place of what was kept before. False where there is no checkpoint: nothing is moved."""
        if not any(self.paths.checkpoints.glob("*.json")):
            return False
        private_directory(self.cache)
        new, old = self.cache / f"{NEW}{self.paths.namespace}", self.cache / f"{OLD}{self.paths.namespace}"
        _drop(new, old)
        private_directory(new)
        for part in reversed(PARTS):  # the checkpoints first
            if (self.paths.root / part).exists():
                shutil.move(self.paths.root / part, new / part)
        (new / HOME).write_text(str(self.paths.root.parent))
        if self.place.exists():
            self.place.rename(old)
        new.rename(self.place)
        _drop(old)
        return True

    def fetch(self) -> bool:
        """Move it back into the lab's directory; False where nothing was kept. Killed in the middle, the next call goes on."""
        coming = self.paths.root / COMING
        if self.exists() and not coming.exists():
            private_directory(self.paths.root)
            self._bring(coming)
        if not coming.exists():
            return False
        for part in PARTS:
            if (coming / part).exists():
                _drop(self.paths.root / part)
                (coming / part).rename(self.paths.root / part)
        _drop(coming)
        return True

    def _bring(self, coming: Path) -> None:
        """In one step, from another file system too."""
        try:
            self.place.rename(coming)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            aside = coming.with_name(f"{COMING}{NEW}")
            _drop(aside)
            shutil.copytree(self.place, aside, symlinks=True)
            aside.rename(coming)
            _drop(self.place)

    def purge(self) -> bool:
        """Remove it, passwords and all. False where nothing was kept."""
        there = self.place.exists()
        _drop(self.place, *(self.cache / f"{mark}{self.paths.namespace}" for mark in (NEW, OLD)))
        return there


def kept_names(home: Path) -> tuple[str, ...]:
    """Names of the labs of a state directory that something was kept of."""
    found = []
    for place in (cache_home() / "kept").glob(f"uranus-*/{HOME}"):
        with contextlib.suppress(OSError):
            if place.read_text() == str(home):
                found.append(place.parent.name.removeprefix("uranus-").rsplit("-", 1)[0])
    return tuple(sorted(found))


def sweep() -> None:
    """Remove what was kept of labs whose state directory is gone: nobody can ask for them again."""
    for mark in (cache_home() / "kept").glob(f"*/{HOME}"):
        with contextlib.suppress(OSError):
            if not os.path.isdir(mark.read_text()):  # noqa: PTH112
                _drop(mark.parent)


def _drop(*places: Path) -> None:
    for place in places:
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)

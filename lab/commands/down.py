"""`lab.down`: the death of one world. Works from any state a killed command may have left."""

from __future__ import annotations

import shutil
from pathlib import Path

from lab.commands import present
from lab.commands.record import DEFAULT_NAME, lab_names
from lab.errors import LabError
from lab.events import Event, Listener, Phase
from lab.host.kept import Kept, kept_names, sweep
from lab.host.lock import locked
from lab.host.world import World
from lab.paths import LabPaths, state_home

KEPT = "its checkpoints are kept for a warm lab.up, {size} MiB in {place}; `./inv lab.down --purge` removes them"


def run(name: str | None, everything: bool, json: bool, purge: bool = False) -> int:
    """The command. purge: keep nothing for a warm `lab.up`. Exit code 0 when nothing of the labs is left."""

    def body() -> int:
        names = _chosen(name, everything, purge)
        listener = present.Progress()
        for one in names:
            take_down(LabPaths.of(one), listener, purge)
        sweep()
        if json:
            present.as_json({"ok": True, "ended": names})
        elif not names:
            print("There is no lab: nothing to end.")
        return 0

    return present.run(body, json)


def take_down(paths: LabPaths, listener: Listener, purge: bool = False) -> None:
    """End every process of the lab, remove its namespace, mounts and files. Does nothing where nothing is.

    Its checkpoints, disks and passwords are kept for a warm `lab.up`, unless `purge`.
    """
    with locked(paths, "lab.down", listener=listener):
        World(paths).destroy()
        kept = Kept.of(paths)
        if purge:
            kept.purge()
        stays = not purge and kept.keep()
        for path in sorted(paths.root.iterdir()):
            # The lock goes last: until then nobody else may start to build here.
            if path != paths.lock:
                _remove(path)
        shutil.rmtree(paths.root)
    detail = KEPT.format(size=_mib(kept.place), place=kept.place) if stays else ""
    listener(Event(paths.name, "ended", Phase.DONE, detail=detail))


def _mib(place: Path) -> int:
    """What a directory takes on disk, MiB."""
    return sum(path.stat().st_blocks for path in place.rglob("*")) >> 11


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _chosen(name: str | None, everything: bool, purge: bool) -> list[str]:
    names = sorted({*lab_names(), *(kept_names(state_home()) if purge else ())})
    if everything:
        return names
    if name is not None:
        if name not in names:
            raise LabError(f"There is no lab called {name}", expected=", ".join(names) or "a lab", seen=name)
        return [name]
    if len(names) > 1 and DEFAULT_NAME not in names:
        raise LabError("There are several labs", expected="--name NAME or --all", seen=", ".join(names))
    return names[:1] if len(names) <= 1 else [DEFAULT_NAME]

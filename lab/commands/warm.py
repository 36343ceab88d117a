"""A `lab.up` that restores what `lab.down` kept instead of booting: the same lab as right after its first `up`."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping

from lab.commands.checkpoint import at_saved_stage, put_back
from lab.commands.record import Record, read_record
from lab.commands.session import Session
from lab.errors import LabError
from lab.events import Event, Listener, Phase
from lab.host import image_cache
from lab.host.images import GuestImage
from lab.host.kept import COMING, PARTS, Kept
from lab.host.state import private_directory
from lab.machines.checkpoint_store import AFTER_UP, Checkpoint, Store
from lab.paths import LabPaths

STEP = "warm start"
MARK = "warm"
"""There from the moment something is fetched until the lab runs: what lies on the disks before is somebody's earlier work."""

SAME = ("name", "topology", "firewall", "provider", "stage", "accelerator", "images")
NOT_THE_SAME = "not possible: what was kept is made from another {what}; booting"
NOT_READABLE = "not possible: {why}; booting"
DONE = "machines run after {resumed:.1f} s"
BROKEN = "not possible: {why}; booting instead"


def prepare(paths: LabPaths, wanted: Record, cold: bool, listener: Listener) -> bool:
    """Whether this `lab.up` is to be a warm one: something was kept and is here now, or a warm start was broken off."""
    if (paths.root / MARK).exists():
        if cold:
            discard(paths)
            return False
        Kept.of(paths).fetch()
        return True
    return not cold and read_record(paths) is None and _fetch(paths, wanted, listener)


def _fetch(paths: LabPaths, wanted: Record, listener: Listener) -> bool:
    """Bring back what was kept of this lab, where it is the lab that is wanted. What is not stays kept until the next lab.down."""
    kept = Kept.of(paths)
    if not kept.exists():
        return False
    try:
        there = read_record(kept.stored)
        what = next((word for word in SAME if getattr(there, word, None) != getattr(wanted, word)), "")
    except LabError as error:
        listener(Event("lab", STEP, Phase.NOTE, detail=NOT_READABLE.format(why=error.problem.summary)))
        return False
    if what:
        listener(Event("lab", STEP, Phase.NOTE, detail=NOT_THE_SAME.format(what=what)))
        return False
    private_directory(paths.root)
    (paths.root / MARK).touch()
    return kept.fetch()


def start(session: Session, images: Mapping[str, GuestImage], listener: Listener) -> bool:
    """Put a lab that was fetched back to the state after its first `up`. False, and nothing of it is left, where that fails."""
    begin = time.monotonic()
    try:
        checkpoint = Store(session.paths).read(AFTER_UP)
        _fits(session, checkpoint, images)
        for machine in session.plan.machines:
            session.paths.console_log(machine.name).parent.mkdir(parents=True, exist_ok=True)
            session.machines.define(machine.name, checkpoint.machines[machine.name].definition)
        done = put_back(session, checkpoint, None, begin, listener)
    except (LabError, KeyError) as error:
        why = error.problem.summary if isinstance(error, LabError) else str(error)
        listener(Event("lab", STEP, Phase.NOTE, detail=BROKEN.format(why=why)))
        session.machines.kill_all()
        discard(session.paths)
        return False
    (session.paths.root / MARK).unlink(missing_ok=True)
    listener(Event("lab", STEP, Phase.DONE, time.monotonic() - begin, DONE.format(resumed=done.resumed)))
    return True


def discard(paths: LabPaths) -> None:
    """Forget a lab that was fetched: its disks hold somebody's later work, not a fresh lab's."""
    for part in (*PARTS, COMING, paths.pending.name, MARK):
        place = paths.root / part
        if place.is_dir():
            shutil.rmtree(place)
        elif place != paths.record:
            place.unlink(missing_ok=True)


def _fits(session: Session, checkpoint: Checkpoint, images: Mapping[str, GuestImage]) -> None:
    """RAM holds pieces of the image and of QEMU's devices. Raises LabError."""
    if checkpoint.emulator != session.machines.emulator:
        raise LabError("QEMU is another version now", expected=str(checkpoint.emulator))
    if at_saved_stage(session, AFTER_UP).record.stage is not session.record.stage:
        raise LabError("it was kept at another stage")
    now = {name: image_cache.digest(image.disk.parent) for name, image in images.items()}
    if checkpoint.images != now:
        raise LabError("the guest images were built anew")

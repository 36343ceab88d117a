"""`lab.save`, `lab.restore`, `lab.reset`, `lab.checkpoints`: a lab's states, kept and put back in seconds."""

from __future__ import annotations

import os
import pathlib
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from lab.carp.packet import mac_text, virtual_mac
from lab.commands import present
from lab.commands.election import Election
from lab.commands.record import VAGRANT, existing, write_record
from lab.commands.session import Session, opened
from lab.commands.subject import RunningLab
from lab.errors import LabError
from lab.events import Listener
from lab.expect.paths import matrix
from lab.experiment.reach import try_from
from lab.host import image_cache, preflight
from lab.host.deadline import Deadline
from lab.host.lock import locked
from lab.machines.agent import Agent
from lab.machines.checkpoint_store import AFTER_UP, Checkpoint, Store, check_name
from lab.machines.machine import MachineState
from lab.paths import LabPaths
from lab.topology.plan import Kind, Plan
from lab.topology.stage import Stage

CLOCK, SET_CLOCK = "clock", "read now </sys/class/rtc/rtc0/since_epoch && date -u -s @$now.5"
"""A guest's wall clock stands still while it is not running; its RTC follows the host."""

AGENT_SECONDS = 20.0
"""Limit until a client's agent answers, from its ready line or from a restore, on the reference machine."""

QUOTA_MIB = 8192
QUOTA_VARIABLE = "URANUS_CHECKPOINTS_MIB"

OWN = "`lab.up` keeps its own checkpoint under the name {name}"
OWN_CURE = "choose another name; `./inv lab.reset` goes back to that one"
FULL = "The checkpoints of lab {lab} would be too many"
FULL_EXPECTED = "at most {quota} MiB for all"
FULL_SEEN = "{used} MiB are used, this one takes about {more} MiB: {missing} MiB too many"
FULL_CURE = "`./inv lab.checkpoints --delete NAME`, or a larger {variable}"
NO_RESET = "Lab {lab} has no checkpoint of its first minute"
NO_RESET_CURE = "`./inv lab.down` and `./inv lab.up` make one; `./inv lab.save NAME` keeps the lab as it is now"

SAVED = "Saved {name}: {size} MiB, the lab stood still for {pause:.1f} s. `./inv lab.restore {name}` brings it back."
BACK = "{what} is back at {name}: running after {resumed:.1f} s, {settled} after {seconds:.1f} s."
NOT_GREEN = "The lab is back, but not everything in it is well"
GREEN = "clocks set, an answer on {count} paths"
SILENT = "no answer from {path.source} to {path.target} ({path.destination})"
NO_CLOCK = "the clock of {machine} could not be set"
SETTLED = "clocks set and one master per VHID as saved"
SETTLED_ALL = "clocks set, one master per VHID as saved, an answer on every allowed path"
SETTLED_NODE = "clock set"
COLUMNS = ["name", "taken", "size", "stood still", "machines"]
NOT_VAGRANTS = "A lab that Vagrant boots has no checkpoints: its disks are Vagrant's"
NOT_VAGRANTS_CURE = "`./inv lab.up` without --provider builds a lab that has"
NONE_YET = "There is no checkpoint. `./inv lab.save NAME` takes one."
TOTAL = "{used} MiB of {quota} MiB ({variable}), in {place}"


@dataclass(frozen=True)
class Restored:
    """How a restore went, seconds since it was asked for. resumed: the guests run; settled: clocks and roles are right."""

    resumed: float
    settled: float
    resumed_at: float


def save(lab: str | None, name: str, json: bool) -> int:
    """`lab.save NAME`."""

    def body() -> int:
        check_name(name)
        if name == AFTER_UP:
            raise LabError(OWN.format(name=name), cure=OWN_CURE)
        with opened(lab) as session:
            listener = present.Progress(session.paths.log)
            with locked(session.paths, f"lab.save {name}", listener=listener):
                admit(session)
                done = take(session, name, listener)
        if json:
            present.as_json({"ok": True, **as_data(done)})
        else:
            print(SAVED.format(name=name, size=mib(done.size), pause=done.pause))
        return 0

    return present.run(body, json)


def restore(lab: str | None, name: str, node: str | None, json: bool) -> int:
    """`lab.restore NAME`, of one machine or all."""

    def body() -> int:
        begin = time.monotonic()
        with opened(lab) as session:
            listener = present.Progress(session.paths.log)
            with locked(session.paths, f"lab.restore {name}", listener=listener):
                names = (session.planned(node).name,) if node else None
                done = put_back(session, Store(session.paths).read(name), names, begin, listener)
        if json:
            times = {
                "resumed": round(done.resumed, 2),
                "seconds": round(done.settled, 2),
                "resumed_at": done.resumed_at,
            }
            present.as_json({"ok": True, "name": name, "node": node, **times})
        else:
            settled = SETTLED_NODE if node else SETTLED_ALL if name == AFTER_UP else SETTLED
            what = node or f"Lab {session.paths.name}"
            print(BACK.format(what=what, name=name, resumed=done.resumed, settled=settled, seconds=done.settled))
        return 0

    return present.run(body, json)


def reset(lab: str | None, node: str | None, json: bool) -> int:
    """`lab.reset`: back to the state right after `lab.up`."""

    def known() -> int:
        paths, _ = existing(lab)
        if AFTER_UP not in Store(paths).names():
            raise LabError(NO_RESET.format(lab=paths.name), cure=NO_RESET_CURE)
        return 0

    return present.run(known, json) or restore(lab, AFTER_UP, node, json)


def listing(lab: str | None, delete: str | None, verify: bool, json: bool) -> int:
    """`lab.checkpoints`: all of a lab's, with their sizes; or verify them, or delete one."""

    def body() -> int:
        paths, _ = existing(lab)
        store = Store(paths)
        if delete or verify:
            with opened(lab) as session, locked(paths, "lab.checkpoints", listener=present.Progress(paths.log)):
                if delete:
                    check_name(delete)
                    if delete not in store.names():
                        store.read(delete)  # says which there are
                    store.remove(delete)
                    session.cut().sweep()
                else:
                    for checkpoint in store.all():
                        session.cut(present.Progress(paths.log)).verify(checkpoint)
        found = store.all()
        used = sum(checkpoint.size for checkpoint in found)
        if json:
            rows = [as_data(checkpoint) for checkpoint in found]
            present.as_json({"ok": True, "checkpoints": rows, "size": used, "quota": quota_mib() << 20})
        elif not found:
            print(NONE_YET)
        else:
            lines = [
                [each.name, each.created, f"{mib(each.size)} MiB", f"{each.pause:.1f} s", str(len(each.machines))]
                for each in found
            ]
            print(present.table(f"checkpoints of {paths.name}", COLUMNS, lines))
            print(TOTAL.format(used=mib(used), quota=quota_mib(), variable=QUOTA_VARIABLE, place=paths.root))
        return 0

    return present.run(body, json)


def take(session: Session, name: str, listener: Listener) -> Checkpoint:
    """Save an open, locked lab."""
    for machine in session.plan.machines:
        session.paths.disk(machine.name).chmod(0o600)  # from now on there are passwords in it
    images = {
        image: image_cache.digest(image_cache.image_path(image, recipe))
        for image, recipe in session.record.images.items()
    }
    done = session.cut(listener).save(name, session.machines.emulator, images)
    stage_note(session.paths, name).write_text(session.record.stage.value)
    return done


def stage_note(paths: LabPaths, name: str) -> pathlib.Path:
    """The file that tells at which stage a checkpoint was taken: `lab.push` may have moved the lab since, or before."""
    return paths.checkpoints / f"{name}.stage"


def at_saved_stage(session: Session, name: str) -> Session:
    """The session with the stage that its firewalls have once this checkpoint is restored."""
    note = stage_note(session.paths, name)
    if not note.exists():
        return session
    return replace(session, record=replace(session.record, stage=Stage(note.read_text())))


def put_back(
    session: Session, checkpoint: Checkpoint, names: Iterable[str] | None, begin: float, listener: Listener
) -> Restored:
    """Restore an open, locked lab, then set its clocks and wait for the saved roles on the wire. begin: monotonic."""
    chosen = tuple(names) if names is not None else tuple(checkpoint.machines)
    if names is None:
        session = at_saved_stage(session, checkpoint.name)
        write_record(session.paths, session.record)
    if names is not None or not roles(session.plan, checkpoint):
        session.cut(listener).restore(checkpoint, names)
        resumed, at = time.monotonic() - begin, time.time()
        settle(session, checkpoint, chosen)
        return Restored(resumed, time.monotonic() - begin, at)
    place = session.paths.root / "roles"
    election = Election(session.world, session.plan.topology, place, roles(session.plan, checkpoint))
    with ThreadPoolExecutor(1) as aside:
        listening = aside.submit(election.__enter__)
        try:
            session.cut(listener).restore(checkpoint)
            resumed, at = time.monotonic() - begin, time.time()
            listening.result()
            rest = aside.submit(settle, session, checkpoint, chosen)
            election.wait(session.record.slowness)
            rest.result()
            election.wait(session.record.slowness)  # a second master would have spoken by now
        finally:
            election.__exit__()
    return Restored(resumed, time.monotonic() - begin, at)


def settle(session: Session, checkpoint: Checkpoint, names: Iterable[str]) -> None:
    """Every machine's clock, and for a whole lab as it was after `up` an answer on every allowed path. Raises LabError.

    A machine's wall clock stood still; its RTC has the host's time. The paths are the half of `lab.check` that ends as soon
    as all is well: nothing that is denied is waited for.
    """
    lab = RunningLab(session)
    chosen = [name for name in names if checkpoint.machines[name].state is MachineState.RUNNING]
    whole = checkpoint.name == AFTER_UP and set(chosen) == set(checkpoint.machines)
    allowed = [path for path in matrix(lab.topology, lab.stage) if path.verdict.allowed] if whole else []

    def failed(name: str) -> list[str]:
        """What of one machine is not as it should be, as lines."""
        if session.planned(name).kind is Kind.FIREWALL:
            session.firewall(name).set_clock()
            return []
        # QEMU tells libvirt of the agent's channel at most once a second: closed at once, open again a second later.
        agent = awake(session, name)
        mine = [path for path in allowed if path.source == name]
        answers = try_from(agent, mine, {CLOCK: SET_CLOCK})
        words = [SILENT.format(path=path) for path in mine if answers[path.id] is not True]
        return words if answers[CLOCK] is True else [*words, NO_CLOCK.format(machine=name)]

    with ThreadPoolExecutor(max(1, len(chosen))) as pool:
        wrong = [line for lines in pool.map(failed, chosen) for line in lines]
    if wrong:
        raise LabError(
            NOT_GREEN,
            expected=GREEN.format(count=len(allowed)),
            seen="\n".join(wrong),
            cure="`./inv lab.check` looks at everything",
        )


def awake(session: Session, name: str) -> Agent:
    """A client's agent, once it answers. Raises LabError."""
    agent = session.machine(name).agent
    agent.wait(Deadline.after(AGENT_SECONDS * session.record.slowness))
    return agent


def roles(plan: Plan, checkpoint: Checkpoint) -> Mapping[int, tuple[str, ...]]:
    """VHID -> its master when the checkpoint was taken: behind whose port the bridges saw the virtual MAC."""
    owners = {nic.tap: machine.name for machine in plan.firewalls for nic in machine.nics}
    seen = {(line.bridge, line.mac): owners[line.port] for line in checkpoint.wires if line.port in owners}
    found = {vip.vhid: seen.get((f"br-{vip.network}", mac_text(virtual_mac(vip.vhid)))) for vip in plan.vips}
    return {vhid: (node,) if node else () for vhid, node in found.items()}


def admit(session: Session) -> None:
    """Raises LabError where one more checkpoint passes the quota, or the disk's end, or where Vagrant has the disks."""
    if session.record.provider == VAGRANT:
        raise LabError(NOT_VAGRANTS, expected="provider libvirt", seen="provider vagrant", cure=NOT_VAGRANTS_CURE)
    store = Store(session.paths)
    found = store.all()
    used = mib(sum(checkpoint.size for checkpoint in found))
    more = mib(max((checkpoint.size for checkpoint in found), default=0)) or sum(_memory_mib(session))
    quota = quota_mib()
    if used + more > quota:
        raise LabError(
            FULL.format(lab=session.paths.name),
            expected=FULL_EXPECTED.format(quota=quota),
            seen=FULL_SEEN.format(used=used, more=more, missing=used + more - quota),
            cure=FULL_CURE.format(variable=QUOTA_VARIABLE),
        )
    preflight.raise_all(preflight.disk(preflight.Room(session.paths.root, 2 * more)), [])


def _memory_mib(session: Session) -> Iterable[int]:
    import xml.etree.ElementTree as ET

    for machine in session.plan.machines:
        memory = ET.fromstring(session.machine(machine.name).description(running=False)).findtext("memory", "0")
        yield int(memory) >> 10  # libvirt gives KiB


def quota_mib(env: Mapping[str, str] = os.environ) -> int:
    """How much all checkpoints of one lab may take together, MiB. Raises LabError."""
    said = env.get(QUOTA_VARIABLE, str(QUOTA_MIB))
    if not said.isdecimal():
        raise LabError(f"{QUOTA_VARIABLE} is no number", expected="MiB, as digits", seen=said)
    return int(said)


def mib(size: int) -> int:
    """Bytes as MiB, rounded up."""
    return -(-size >> 20)


def as_data(checkpoint: Checkpoint) -> dict[str, Any]:
    """One checkpoint as JSON. size: bytes."""
    return {
        "name": checkpoint.name,
        "created": checkpoint.created,
        "size": checkpoint.size,
        "pause": checkpoint.pause,
        "machines": {name: machine.state.value for name, machine in checkpoint.machines.items()},
    }

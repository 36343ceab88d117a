"""A consistent cut through a whole lab: all machines paused, all kept in place, all let go; and the way back.

Killed at any moment it leaves whole checkpoints, and a note from which `recover` brings the lab to the old state or the new.
Who calls this holds the lab's lock.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lab.errors import LabError
from lab.events import Event, Listener, Phase, silent
from lab.host import qcow2
from lab.host.qcow2 import Content
from lab.host.wires import Seen
from lab.machines.checkpoint_store import Checkpoint, SavedMachine, Store, check_name
from lab.machines.machine import Machines, MachineState

LIVE = (MachineState.RUNNING, MachineState.PAUSED)

HALF_BUILT = "The lab is not whole, so it cannot be saved"
HALF_BUILT_CURE = "`./inv lab.up` mends it; a machine may be off, but not absent or crashed"
DAMAGED = "Checkpoint {name} is damaged: {machine}"
DAMAGED_CURE = "Nothing was changed. `./inv lab.checkpoints --delete {name}` removes it; `./inv lab.up --cold` builds anew after lab.down"
NOT_IN_IT = "Checkpoint {name} has no machine called {machine}"
LOST = "A restore was broken off, and its checkpoint cannot be put back now"
LOST_CURE = "`./inv lab.down`, then `./inv lab.up`"
RESUMED = "was broken off: nothing was kept, the machines go on"
REDONE = "of {name} was broken off: brought to its end"


class BridgeTables(Protocol):
    """What the lab's bridges have learnt: lab.host.wires.Wires."""

    def read(self) -> tuple[Seen, ...]: ...

    def write(self, seen: tuple[Seen, ...]) -> None: ...


@dataclass(frozen=True)
class Cut:
    """Saves and restores one lab. content: reads one machine's kept state back from the file."""

    machines: Machines
    wires: BridgeTables
    store: Store
    listener: Listener = silent
    content: Callable[[Path, str], Content] = qcow2.content

    def save(self, name: str, emulator: int = 0, images: Mapping[str, str] | None = None) -> Checkpoint:
        """Take a checkpoint; one of the same name is replaced once the new one is whole. Raises LabError: nothing is changed then."""
        check_name(name)
        states = self.machines.states()
        if wrong := {machine: state for machine, state in states.items() if state not in (*LIVE, MachineState.OFF)}:
            seen = ", ".join(f"{machine} {state.value}" for machine, state in wrong.items())
            raise LabError(HALF_BUILT, seen=seen, cure=HALF_BUILT_CURE)
        self.sweep()
        tag = f"{name}-{secrets.token_hex(4)}"
        try:
            with self._step(f"save {name}: lab paused"):
                pause, seen_by_bridges = self._keep_all(states, tag)
            with self._step(f"save {name}: read back"):
                machines = self._describe(states, tag)
        except LabError:
            self._forget(tag)
            raise
        created = time.strftime("%Y-%m-%dT%H:%M:%S")
        checkpoint = Checkpoint(
            name, tag, created, emulator, round(pause, 3), dict(images or {}), seen_by_bridges, machines
        )
        self.store.write(checkpoint)
        self.sweep()
        return checkpoint

    def restore(self, checkpoint: Checkpoint, names: Iterable[str] | None = None) -> None:
        """Put machines back, all of them by default. Raises LabError: before anything was touched where the checkpoint is damaged."""
        chosen = tuple(checkpoint.machines if names is None else names)
        for name in chosen:
            if name not in checkpoint.machines:
                raise LabError(
                    NOT_IN_IT.format(name=checkpoint.name, machine=name),
                    expected=", ".join(checkpoint.machines),
                    seen=name,
                )
        with self._step("check what was saved"):
            self.verify(checkpoint, chosen)
        states = self.machines.states()
        running = tuple(name for name in chosen if states.get(name) is MachineState.RUNNING)
        with self._step("put it back"):
            self.store.begin(running)
            try:
                self._each(running, lambda name: self.machines.get(name).pause())
            except LabError:
                self._resume(running)
                self.store.end()
                raise
            self.store.begin(running, checkpoint.name, chosen)
            self._put_back(checkpoint, chosen)
            self.store.end()

    def verify(self, checkpoint: Checkpoint, names: Iterable[str] | None = None) -> None:
        """Read every machine's state back and compare it with the record. Raises LabError."""

        def one(name: str) -> None:
            known = checkpoint.machines[name]
            disk = self._file(name, checkpoint)
            found = self.content(disk, checkpoint.tag) if disk else Content("nothing", 0)
            if found != Content(known.sha256, known.size):
                raise LabError(
                    DAMAGED.format(name=checkpoint.name, machine=name),
                    expected=f"{known.size} bytes, SHA-256 {known.sha256}",
                    seen=f"{found.size} bytes, SHA-256 {found.sha256}",
                    cure=DAMAGED_CURE.format(name=checkpoint.name),
                )

        self._each(checkpoint.machines if names is None else names, one)

    def recover(self) -> str:
        """End what a killed command left under way; returns what was done, "" where nothing was to do. Raises LabError."""
        pending = self.store.pending()
        if pending is None:
            return ""
        if not pending.restore:
            self._resume(pending.running)
            self.store.end()
            self.sweep()
            return RESUMED
        try:
            self._put_back(self.store.read(pending.restore), pending.machines)
        except LabError as error:
            raise LabError(LOST, expected=pending.restore, seen=str(error), cure=LOST_CURE) from error
        self.store.end()
        return REDONE.format(name=pending.restore)

    def sweep(self) -> None:
        """Give back the room of what belongs to no checkpoint."""
        wanted = self.store.tags()

        def one(name: str) -> None:
            machine = self.machines.get(name)
            for tag in machine.kept():
                if tag not in wanted:
                    machine.forget(tag)

        self._each(self.machines.states(), one)

    def _keep_all(self, states: Mapping[str, MachineState], tag: str) -> tuple[float, tuple[Seen, ...]]:
        running = tuple(name for name, state in states.items() if state is MachineState.RUNNING)
        self.store.begin(running)
        begin = time.monotonic()
        try:
            self._each(running, lambda name: self.machines.get(name).pause())
            with ThreadPoolExecutor(1) as aside:
                seen = aside.submit(self.wires.read)
                self._each(states, lambda name: self.machines.get(name).keep(tag))
            learnt = seen.result()
        finally:
            self._resume(running)
            pause = time.monotonic() - begin
            self.store.end()
        return pause, learnt

    def _describe(self, states: Mapping[str, MachineState], tag: str) -> dict[str, SavedMachine]:
        found: dict[str, SavedMachine] = {}

        def one(name: str) -> None:
            machine, on = self.machines.get(name), states[name] in LIVE
            held = self.content(machine.kept()[tag], tag)
            running = machine.description(running=True) if on else ""
            definition = machine.description(running=False)
            found[name] = SavedMachine(states[name], running, definition, dict(machine.links()), held.sha256, held.size)

        self._each(states, one)
        return {name: found[name] for name in states}

    def _put_back(self, checkpoint: Checkpoint, names: Iterable[str]) -> None:
        """Idempotent: begun again after a kill it comes to the same end. The guests it is for are paused or off."""
        chosen = tuple(names)
        self._each(chosen, lambda name: self._revert(name, checkpoint))
        if set(chosen) == set(checkpoint.machines):
            self.wires.write(checkpoint.wires)
        self._resume(name for name in chosen if checkpoint.machines[name].state is MachineState.RUNNING)

    def _revert(self, name: str, checkpoint: Checkpoint) -> None:
        saved, machine = checkpoint.machines[name], self.machines.get(name)
        state = machine.state()
        if saved.state is MachineState.OFF:
            if state is not MachineState.OFF:
                machine.kill()
            machine.revert(checkpoint.tag)
            return
        if state is MachineState.RUNNING:
            machine.pause()
        elif state is not MachineState.PAUSED:
            machine.start_paused(saved.running)
        for network, plugged in saved.links.items():
            machine.delay(network, 0.0)
            if machine.link(network) is not plugged:
                machine.set_link(network, plugged)
        machine.revert(checkpoint.tag)

    def _resume(self, names: Iterable[str]) -> None:
        def one(name: str) -> None:
            machine = self.machines.get(name)
            if machine.state() is MachineState.PAUSED:
                machine.start()

        self._each(names, one)

    def _forget(self, tag: str) -> None:
        """Best effort, after a failure that is told anyway."""
        for name in self.machines.states():
            with contextlib.suppress(LabError):
                if tag in self.machines.get(name).kept():
                    self.machines.get(name).forget(tag)

    def _file(self, name: str, checkpoint: Checkpoint) -> Path | None:
        return self.machines.get(name).kept().get(checkpoint.tag)

    def _each(self, names: Iterable[str], verb: Callable[[str], object]) -> None:
        """All at once, a thread each; the first failure is raised when all have ended."""
        chosen = tuple(names)
        if not chosen:
            return
        with ThreadPoolExecutor(len(chosen)) as pool:
            futures = [pool.submit(verb, name) for name in chosen]
        for future in futures:
            future.result()

    @contextlib.contextmanager
    def _step(self, step: str) -> Iterator[None]:
        begin = time.monotonic()
        self.listener(Event("lab", step, Phase.STARTED))
        yield
        self.listener(Event("lab", step, Phase.DONE, time.monotonic() - begin))

"""The checkpoints of one lab as files: what each is made of, and the note of one that is being taken or put back."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.errors import LabError
from lab.host.state import private_directory, unusable
from lab.host.wires import Seen
from lab.machines.machine import MachineState
from lab.paths import LabPaths

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,31}")
AFTER_UP = "up"
"""The name of the checkpoint that `lab.up` takes, and `lab.reset` goes back to."""

BAD_NAME = "A checkpoint cannot be called {name}"
BAD_NAME_EXPECTED = "at most 32 of a-z, 0-9, `-`, `_` and `.`, a letter or digit first"
UNKNOWN = "There is no checkpoint called {name}"
UNKNOWN_CURE = "`./inv lab.checkpoints` lists them, `./inv lab.save NAME` takes one"
UNREADABLE = "The record of checkpoint {name} cannot be read"
UNREADABLE_CURE = "`./inv lab.checkpoints --delete {name}` removes it; the others are whole"


@dataclass(frozen=True)
class SavedMachine:
    """One machine in a checkpoint.

    state:      running, paused or off when it was taken.
    running:    its definition as it ran, "" where it was off; definition: of its next boot.
    links:      network -> whether the cable was plugged in.
    sha256:     of what its disk keeps under the tag, RAM included; size: bytes of that.
    """

    state: MachineState
    running: str
    definition: str
    links: dict[str, bool]
    sha256: str
    size: int


@dataclass(frozen=True)
class Checkpoint:
    """One state of a whole lab.

    tag:     under which every machine's disk keeps it; new for each save, so a name's old content stays whole until the new is.
    created: local time, ISO 8601. emulator: QEMU's version, as libvirt counts it.
    pause:   seconds for which the lab stood still.
    images:  image -> digest of its files: RAM holds pieces of them.
    """

    name: str
    tag: str
    created: str
    emulator: int
    pause: float
    images: dict[str, str]
    wires: tuple[Seen, ...]
    machines: dict[str, SavedMachine]

    @property
    def size(self) -> int:
        """Bytes its machines' disks hold for it; what checkpoints share counts in each."""
        return sum(machine.size for machine in self.machines.values())


@dataclass(frozen=True)
class Pending:
    """A save or a restore under way. running: machines to let go on if nothing came of it.

    restore: name of the checkpoint, from the moment on when the old state is given up; "" before. machines: which of its.
    """

    running: tuple[str, ...]
    restore: str = ""
    machines: tuple[str, ...] = ()


def check_name(name: str) -> None:
    """Raises LabError where a checkpoint cannot have that name."""
    if not NAME.fullmatch(name):
        raise LabError(BAD_NAME.format(name=name or '""'), expected=BAD_NAME_EXPECTED, seen=name)


@dataclass(frozen=True)
class Store:
    """Reads and writes them. Every file is written aside and renamed: a reader sees the old or the new one, whole."""

    paths: LabPaths

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(path.stem for path in self.paths.checkpoints.glob("*.json")))

    def read(self, name: str) -> Checkpoint:
        """Raises LabError where there is none, or its record is damaged."""
        check_name(name)
        try:
            data = json.loads(self._path(name).read_text())
            machines = {
                machine: SavedMachine(**{**row, "state": MachineState(row["state"])})
                for machine, row in data["machines"].items()
            }
            wires = tuple(Seen(**row) for row in data["wires"])
            return Checkpoint(**{**data, "machines": machines, "wires": wires})
        except FileNotFoundError:
            raise LabError(
                UNKNOWN.format(name=name), expected=", ".join(self.names()) or "none yet", seen=name, cure=UNKNOWN_CURE
            ) from None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise LabError(
                UNREADABLE.format(name=name),
                seen=f"{type(error).__name__}: {error}",
                log=str(self._path(name)),
                cure=UNREADABLE_CURE.format(name=name),
            ) from error

    def all(self) -> tuple[Checkpoint, ...]:
        """Every checkpoint that can be read, the oldest first."""
        found = []
        for name in self.names():
            try:
                found.append(self.read(name))
            except LabError:
                continue
        return tuple(sorted(found, key=lambda checkpoint: checkpoint.created))

    def write(self, checkpoint: Checkpoint) -> None:
        """From here on it exists."""
        private_directory(self.paths.checkpoints)
        self._write(self._path(checkpoint.name), asdict(checkpoint))

    def remove(self, name: str) -> None:
        """From here on it does not; its room in the disks is given back apart from this."""
        self._path(name).unlink(missing_ok=True)

    def tags(self) -> frozenset[str]:
        """What the machines' disks keep for a reason. Raises LabError: an unreadable record may own anything."""
        return frozenset(self.read(name).tag for name in self.names())

    def pending(self) -> Pending | None:
        try:
            data = json.loads(self.paths.pending.read_text())
            return Pending(tuple(data["running"]), data["restore"], tuple(data["machines"]))
        except FileNotFoundError:
            return None

    def begin(self, running: Iterable[str], restore: str = "", machines: Iterable[str] = ()) -> None:
        """Note what is under way, in one step."""
        self._write(self.paths.pending, asdict(Pending(tuple(running), restore, tuple(machines))))

    def end(self) -> None:
        """It came to its end."""
        self.paths.pending.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self.paths.checkpoints / f"{name}.json"

    def _write(self, path: Path, value: object) -> None:
        beside = path.with_suffix(".new")
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump(value, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            beside.rename(path)
        except OSError as error:
            raise unusable(path.parent, error) from error

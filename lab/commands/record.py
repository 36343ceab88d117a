"""What a lab was made from, beside its disks: enough for every later command, whatever happens to the topology file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import LabError
from lab.paths import LabPaths, state_home
from lab.topology.stage import Stage

if TYPE_CHECKING:
    from lab.topology.model import Topology

DEFAULT_NAME = "uranus"
VAGRANT = "vagrant"
"""The provider of a lab that Vagrant boots."""


@dataclass(frozen=True)
class Record:
    """lab.json. topology: the validated topology as JSON text; images: image name -> recipe hash; ready: `up` came to its end."""

    name: str
    topology: str
    firewall: str
    provider: str
    stage: Stage
    accelerator: str
    slowness: float
    images: dict[str, str]
    created: str
    ready: bool = False

    def model(self) -> Topology:
        from lab.topology.model import Topology  # half a second of imports that a quick command does without

        return Topology.model_validate_json(self.topology)

    def done(self) -> Record:
        return replace(self, ready=True)


def write_record(paths: LabPaths, record: Record) -> None:
    """Write lab.json in one step: a reader sees the old or the new one."""
    paths.root.mkdir(parents=True, exist_ok=True)
    beside = paths.record.with_suffix(".new")
    beside.write_text(json.dumps(asdict(record), indent=1))
    beside.rename(paths.record)


def read_record(paths: LabPaths) -> Record | None:
    """None where there is no lab. Raises LabError where lab.json cannot be read."""
    try:
        data = json.loads(paths.record.read_text())
        return Record(**{**data, "stage": Stage(data["stage"])})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise LabError(
            f"The record of lab {paths.name} is damaged",
            expected=f"a record as `lab.up` writes it: {paths.record}",
            seen=str(error),
            cure=f"`./inv lab.down --name {paths.name}` removes the lab",
        ) from error


def lab_names(home: Path | None = None) -> tuple[str, ...]:
    """Every lab with a state directory, half-built ones included, by name."""
    root = home or state_home()
    if not root.is_dir():
        return ()
    return tuple(sorted(path.name for path in root.iterdir() if path.is_dir()))


def existing(name: str | None) -> tuple[LabPaths, Record]:
    """The lab a command means: the one named, else the only one there is. Raises LabError where that is not clear."""
    names = lab_names()
    if name is None:
        if not names:
            raise LabError(
                "There is no lab", expected="a lab that is up", seen="none", cure="`./inv lab.up` builds one"
            )
        if len(names) > 1 and DEFAULT_NAME not in names:
            raise LabError(
                "There are several labs",
                expected="--name NAME",
                seen=", ".join(names),
                cure=f"for example `--name {names[0]}`",
            )
        name = names[0] if len(names) == 1 else DEFAULT_NAME
    paths = LabPaths.of(name)
    record = read_record(paths)
    if record is None:
        raise LabError(
            f"There is no lab called {name}",
            expected=", ".join(names) or "a lab",
            seen=name,
            cure="`./inv lab.up` builds one; `./inv lab.list` lists them",
        )
    return paths, record

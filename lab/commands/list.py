"""`lab.list`: every lab of this user."""

from __future__ import annotations

from typing import Any

from lab.commands import present
from lab.commands.record import lab_names, read_record
from lab.errors import LabError
from lab.host.world import World
from lab.paths import LabPaths


def run(json: bool) -> int:
    """The command."""

    def body() -> int:
        labs = [describe(name) for name in lab_names()]
        if json:
            present.as_json({"labs": labs})
        elif not labs:
            print("There is no lab. `./inv lab.up` builds one.")
        else:
            columns = ["name", "state", "topology", "firewall", "stage", "created"]
            print(present.table("labs", columns, [[str(lab[column]) for column in columns] for lab in labs]))
        return 0

    return present.run(body, json)


def describe(name: str) -> dict[str, Any]:
    """One lab in a few words. state: up, half built, stopped (its world is gone, as after a reboot), or damaged."""
    paths = LabPaths.of(name)
    try:
        record = read_record(paths)
    except LabError:
        return {"name": name, "state": "damaged", "topology": "", "firewall": "", "stage": "", "created": ""}
    alive = World(paths).exists()
    if record is None:
        return {"name": name, "state": "half built", "topology": "", "firewall": "", "stage": "", "created": ""}
    state = "stopped" if not alive else "up" if record.ready else "half built"
    return {
        "name": name,
        "state": state,
        "topology": record.model().name,
        "firewall": record.firewall,
        "stage": record.stage.value,
        "created": record.created,
    }

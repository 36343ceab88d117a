"""`lab.status`: machines, and who is master of each VHID by the wire, beside the firewalls' own word."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from lab.appliances.carp_text import CarpWord
from lab.commands import present
from lab.commands.session import opened
from lab.commands.subject import RunningLab
from lab.errors import LabError
from lab.experiment.mastership import Mastership, mastership
from lab.machines.machine import MachineState
from lab.topology.model import Vip
from lab.topology.stage import Stage

NO_ANSWER = "no answer"
NOBODY = "nobody"


@dataclass(frozen=True)
class Status:
    """machines: name -> state. words: firewall -> its own word, or why there is none."""

    lab: RunningLab
    machines: dict[str, MachineState]
    wire: Mastership | None
    words: dict[str, CarpWord | str]

    @property
    def ok(self) -> bool:
        """Every machine runs, and every VHID has the topology's master alone."""
        expected = (self.lab.topology.master,)
        return all(state is MachineState.RUNNING for state in self.machines.values()) and (
            self.wire is None
            or all(self.wire.nodes(vip.network, vip.vhid) == expected for vip in self.lab.topology.carp.vips)
        )


def run(name: str | None, json: bool) -> int:
    """The command. Exit code 0 when all machines run and the master is master of everything."""

    def body() -> int:
        with opened(name) as session:
            status = look(RunningLab(session))
        if json:
            present.as_json(as_data(status))
        else:
            print(as_text(status))
        return 0 if status.ok else 1

    return present.run(body, json)


def look(lab: RunningLab) -> Status:
    """Ask everything at once: the wire takes a few seconds, the consoles as well."""
    session = lab.session
    states = session.machines.states()
    machines = {machine.name: states.get(machine.name, MachineState.ABSENT) for machine in session.plan.machines}
    with ThreadPoolExecutor(len(lab.firewalls) + 1) as pool:
        heard = pool.submit(mastership, lab) if lab.stage.reaches(Stage.VIPS) else None
        asked = {
            name: pool.submit(_word, lab, name) for name in lab.firewalls if machines[name] is MachineState.RUNNING
        }
        words = {name: asked[name].result() if name in asked else "powered off" for name in lab.firewalls}
        return Status(lab, machines, heard.result() if heard else None, words)


def _word(lab: RunningLab, name: str) -> CarpWord | str:
    try:
        return lab.firewalls[name].carp()
    except LabError as error:
        return error.problem.summary


def as_data(status: Status) -> dict[str, Any]:
    """The status as JSON."""
    lab, record = status.lab, status.lab.session.record
    return {
        "ok": status.ok,
        "name": record.name,
        "topology": lab.topology.name,
        "firewall": record.firewall,
        "stage": record.stage.value,
        "machines": {
            machine.name: {
                "kind": machine.kind.value,
                "role": machine.role,
                "state": status.machines[machine.name].value,
            }
            for machine in lab.session.plan.machines
        },
        "vhids": [_vhid(status, vip) for vip in lab.topology.carp.vips] if status.wire else [],
        "firewalls": {name: _said(word) for name, word in status.words.items()},
    }


def _vhid(status: Status, vip: Vip) -> dict[str, Any]:
    assert status.wire is not None
    adverts = status.wire.masters.get((vip.network, vip.vhid), ())
    master = adverts[0].node if len(adverts) == 1 else None
    others = [name for name in status.lab.firewalls if name != master]
    words = {name: word if isinstance(word, str) else word.state_of(vip.vhid) for name, word in status.words.items()}
    return {
        "vhid": vip.vhid,
        "network": vip.network,
        "address": str(vip.address),
        "masters": [advert.node for advert in adverts],
        "master": master,
        "backup": next((name for name in others if words[name] == "BACKUP"), None),
        "advbase": adverts[0].advbase if adverts else None,
        "advskew": adverts[0].advskew if adverts else None,
        "own_word": words,
    }


def _said(word: CarpWord | str) -> dict[str, Any]:
    if isinstance(word, str):
        return {"answer": word}
    return {"allow": word.allow, "preempt": word.preempt, "demotion": word.demotion}


def as_text(status: Status) -> str:
    """The status for a person."""
    data = as_data(status)
    machines = [[name, row["role"], row["state"]] for name, row in data["machines"].items()]
    parts = [present.table(f"lab {data['name']}, stage {data['stage']}", ["machine", "role", "state"], machines)]
    if status.wire:
        rows = [
            [
                str(row["vhid"]),
                row["network"],
                row["address"],
                " and ".join(row["masters"]) or NOBODY,
                "" if row["advskew"] is None else f"{row['advbase']}/{row['advskew']}",
                *(row["own_word"][name] for name in status.lab.firewalls),
            ]
            for row in data["vhids"]
        ]
        columns = [
            "VHID",
            "network",
            "VIP",
            "master by the wire",
            "base/skew",
            *(f"{n} says" for n in status.lab.firewalls),
        ]
        parts.append(present.table("CARP", columns, rows))
    return "\n\n".join(parts)

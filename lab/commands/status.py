"""`lab.status --full`: machines, and who is master of each VHID by the wire, beside the firewalls' own word."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from lab.appliances.node_word import NodeWord
from lab.commands import present
from lab.commands.config_read import ReadBack, read_back
from lab.commands.session import opened
from lab.commands.subject import RunningLab
from lab.errors import LabError
from lab.experiment.agreement import Statement, compare
from lab.experiment.mastership import Mastership, mastership
from lab.machines.machine import MachineState
from lab.topology.plan import PlannedVip
from lab.topology.stage import Stage

NO_ANSWER = "no answer"
NOBODY = "nobody"
OFF = "powered off"
AGREE = "the firewalls' own words agree with the wire and the topology in {count} points"
CONTRADICTION = "CONTRADICTION: {text}"


@dataclass(frozen=True)
class Status:
    """machines: name -> state. words: firewall -> its own word, or why there is none. configs: the same for its config.xml, if asked."""

    lab: RunningLab
    machines: dict[str, MachineState]
    wire: Mastership | None
    words: dict[str, NodeWord | str]
    configs: dict[str, ReadBack | str]

    @property
    def statements(self) -> tuple[Statement, ...]:
        """The words of those that answered, beside the wire."""
        spoken = {name: word for name, word in self.words.items() if isinstance(word, NodeWord)}
        return compare(self.lab.session.plan, self.lab.stage, self.wire, spoken)

    @property
    def ok(self) -> bool:
        """Every machine runs, and every VHID has the topology's master alone."""
        expected = (self.lab.topology.master,)
        return all(state is MachineState.RUNNING for state in self.machines.values()) and (
            self.wire is None
            or all(self.wire.nodes(vip.network, vip.vhid) == expected for vip in self.lab.topology.carp.vips)
        )


def run(name: str | None, json: bool, config: bool = False) -> int:
    """The command. Exit code 0 when all machines run and the master is master of everything."""

    def body() -> int:
        with opened(name) as session:
            status = look(RunningLab(session), config)
        if json:
            present.as_json(as_data(status))
        else:
            print(as_text(status))
        return 0 if status.ok else 1

    return present.run(body, json)


def look(lab: RunningLab, config: bool = False) -> Status:
    """Ask everything at once: the wire takes a few seconds, the consoles as well. config: read back config.xml too."""
    session = lab.session
    states = session.machines.states()
    machines = {machine.name: states.get(machine.name, MachineState.ABSENT) for machine in session.plan.machines}
    with ThreadPoolExecutor(len(lab.firewalls) + 1) as pool:
        heard = pool.submit(mastership, lab) if lab.stage.reaches(Stage.VIPS) else None
        asked = {
            name: pool.submit(_word, lab, name) for name in lab.firewalls if machines[name] is MachineState.RUNNING
        }
        words = {name: asked[name].result() if name in asked else OFF for name in lab.firewalls}
        # One console serves one at a time: the files are asked for when the words are there.
        reading = {name: pool.submit(_config, lab, name) for name in asked} if config else {}
        configs = {name: reading[name].result() if name in reading else OFF for name in lab.firewalls} if config else {}
        return Status(lab, machines, heard.result() if heard else None, words, configs)


def _word(lab: RunningLab, name: str) -> NodeWord | str:
    try:
        network = lab.topology.sync.network
        return lab.firewalls[name].word([each.addresses[network] for each in lab.topology.firewalls.values()])
    except LabError as error:
        return error.problem.summary


def _config(lab: RunningLab, name: str) -> ReadBack | str:
    try:
        return read_back(lab, name)
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
        "vhids": [_vhid(status, vip) for vip in lab.session.plan.vips] if status.wire else [],
        "firewalls": {name: _said(word) for name, word in status.words.items()},
        "agreements": [each.text for each in status.statements if each.agrees],
        "contradictions": [each.text for each in status.statements if each.agrees is False],
        "notes": [each.text for each in status.statements if each.agrees is None],
        **({"configs": {name: _read(said) for name, said in status.configs.items()}} if status.configs else {}),
    }


def _read(said: ReadBack | str) -> dict[str, Any]:
    return {"answer": said} if isinstance(said, str) else said.as_data()


def _vhid(status: Status, vip: PlannedVip) -> dict[str, Any]:
    assert status.wire is not None
    adverts = status.wire.masters.get((vip.network, vip.vhid), ())
    master = adverts[0].node if len(adverts) == 1 else None
    others = [name for name in status.lab.firewalls if name != master]
    words = {name: _state(word, vip) for name, word in status.words.items()}
    return {
        "vhid": vip.vhid,
        "network": vip.network,
        "address": str(vip.address.ip),
        "masters": [advert.node for advert in adverts],
        "master": master,
        "backup": next((name for name in others if words[name] == "BACKUP"), None),
        "advbase": adverts[0].advbase if adverts else None,
        "advskew": adverts[0].advskew if adverts else None,
        "own_word": words,
    }


def _state(word: NodeWord | str, vip: PlannedVip) -> str:
    return word if isinstance(word, str) else word.carp.state_on(vip.device, vip.vhid)


def _said(word: NodeWord | str) -> dict[str, Any]:
    if isinstance(word, str):
        return {"answer": word}
    carp = word.carp
    return {
        "allow": carp.allow,
        "preempt": carp.preempt,
        "demotion": carp.demotion,
        "maintenance": word.maintenance,
        "vhids": [vars(vhid) for vhid in carp.vhids],
        "pfsync": vars(word.pfsync) if word.pfsync else None,
        "states": word.states,
        "creators": list(word.creators),
    }


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
    parts.append(_nodes(status))
    parts.append(in_words(status.statements))
    parts += [str(said) if isinstance(said, ReadBack) else f"{name}: {said}" for name, said in status.configs.items()]
    return "\n\n".join(parts)


def _nodes(status: Status) -> str:
    """What each firewall says of itself."""
    rows = []
    for name, word in status.words.items():
        if isinstance(word, str):
            rows.append([name, word, "", "", "", ""])
            continue
        sync = f"{word.pfsync.peer} by {word.pfsync.device}" if word.pfsync else "off"
        mode = "maintenance" if word.maintenance else "on" if word.carp.allow else "off"
        creators = " ".join(word.creators)
        rows.append([name, mode, str(word.carp.demotion), sync, str(word.states), creators])
    columns = ["firewall", "CARP", "demotion", "pfsync to", "states", "made by"]
    return present.table("The firewalls' own words", columns, rows)


def in_words(statements: tuple[Statement, ...]) -> str:
    """Contradictions and remarks one by one; what agrees is counted."""
    agreed = sum(each.agrees is True for each in statements)
    lines = [CONTRADICTION.format(text=each.text) for each in statements if each.agrees is False]
    lines += [each.text for each in statements if each.agrees is None]
    return "\n".join([*lines, AGREE.format(count=agreed)])

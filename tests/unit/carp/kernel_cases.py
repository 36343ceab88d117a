"""The cases recorded from FreeBSD's own state machine, and what of a replay is compared with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from lab.carp.replay import Replay, case_events

CASES = Path(__file__).parent / "cases"
COMPARED = {
    "devd": ("subsystem", "type"),
    "tx": ("if", "af", "vhid", "advbase", "advskew"),
    "timer": ("if", "vhid", "name", "at"),
    "garp": ("if", "addr", "sha"),
    "na": ("if", "addr"),
}

Line = dict[str, Any]


def load(number: int) -> Line:
    """One recorded case."""
    case: Line = json.loads((CASES / f"{number:02}.json").read_text())
    return case


def replay(
    events: Iterable[Line], random_counter: Callable[[], int] = lambda: 0x1234, engine: type[Replay] = Replay
) -> list[Line]:
    """All outcome lines of a sequence of events."""
    host = engine(random_counter)
    return [json.loads(line) for event in events for line in host.feed(event)]


def essence(lines: Iterable[Line]) -> list[Line]:
    """The lines and the fields that are compared."""
    return [
        {"out": line["out"], "t": line["t"], **{name: line[name] for name in COMPARED[line["out"]]}}
        for line in lines
        if line["out"] in COMPARED
    ]


def differences(case: Line, engine: type[Replay] = Replay) -> list[str]:
    """Where a replay of the case differs from the recording; empty when it does not."""
    lines = replay([*case_events(case), {"t": case["end"], "ev": "dump"}], engine=engine)
    found = [f"{seen} for {want}" for seen, want in zip(essence(lines), case["expect"], strict=False) if seen != want]
    if len(essence(lines)) != len(case["expect"]):
        found.append(f"{len(essence(lines))} outcomes for {len(case['expect'])}")
    states = [line for line in lines if line["out"] == "state"]
    for state, final in zip(states, case["final"], strict=True):
        found += [f"final {name}: {state[name]} for {final[name]}" for name in final if state[name] != final[name]]
    demotion = next(line["demotion"] for line in lines if line["out"] == "host")
    if demotion != case["demotion"]:
        found.append(f"demotion {demotion} for {case['demotion']}")
    return found

"""What tells a right CARP engine from a wrong one, each as a function that names the first difference, or ""."""

from __future__ import annotations

import json
from types import ModuleType

from tests.unit.carp.kernel_cases import COMPARED, Line, differences, essence, load
from tests.unit.carp.random_stories import Teller
from tests.unit.carp.test_packet import VECTORS

STORY_LENGTH = 80


def recorded_cases(replay: ModuleType) -> str:
    """The fifteen cases recorded from the kernel."""
    for number in range(1, 16):
        found = differences(load(number), replay.Replay)
        if found:
            return f"case {number}: {found[0]}"
    return ""


def vectors(packet: ModuleType) -> str:
    """The test vectors of the HMAC."""
    for name, vector in VECTORS.items():
        addresses = [packet.pack_address(address) for address in vector.addresses]
        key = packet.Authenticator(packet.password_key(vector.password), vector.vhid, addresses)
        if key.mac(vector.counter).hex() != vector.mac:
            return f"vector {name}"
    return ""


def stories(replay: ModuleType, seeds: range) -> str:
    """Random sequences, against the model written from the sheet."""
    for seed in seeds:
        found = story(replay, seed)
        if found:
            return f"story {seed}: {found}"
    return ""


def story(replay: ModuleType, seed: int) -> str:
    host = replay.Replay(lambda: 0)
    teller = Teller(seed)
    for event, wanted in teller.story(STORY_LENGTH):
        try:
            lines = [json.loads(line) for line in host.feed(event)]
        except RuntimeError as error:
            return f"{event}: {error!r}"
        for seen, want in zip(_with_counters(lines), wanted, strict=False):
            if want.get("counter", 0) is None:  # random until something was heard
                want["counter"] = seen.get("counter")
            if seen != want:
                return f"{event}: {seen} for {want}"
        if len(essence(lines)) != len(wanted):
            return f"{event}: {len(essence(lines))} outcomes for {len(wanted)}"
        if host.host.demotion != teller.sheet.demotion:
            return f"{event}: demotion {host.host.demotion} for {teller.sheet.demotion}"
    return ""


def _with_counters(lines: list[Line]) -> list[Line]:
    compared = [line for line in lines if line["out"] in COMPARED]
    counters = [{"counter": line["counter"]} if line["out"] == "tx" else {} for line in compared]
    return [seen | counter for seen, counter in zip(essence(lines), counters, strict=True)]

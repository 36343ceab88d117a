"""What `lab.status` makes of machines and bridge tables, without asking anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.commands import glance as module
from lab.commands.glance import as_data, as_text, glance
from lab.commands.record import Record, write_record
from lab.host.bridge_tables import Learnt
from lab.paths import LabPaths, project_root
from lab.topology.load import load_topology
from lab.topology.stage import Stage

CARD = "<interface><target dev='{}-{}'/></interface>"


def virtual(vhid: int) -> bytes:
    return bytes((0, 0, 0x5E, 0, 1, vhid))


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LabPaths:
    monkeypatch.setenv("URANUS_STATE", str(tmp_path))
    topology = load_topology("uranus", project_root() / "topologies")
    paths = LabPaths.of("uranus", tmp_path)
    text = topology.model_dump_json(by_alias=True)
    write_record(paths, Record("uranus", text, "standin", "libvirt", Stage.RULES, "tcg", 1.0, {}, "now", True))
    for node in ("master", "backup"):
        paths.domain_xml(node).parent.mkdir(exist_ok=True)
        paths.domain_xml(node).write_text(
            f"<domain><devices>{CARD.format(node, 'lan')}{CARD.format(node, 'srv')}</devices></domain>"
        )
    states = dict.fromkeys(("master", "backup", "client", "server", "web", "internet"), "running")
    monkeypatch.setattr(module, "_states", lambda _: states)
    monkeypatch.setattr(module, "links_of", lambda _: tmp_path)
    return paths


def tables(monkeypatch: pytest.MonkeyPatch, **seen: tuple[Learnt, ...]) -> None:
    monkeypatch.setattr(module, "learnt", lambda _, bridge: seen.get(bridge.removeprefix("br-"), ()))


def test_who_was_seen_last_with_a_virtual_mac_is_its_master(paths: LabPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    tables(
        monkeypatch,
        lan=(Learnt(virtual(1), "master-lan", 0.4),),
        srv=(Learnt(virtual(2), "backup-srv", 0.9), Learnt(virtual(1), "master-lan", 0.1)),
    )
    seen = glance("uranus")
    assert seen.masters == {1: ("master", 0.4), 2: ("backup", 0.9)}
    assert not seen.ok
    data = as_data(seen)
    assert [(row["vhid"], row["master"], row["backup"]) for row in data["vhids"]] == [
        (1, "master", "backup"),
        (2, "backup", "master"),
        (3, None, None),
        (4, None, None),
    ]
    assert data["machines"]["master"] == {"kind": "firewall", "role": "firewall", "state": "running"}
    assert data["machines"]["web"]["role"] == "web"
    assert "nobody" in as_text(seen)


def test_a_master_that_fell_silent_is_none(paths: LabPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    tables(monkeypatch, lan=(Learnt(virtual(1), "master-lan", 3.2),), srv=(Learnt(virtual(2), "backup-srv", 3.2),))
    # the first firewall's skew is 0, the second's 100: its own interval is longer
    assert glance("uranus").masters == {2: ("backup", 3.2)}


def test_a_strangers_port_makes_nobody_master(paths: LabPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    tables(monkeypatch, lan=(Learnt(virtual(1), "client-lan", 0.1),))
    assert glance("uranus").masters == {}

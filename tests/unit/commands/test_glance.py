"""What `lab.status` makes of machines and of the adverts the kernel wrote down, without asking anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.commands import glance as module
from lab.commands.glance import as_data, as_text, glance, plugged
from lab.commands.record import Record, write_record
from lab.host.advert_watch import Heard
from lab.paths import LabPaths, project_root
from lab.topology.load import load_topology
from lab.topology.stage import Stage

MACHINES = ("master", "backup", "client", "server", "web", "internet")
NETWORKS = {1: "lan", 2: "srv", 3: "dmz", 4: "ha"}
PORTS = {f"{node}-{network}": (node, network) for node in ("master", "backup") for network in NETWORKS.values()}


class Watch:
    """What is heard, look by look; the last look is repeated. waits: seconds waited between."""

    def __init__(self, *looks: tuple[Heard, ...] | None) -> None:
        self.looks = list(looks)
        self.waits: list[float] = []

    def __call__(self, _: LabPaths) -> tuple[Heard, ...] | None:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


def all_of(node: str, age: float = 0.4) -> tuple[Heard, ...]:
    return tuple(Heard(f"{node}-{network}", vhid, age) for vhid, network in NETWORKS.items())


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("URANUS_STATE", str(tmp_path))
    topology = load_topology("uranus", project_root() / "topologies")
    text = topology.model_dump_json(by_alias=True)
    record = Record("uranus", text, "standin", "libvirt", Stage.RULES, "tcg", 1.0, {}, "now", True)
    write_record(LabPaths.of("uranus", tmp_path), record)
    monkeypatch.setattr(module, "_machines", lambda *_: (dict.fromkeys(MACHINES, "running"), PORTS))
    return monkeypatch


def watched(lab: pytest.MonkeyPatch, *looks: tuple[Heard, ...] | None) -> Watch:
    watch = Watch(*looks)
    lab.setattr(module, "heard", watch)
    lab.setattr(module.time, "sleep", watch.waits.append)
    return watch


def test_one_master_of_all_is_said_at_once(lab: pytest.MonkeyPatch) -> None:
    watch = watched(lab, all_of("master"))
    seen = glance("uranus")
    assert seen.ok
    assert not watch.waits
    data = as_data(seen)
    assert [(row["vhid"], row["master"], row["backup"], row["seen_ago"]) for row in data["vhids"]] == [
        (number, "master", "backup", 0.4) for number in (1, 2, 3, 4)
    ]
    assert data["machines"]["master"] == {"kind": "firewall", "role": "firewall", "state": "running"}
    assert data["machines"]["web"]["role"] == "web"
    assert "0.4 s ago" in as_text(seen)


def test_a_split_brain_is_said_after_both_were_heard_again(lab: pytest.MonkeyPatch) -> None:
    watch = watched(lab, all_of("master") + all_of("backup", 0.9))
    seen = glance("uranus")
    assert not seen.ok
    assert watch.waits == [2.5]
    assert as_data(seen)["vhids"][0]["masters"] == ["master", "backup"]
    assert as_data(seen)["vhids"][0]["master"] is None
    assert "master and backup" in as_text(seen)


def test_a_hand_over_in_between_leaves_the_new_master_alone(lab: pytest.MonkeyPatch) -> None:
    watch = watched(lab, all_of("master", 1.2) + all_of("backup", 0.1), all_of("master", 3.7) + all_of("backup", 0.6))
    seen = glance("uranus")
    assert watch.waits == [2.5]
    assert [row["masters"] for row in as_data(seen)["vhids"]] == [["backup"]] * 4
    assert not seen.ok


def test_a_master_that_fell_silent_is_none(lab: pytest.MonkeyPatch) -> None:
    watched(lab, all_of("master", 3.2), all_of("master", 5.7))
    seen = glance("uranus")
    assert seen.masters == {}
    assert "nobody" in as_text(seen)


def test_a_skewed_master_has_a_longer_interval(lab: pytest.MonkeyPatch) -> None:
    watch = watched(lab, all_of("backup", 3.2))
    assert [row["master"] for row in as_data(glance("uranus"))["vhids"]] == ["backup"] * 4
    assert not watch.waits


def test_the_same_vhid_elsewhere_is_another_group(lab: pytest.MonkeyPatch) -> None:
    stray = Heard("backup-wan", 1, 0.1)
    lab.setattr(
        module, "_machines", lambda *_: (dict.fromkeys(MACHINES, "running"), PORTS | {"backup-wan": ("backup", "wan")})
    )
    watch = watched(lab, (*all_of("master"), stray))
    assert glance("uranus").ok
    assert not watch.waits


def test_a_strangers_port_makes_nobody_master(lab: pytest.MonkeyPatch) -> None:
    watched(lab, (Heard("client-lan", 1, 0.1),))
    assert glance("uranus").masters == {}


def test_nobody_is_waited_for_where_no_firewall_runs(lab: pytest.MonkeyPatch) -> None:
    lab.setattr(module, "_machines", lambda *_: (dict.fromkeys(MACHINES, "off"), {}))
    watch = watched(lab, all_of("master"))
    assert not glance("uranus").ok
    assert not watch.waits


def test_cards_are_read_from_the_live_domain() -> None:
    card = "<interface><source bridge='br-{0}'/><target dev='master-{0}'/></interface>"
    domain = f"<domain><devices><interface/>{card.format('lan')}{card.format('wan')}</devices></domain>"
    assert plugged(domain) == [("master-lan", "lan"), ("master-wan", "wan")]

"""The firewalls' own words beside the wire: each contradiction is said in its own words, and agreement is none of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.appliances.carp_text import CarpWord, VhidWord
from lab.appliances.node_word import NodeWord, PfsyncWord
from lab.experiment.agreement import advertised, compare
from lab.experiment.mastership import Mastership
from lab.experiment.wire import AdvertSeen, Ledger, Roster
from lab.topology.plan import make_plan
from lab.topology.stage import Stage
from tests.render.plans import plan

PLAN = plan("uranus")
VIPS = PLAN.vips


def wire(node: str = "master", advskew: int = 0) -> Mastership:
    """This node is master of everything."""
    heard = {
        (vip.network, vip.vhid): (AdvertSeen(1.0, vip.network, vip.vhid, node, 1, advskew, 7, False, True),)
        for vip in VIPS
    }
    return Mastership(heard, Ledger(Roster.of(PLAN.topology)))


def word(node: str, state: str, demotion: int = 0, skew: int | None = None) -> NodeWord:
    configured = PLAN.topology.firewalls[node].advskew if skew is None else skew
    vhids = tuple(VhidWord(vip.device, vip.vhid, state, 1, configured) for vip in VIPS)
    peer = "172.17.4.253" if node == "master" else "172.17.4.254"
    sync = PfsyncWord("vtnet4", peer, settled=True)
    return NodeWord(CarpWord(True, True, demotion, vhids), False, sync, 5, ("a1", "b2"))


MASTER, BACKUP = word("master", "MASTER"), word("backup", "BACKUP")


def said(
    master: NodeWord | None = MASTER,
    backup: NodeWord | None = BACKUP,
    heard: Mastership | None = None,
    stage: Stage = Stage.RULES,
) -> tuple[list[str], list[str]]:
    """(contradictions, remarks)."""
    words = {name: each for name, each in (("master", master), ("backup", backup)) if each}
    found = compare(PLAN, stage, heard or wire(), words)
    return [each.text for each in found if each.agrees is False], [each.text for each in found if each.agrees is None]


def test_a_healthy_pair_agrees() -> None:
    assert said() == ([], [])
    found = compare(PLAN, Stage.RULES, wire(), {"master": MASTER, "backup": BACKUP})
    assert len(found) == 3 * len(VIPS) + 3
    assert "both nodes know states made by a1 and b2: state sync works" in {each.text for each in found}


def test_a_master_that_nobody_hears() -> None:
    contradictions, _ = said(backup=word("backup", "MASTER"))
    assert contradictions == [
        f"VHID {vip.vhid} on {vip.network}: backup says MASTER, but is not heard on the wire" for vip in VIPS
    ]


def test_a_backup_that_is_heard() -> None:
    contradictions, _ = said(master=word("master", "BACKUP"))
    assert contradictions[0] == "VHID 1 on lan: master is heard on the wire, but says BACKUP"


def test_a_skew_that_nobody_configured() -> None:
    contradictions, _ = said(heard=wire(advskew=50))
    assert contradictions[0] == (
        "VHID 1 on lan: master advertises 1/50, but by its skew 0 and demotion 0 it would be 1/0"
    )


def test_demotion_is_told_and_counted_in() -> None:
    contradictions, remarks = said(master=word("master", "MASTER", demotion=240), heard=wire(advskew=240))
    assert contradictions == []
    assert remarks == ["master is demoted by 240: it has a link down, CARP switched off, or was told so"]


def test_maintenance_mode_is_the_tag_and_the_skew() -> None:
    proper = replace(word("master", "BACKUP", skew=254), maintenance=True)
    backup = word("backup", "MASTER")
    assert said(proper, backup, wire("backup", 100)) == ([], [])
    half = replace(MASTER, maintenance=True)
    assert said(half)[0] == ["master has the maintenance mode in its config.xml, but not skew 254 on VHID 1, 2, 3, 4"]
    undeclared = word("master", "BACKUP", skew=254)
    assert said(undeclared, backup, wire("backup", 100))[0] == [
        "master has skew 254 on VHID 1, 2, 3, 4, but no maintenance mode in its config.xml"
    ]


def test_carp_switched_off() -> None:
    off = replace(MASTER, carp=CarpWord(False, True, 0, ()))
    assert said(off, word("backup", "MASTER"), wire("backup", 100)) == ([], ["master has CARP switched off"])
    assert said(off)[0][0] == "master has CARP switched off, but is heard on the wire"


@pytest.mark.parametrize(
    ("sync", "text"),
    [
        (None, "master sends its states nowhere, but the topology says to 172.17.4.253"),
        (
            PfsyncWord("vtnet1", "172.17.1.253", True),
            "master sends its states to 172.17.1.253 by vtnet1, but the topology says 172.17.4.253 by vtnet4",
        ),
    ],
)
def test_state_sync_that_goes_elsewhere(sync: PfsyncWord | None, text: str) -> None:
    assert said(replace(MASTER, pfsync=sync))[0] == [text]


def test_state_sync_before_its_stage() -> None:
    assert said(stage=Stage.VIPS)[0][0] == ("master sends its states to 172.17.4.253, but stage vips has no state sync")


def test_states_that_do_not_arrive() -> None:
    lonely = replace(MASTER, creators=("a1",))
    without = replace(BACKUP, creators=("b2",))
    assert said(backup=without)[0] == ["state sync: master knows states made by a1 and b2, backup those made by b2"]
    own_run_out = replace(MASTER, creators=("b2",))
    assert said(own_run_out)[0] == []
    text = (
        "state sync: master knows states made by a1, backup those made by a1 and b2;"
        " those of a node that is not master run out one by one"
    )
    assert said(lonely) == ([], [text])
    assert said(lonely, replace(BACKUP, creators=("a1",))) == (
        [],
        ["state sync: no states of the node with id b2 yet; each node has to make one first"],
    )


def test_a_node_that_does_not_answer_is_not_compared() -> None:
    assert said(backup=None) == ([], [])


def test_one_number_on_two_networks_are_two_vhids() -> None:
    vips = tuple(each.model_copy(update={"vhid": 1}) for each in PLAN.topology.carp.vips)
    carp = PLAN.topology.carp.model_copy(update={"vips": vips})
    both = make_plan(PLAN.topology.model_copy(update={"carp": carp}))
    states = ("MASTER", "BACKUP", "BACKUP", "BACKUP")
    vhids = tuple(VhidWord(vip.device, 1, state, 1, 0) for vip, state in zip(both.vips, states, strict=True))
    heard = {("lan", 1): (AdvertSeen(1.0, "lan", 1, "master", 1, 0, 7, False, True),)}
    own = replace(MASTER, carp=CarpWord(True, True, 0, vhids))
    found = compare(both, Stage.RULES, Mastership(heard, Ledger(Roster.of(both.topology))), {"master": own})
    assert [each.text for each in found if each.agrees is False] == []


@pytest.mark.parametrize(("skew", "demotion", "heard"), [(0, 0, 0), (100, 240, 240), (254, 0, 240), (10, -240, 0)])
def test_the_skew_on_the_wire(skew: int, demotion: int, heard: int) -> None:
    assert advertised(skew, demotion) == heard

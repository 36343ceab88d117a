"""What a fault is expected to do, on the three topologies."""

from __future__ import annotations

import pytest

from lab.carp.law import AT_ONCE, Conditions, Interval
from lab.errors import LabError
from lab.expect.catalogue import about, matrix
from lab.expect.fault import ON_A_NETWORK, Fault, FaultKind, apply, healthy, parse
from lab.expect.mistake import Mistake
from lab.expect.outcome import Cause, Fate, Outcome, ProbeOutcome, predict
from lab.paths import project_root
from lab.topology.load import load_topology
from lab.topology.model import Topology
from lab.topology.stage import Stage

CRASH = Interval(2.390625, 3.390625)
RETURN = Interval(0.0, 1.390625)


def load(name: str) -> Topology:
    return load_topology(name, project_root() / "topologies")


def outcome(name: str, kind: str, node: str = "", network: str = "", stage: Stage = Stage.RULES) -> Outcome:
    topology = load(name)
    return predict(topology, parse(topology, kind, node, network), stage)


def probe(found: Outcome, wanted: str) -> ProbeOutcome:
    return next(item for item in found.probes if item.probe.id == wanted)


@pytest.mark.parametrize("name", ["uranus", "uranus-recommended", "uranus-as-written"])
@pytest.mark.parametrize("kind", ["kill", "carp-off"])
def test_a_silent_master_is_replaced_within_the_law_and_preempts_when_back(name: str, kind: str) -> None:
    for vhid in outcome(name, kind).vhids:
        assert (vhid.before, vhid.after) == ("master", "backup")
        assert vhid.fault.cause is Cause.SILENCE
        assert vhid.fault.at == CRASH
        assert vhid.back.at == RETURN
        assert vhid.back.gap == AT_ONCE


def test_kill_on_uranus_loses_old_internet_flows_only() -> None:
    found = outcome("uranus", "kill")
    lost = {item.probe.id for item in found.probes if item.fate is Fate.LOST}
    assert lost == {f"{name}>internet:icmp:old" for name in ("client", "server", "web")}
    old = probe(found, "client>internet:icmp:old")
    assert "master's own address, which answers no more" in old.reason
    assert probe(found, "client>internet:icmp:new").fate is Fate.SURVIVES
    assert probe(found, "client>internet:tcp/80:fresh").outage == CRASH
    assert probe(found, "client>gateway:icmp:old").outage == CRASH
    assert probe(found, "client>web:icmp:old").outage == CRASH
    assert probe(found, "web>client:icmp:old").fate is Fate.DENIED


def test_a_wan_address_that_moves_keeps_old_flows() -> None:
    old = probe(outcome("uranus-recommended", "kill"), "client>internet:icmp:old")
    assert old.fate is Fate.OUTAGE
    assert old.outage == CRASH


def test_carp_off_leaves_the_old_master_to_answer_for_its_translations() -> None:
    old = probe(outcome("uranus", "carp-off"), "client>internet:icmp:old")
    assert old.fate is Fate.OUTAGE
    assert "hands them on" in old.reason


def test_without_state_sync_an_old_ping_is_translated_anew() -> None:
    topology = load("uranus")
    unsynced = topology.model_copy(update={"sync": topology.sync.model_copy(update={"pfsync": False})})
    assert probe(predict(unsynced, parse(unsynced, "kill")), "client>internet:icmp:old").fate is Fate.OUTAGE
    assert probe(outcome("uranus", "kill", stage=Stage.XMLRPC), "client>internet:icmp:old").fate is Fate.OUTAGE


def test_losing_the_wan_on_uranus_moves_nothing_and_the_internet_is_gone() -> None:
    found = outcome("uranus", "unplug", network="wan")
    assert not found.moves
    lost = {item.probe.id for item in found.probes if item.fate is Fate.LOST}
    assert lost == {item.probe.id for item in found.probes if item.probe.path.target == "internet"}
    assert "backup is healthy" in probe(found, "client>internet:tcp/80:fresh").reason
    assert probe(found, "client>web:icmp:old").fate is Fate.SURVIVES


def test_losing_the_wan_where_it_has_a_virtual_address_moves_everything() -> None:
    found = outcome("uranus-recommended", "unplug", network="wan")
    assert {vhid.after for vhid in found.vhids} == {"backup"}
    assert found.vhid(5).fault.cause is Cause.SILENCE
    assert {found.vhid(number).fault.cause for number in (1, 2, 3)} == {Cause.DEMOTION}
    assert probe(found, "client>gateway:icmp:old").fate is Fate.SURVIVES
    assert probe(found, "client>internet:icmp:old").outage == CRASH


def test_losing_ha_on_uranus_moves_everything_at_once_but_on_recommended_nothing() -> None:
    found = outcome("uranus", "unplug", network="ha")
    assert {vhid.after for vhid in found.vhids} == {"backup"}
    assert {found.vhid(number).fault.at for number in (1, 2, 3)} == {AT_ONCE}
    assert found.vhid(4).fault.at == CRASH
    assert not outcome("uranus-recommended", "unplug", network="ha").moves


def test_losing_the_lan_strands_its_old_internet_flows_only() -> None:
    found = outcome("uranus", "unplug", network="lan")
    assert probe(found, "client>internet:icmp:old").fate is Fate.LOST
    assert "no link on lan" in probe(found, "client>internet:icmp:old").reason
    assert probe(found, "server>internet:icmp:old").fate is Fate.SURVIVES
    assert probe(found, "client>web:icmp:old").outage == CRASH


def test_replies_asked_for_in_vain_delay_the_return_of_a_cable() -> None:
    assert probe(outcome("uranus", "unplug", network="lan"), "client>gateway:icmp:old").back == Interval(0.0, 1.0)
    assert probe(outcome("uranus", "unplug", network="lan"), "web>gateway:icmp:old").back == AT_ONCE
    recommended = outcome("uranus-recommended", "unplug", network="lan")
    assert probe(recommended, "client>gateway:icmp:old").back == AT_ONCE


@pytest.mark.parametrize(("kind", "cause"), [("maintenance", Cause.NEXT_ADVERT), ("demotion", Cause.DEMOTION)])
def test_graceful_hand_overs_lose_no_ping(kind: str, cause: Cause) -> None:
    found = outcome("uranus", kind)
    assert {vhid.fault.cause for vhid in found.vhids} == {cause}
    pings = [item for item in found.probes if item.probe.path.protocol == "icmp" and item.fate is not Fate.DENIED]
    assert {item.fate for item in pings} == {Fate.SURVIVES}
    assert found.vhids[0].fault.at == (Interval(0.0, 1.0) if kind == "maintenance" else AT_ONCE)


ONE_NODE = [kind.value for kind in FaultKind if kind not in (*ON_A_NETWORK, FaultKind.BOTH, FaultKind.MISTAKE)]


@pytest.mark.parametrize("kind", [*ONE_NODE, "flap lan", "delay lan", "unplug wan"])
def test_nothing_done_to_the_backup_moves_anything(kind: str) -> None:
    found = outcome("uranus", kind, "backup")
    assert not found.moves
    assert {item.fate for item in found.probes} == {Fate.SURVIVES, Fate.DENIED}


def test_two_links_on_one_cut_network_still_read_240() -> None:
    topology = load("uranus")
    nodes = apply(
        apply(healthy(topology), Fault(FaultKind.UNPLUG, "master", "lan")), Fault(FaultKind.DEMOTION, "master")
    )
    assert nodes["master"].carp.effective_skew == 240
    assert nodes["backup"].carp.effective_skew == 100


def test_the_law_follows_base_and_skew() -> None:
    topology = load("uranus")
    slow = topology.model_copy(update={"carp": topology.carp.model_copy(update={"advbase": 3})})
    assert predict(slow, parse(slow, "kill")).vhids[0].fault.at == Interval(6.390625, 9.390625)


def test_real_timers_widen_the_law() -> None:
    topology = load("uranus")
    found = predict(topology, parse(topology, "kill"), conditions=Conditions(hz=100)).vhids[0].fault.at
    assert found is not None
    assert found.low == pytest.approx(2.3, abs=0.05)
    assert found.high == pytest.approx(3.65, abs=0.05)


@pytest.mark.parametrize(
    ("words", "expected"),
    [(("melt",), "carp-off"), (("kill", "third"), "master, backup"), (("unplug", "master", "attic"), "lan")],
)
def test_unknown_faults_say_what_is_known(words: tuple[str, ...], expected: str) -> None:
    with pytest.raises(LabError) as caught:
        parse(load("uranus"), *words)
    assert expected in caught.value.problem.expected


def test_frozen_the_master_is_replaced_and_wakes_as_master() -> None:
    moved = outcome("uranus", "freeze").vhid(1)
    assert moved.after == "backup"
    assert moved.fault.at is not None
    assert moved.fault.at.high == pytest.approx(3.390625, abs=0.01)
    assert moved.back.cause is Cause.THAW
    assert moved.back.two_masters == pytest.approx(1.0, abs=0.01)
    assert moved.back.gap.high == pytest.approx(1.0, abs=0.01)
    early = outcome("uranus", "return-early").vhid(1)
    assert early.fault.certain is False


def test_of_a_ping_that_both_nodes_may_translate_nothing_is_said_when_a_frozen_master_wakes() -> None:
    """Seen on the stand-in: each node took over the other's state, with the other's address, and the replies found none."""

    def new_pings(topology: str, *words: str, stage: Stage = Stage.RULES) -> set[bool]:
        told = outcome(topology, *words, stage=stage).probes
        return {one.back is not None for one in told if "internet:icmp:new" in one.probe.id}

    assert new_pings("uranus", "freeze") == {False}
    assert new_pings("uranus", "freeze", "backup") == {True}
    assert new_pings("uranus", "kill") == {True}
    assert new_pings("uranus", "freeze", stage=Stage.VIPS) == {True}
    assert new_pings("uranus-recommended", "freeze") == {True}


def test_both_at_once_leave_nobody() -> None:
    found = outcome("uranus", "kill-both")
    assert {vhid.fault.cause for vhid in found.vhids} == {Cause.NOBODY}
    assert {item.fate for item in found.probes} == {Fate.LOST, Fate.DENIED}


def test_a_flap_is_an_outage_where_the_same_cable_left_out_would_lose_what_is_old() -> None:
    def fate(kind: str) -> Fate:
        found = outcome("uranus", kind, network="lan")
        return next(item.fate for item in found.probes if item.probe.id == "client>internet:icmp:old")

    assert fate("unplug") is Fate.LOST
    assert fate("flap") is Fate.OUTAGE


def test_loss_and_delay_move_nothing_and_touch_only_what_crosses_that_network() -> None:
    for kind, fate in (("loss", Fate.THINNED), ("delay", Fate.SLOWED)):
        found = outcome("uranus", kind, network="srv")
        assert not found.moves
        touched = {item.probe.source for item in found.probes if item.fate is fate}
        assert touched == {"client", "server"}


@pytest.mark.parametrize("mistake", list(Mistake))
def test_every_mistake_breaks_what_names_it(mistake: Mistake) -> None:
    found = outcome("uranus", mistake.value)
    assert not found.moves
    assert found.breaks
    others = [outcome("uranus", other.value).breaks for other in Mistake if other is not mistake]
    assert all(found.breaks != other for other in others)


def test_every_fault_is_in_the_catalogue() -> None:
    topology = load("uranus")
    faults = list(matrix(topology))
    assert {fault.kind for fault in faults} == set(FaultKind)
    assert {fault.mistake for fault in faults} == {None, *Mistake}
    for fault in faults:
        words = str(fault).split()
        network = fault.network or ""
        assert parse(topology, words[0], fault.node, network) == fault
        assert about(fault).teaches


def test_a_stage_has_only_the_mistakes_that_can_be_made_in_it() -> None:
    topology = load("uranus")
    made = {fault.mistake for fault in matrix(topology, Stage.VIPS)} - {None}
    assert made == {Mistake.PASSWORD, Mistake.VHID, Mistake.SKEW, Mistake.MASK}
    assert len({fault.mistake for fault in matrix(topology, Stage.XMLRPC)} - {None}) == 6


@pytest.mark.parametrize(
    ("network", "fate"), [("dmz", Fate.SURVIVES), ("lan", Fate.OUTAGE)], ids=["its target's cable", "its own cable"]
)
def test_datagrams_go_one_way_and_wait_for_their_own_gateway_alone(network: str, fate: Fate) -> None:
    streams = {one.probe.id: one for one in outcome("uranus", "unplug", "", network).streams}
    assert streams["client>web:udp/7003:datagram"].fate is fate
    assert streams["client>web:tcp/7001:stream"].fate is Fate.OUTAGE


def test_datagrams_need_no_state_of_the_old_master() -> None:
    streams = {one.probe.id: one for one in outcome("uranus", "kill", stage=Stage.VIPS).streams}
    assert streams["client>web:udp/7003:datagram"].fate is Fate.OUTAGE

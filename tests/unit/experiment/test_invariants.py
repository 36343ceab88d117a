"""What has to hold: it does in a lab as it is built, and every mistake breaks what names it, and nothing else."""

from __future__ import annotations

import hashlib

import pytest

from lab.appliances.config_file import DIGEST_LENGTH, EMPTY, MIDDLE, SECTIONS, digests, parse_listing
from lab.errors import LabError
from lab.expect.fault import parse
from lab.expect.invariants import Name
from lab.expect.mistake import Line, Mistake, apply_edits, breaks, edits
from lab.expect.outcome import predict
from lab.experiment.invariants import Config, expecting, in_the_settings, on_the_wire
from lab.experiment.result import Invariant, Look
from lab.experiment.wire import Ledger, Roster
from lab.paths import project_root
from lab.render.config_xml import config_xml
from lab.topology.load import load_topology
from lab.topology.model import Topology
from lab.topology.plan import make_plan
from lab.topology.secrets import Secrets
from lab.topology.stage import Stage
from tests.unit.experiment.frames import EPOCH, adverts

SALT = "salt"
SECRETS = Secrets("Admin-pass.1", "x", "carp-word")
ON_THE_WIRE = {Name.ONE_MASTER, Name.ALL_ON_ONE, Name.STATES}


def load(name: str) -> Topology:
    return load_topology(name, project_root() / "topologies")


def rendered(topology: Topology, node: str, stage: Stage = Stage.RULES) -> str:
    return config_xml(make_plan(topology), node, stage, SECRETS, revision_time=0)


def listing(text: str) -> tuple[Line, ...]:
    """By the words of the script that a firewall runs (lab.appliances.config_file.LOOK), in Python."""
    rows, secret = [], []
    for tag in SECTIONS:
        inside = False
        for number, line in enumerate(text.split("\n"), 1):
            inside = inside or line == f"\t<{tag}>"
            if inside:
                shown = line.partition("<password>")[0] + EMPTY if EMPTY in line else line
                rows += [str(number), shown]
            inside = inside and line != f"\t</{tag}>"
    for number, line in enumerate(text.split("\n"), 1):
        if EMPTY in line:
            word = hashlib.sha256(f"{SALT}{line.strip()}".encode()).hexdigest()[:DIGEST_LENGTH]
            secret.append(f"{number} {word}")
    return parse_listing("\n".join([*rows, MIDDLE, *secret]))


def look(topology: Topology, texts: dict[str, str], stage: Stage = Stage.RULES) -> list[Invariant]:
    configs = {node: Config(listing(text), SALT) for node, text in texts.items()}
    return list(in_the_settings(topology, stage, configs, SECRETS, Look.DURING))


@pytest.mark.parametrize("name", ["uranus", "uranus-recommended"])
@pytest.mark.parametrize("stage", list(Stage))
def test_a_lab_as_it_is_built_breaks_nothing(name: str, stage: Stage) -> None:
    topology = load(name)
    found = look(topology, {node: rendered(topology, node, stage) for node in topology.firewalls}, stage)
    assert [one for one in found if not one.holds] == []
    assert bool(found) == stage.reaches(Stage.VIPS)


@pytest.mark.parametrize("name", ["uranus", "uranus-recommended"])
@pytest.mark.parametrize("mistake", list(Mistake))
def test_every_mistake_is_named_and_nothing_else_is(name: str, mistake: Mistake) -> None:
    topology = load(name)
    fault = parse(topology, mistake.value)
    texts = {node: rendered(topology, node) for node in topology.firewalls}
    changes = edits(topology, fault.node, mistake, listing(texts[fault.node]))
    texts[fault.node] = apply_edits(texts[fault.node], changes)
    found = look(topology, texts)
    broken = [one for one in found if not one.holds]
    assert {Name(one.name) for one in broken} == breaks(topology, fault.node, mistake) - ON_THE_WIRE
    if mistake is not Mistake.XMLRPC_RULE:
        assert any(fault.node in one.subject for one in broken)
    judged = expecting(found, predict(topology, fault).breaks)
    assert all(one.ok for one in judged)


def test_a_mistake_that_nobody_notices_is_a_problem() -> None:
    topology = load("uranus")
    found = look(topology, {node: rendered(topology, node) for node in topology.firewalls})
    judged = expecting(found, frozenset((Name.MASK,)))
    wrong = [one for one in judged if not one.ok]
    assert [one.name for one in wrong] == [Name.MASK]


def test_no_password_is_ever_listed() -> None:
    topology = load("uranus")
    text = "\n".join(line.text for node in topology.firewalls for line in listing(rendered(topology, node)))
    assert SECRETS.carp not in text
    assert SECRETS.admin not in text
    assert any(word in text for word in digests(SALT, SECRETS.carp))


def test_a_mistake_where_there_is_nothing_to_mistake_is_refused() -> None:
    topology = load("uranus")
    with pytest.raises(LabError, match="nothing in backup's config"):
        edits(topology, "backup", Mistake.SYNC_PASSWORD, listing(rendered(topology, "backup")))


def wire(frames: list, now: float, home: bool = True) -> dict[str, list[Invariant]]:  # type: ignore[type-arg]
    topology = load("uranus")
    ledger = Ledger(Roster.of(topology))
    ledger.feed(sorted(frames))
    found: dict[str, list[Invariant]] = {}
    for one in on_the_wire(topology, Stage.RULES, ledger, EPOCH + now, Look.AFTER, home):
        found.setdefault(one.name, []).append(one)
    return found


def healthy() -> list:  # type: ignore[type-arg]
    topology = load("uranus")
    frames = []
    for vip in topology.carp.vips:
        address = str(topology.firewalls["master"].addresses[vip.network])
        frames += adverts(vip.network, vip.vhid, address, 0, 0.1, 10.0)
    return frames


def test_the_wire_of_a_healthy_lab_breaks_nothing() -> None:
    assert all(one.holds for own in wire(healthy(), 10.0).values() for one in own)


def test_two_masters_that_do_not_believe_each_other_are_seen_whoever_spoke_last() -> None:
    rival = adverts("lan", 1, "172.17.1.253", 100, 3.6, 10.0)
    for now in (9.2, 9.6, 10.0):
        found = wire(healthy() + rival, now)
        assert [one.subject for one in found[Name.ONE_MASTER] if not one.holds] == ["VHID 1 on lan"]
        assert not found[Name.ALL_ON_ONE][0].holds
        assert found[Name.PREEMPTED][0].holds is False


def test_a_vhid_that_is_not_the_topologys_is_named_with_its_sender() -> None:
    found = wire(healthy() + adverts("lan", 101, "172.17.1.253", 100, 3.6, 10.0), 10.0)
    assert "VHID 101 on lan from backup" in found[Name.VHID][0].seen
    assert all(one.holds for one in found[Name.ONE_MASTER])


def test_a_master_that_was_just_preempted_is_none_though_its_slow_advert_is_not_due() -> None:
    frames = []
    for vip in load("uranus").carp.vips:
        one, other = (str(load("uranus").firewalls[node].addresses[vip.network]) for node in ("master", "backup"))
        frames += adverts(vip.network, vip.vhid, one, 0, 0.1, 5.0) + adverts(vip.network, vip.vhid, one, 240, 5.0, 5.1)
        frames += adverts(vip.network, vip.vhid, other, 100, 5.01, 10.0)
    found = wire(frames, 7.0, home=False)
    assert all(one.holds and one.seen == "backup" for name in (Name.ONE_MASTER, Name.ALL_ON_ONE) for one in found[name])

"""Who may reach whom: the documents' rules, stage by stage."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from lab.expect.paths import Packet, PathKind, Why, default_lan_rule, judge, matrix, reach, states_synced, sync_paths
from lab.paths import project_root
from lab.topology.load import load_topology
from lab.topology.model import Rule, Topology
from lab.topology.stage import Stage

PUBLIC = IPv4Address("203.0.113.10")
LAN_CLIENT = IPv4Address("172.17.1.10")


def load(name: str) -> Topology:
    return load_topology(name, project_root() / "topologies")


@pytest.fixture(params=["uranus", "uranus-recommended", "uranus-as-written"])
def topology(request: pytest.FixtureRequest) -> Topology:
    return load(request.param)


def verdicts(topology: Topology, stage: Stage) -> dict[str, bool]:
    return {path.id: path.verdict.allowed for path in matrix(topology, stage)}


def test_the_complete_matrix(topology: Topology) -> None:
    allowed = {name for name, ok in verdicts(topology, Stage.RULES).items() if ok}
    denied = {name for name, ok in verdicts(topology, Stage.RULES).items() if not ok}
    assert allowed == {
        *(f"{name}>gateway:icmp" for name in ("client", "server", "web")),
        *(f"client>{name}:{how}" for name in ("server", "web", "internet") for how in ("icmp", "tcp/80")),
        *(f"server>{name}:{how}" for name in ("web", "internet") for how in ("icmp", "tcp/80")),
        *(f"web>internet:{how}" for how in ("icmp", "tcp/80")),
    }
    assert denied == {
        *(f"server>client:{how}" for how in ("icmp", "tcp/80")),
        *(f"web>{name}:{how}" for name in ("client", "server") for how in ("icmp", "tcp/80")),
        *(f"internet>{name}:{how}" for name in ("client", "server", "web") for how in ("icmp", "tcp/80")),
        *(f"internet>{name}:tcp/443" for name in ("master", "backup")),
    }


def test_before_the_rules_only_the_lan_gets_out(topology: Topology) -> None:
    found = verdicts(topology, Stage.XMLRPC)
    assert {name for name, ok in found.items() if ok} == {
        "client>gateway:icmp",
        *(f"client>{name}:{how}" for name in ("server", "web", "internet") for how in ("icmp", "tcp/80")),
    }


def test_without_virtual_addresses_no_gateway_answers() -> None:
    paths = [path for path in matrix(load("uranus"), Stage.BARE) if path.kind is not PathKind.INBOUND]
    inside = [path for path in paths if path.kind is not PathKind.FIREWALL]
    assert {path.verdict.why for path in inside} == {Why.NO_VIP_YET}


@pytest.mark.parametrize("stage", [Stage.PFSYNC, Stage.XMLRPC])
def test_sync_is_denied_until_the_rules_and_the_missing_one_is_named(topology: Topology, stage: Stage) -> None:
    paths = sync_paths(topology, stage)
    assert [verdict.allowed for verdict in paths.values()] == [False, False]
    assert paths["xmlrpc"].missing is not None
    assert "Autoriser XMLRPC" in paths["xmlrpc"].reason
    assert "pfsync" in paths["pfsync"].reason
    assert not states_synced(topology, stage)
    assert all(verdict.allowed for verdict in sync_paths(topology, Stage.RULES).values())
    assert states_synced(topology)


def test_the_first_match_decides() -> None:
    topology = load("uranus")
    packet = Packet("srv", IPv4Address("172.17.2.10"), LAN_CLIENT, "icmp")
    verdict = judge(topology, Stage.RULES, packet)
    assert not verdict.allowed
    assert verdict.rule is not None
    assert verdict.rule.descr == "SRV not to LAN"
    reordered = tuple(rule for rule in topology.rules if rule.descr == "SRV to any") + topology.rules
    assert judge(topology.model_copy(update={"rules": reordered}), Stage.RULES, packet).allowed


def test_a_rule_speaks_for_its_own_interface_only() -> None:
    strayed = Packet("dmz", LAN_CLIENT, PUBLIC, "icmp")
    assert judge(load("uranus"), Stage.RULES, strayed).why is Why.DEFAULT_DENY


def test_dmz_reaches_its_own_gateway_and_no_other_address_of_the_firewall() -> None:
    topology = load("uranus")
    assert reach(topology, Stage.RULES, "web", IPv4Address("172.17.3.252"), "icmp").allowed
    for address in ("172.17.3.254", "172.17.3.253", "172.17.1.252", "192.168.1.168"):
        assert not reach(topology, Stage.RULES, "web", IPv4Address(address), "icmp").allowed, address
    assert not reach(topology, Stage.RULES, "web", IPv4Address("172.17.3.252"), "tcp", 443).allowed


def test_the_lan_cannot_lock_itself_out() -> None:
    topology = load("uranus").model_copy(update={"rules": ()})
    verdict = reach(topology, Stage.RULES, "client", IPv4Address("172.17.1.252"), "tcp", 443)
    assert verdict.why is Why.ANTI_LOCKOUT
    assert reach(topology, Stage.RULES, "client", IPv4Address("172.17.2.252"), "tcp", 443).why is Why.DEFAULT_DENY


def test_negation_ports_and_addresses() -> None:
    rule = Rule.model_validate({"on": "dmz", "protocol": "tcp", "from": "172.17.3.10", "to": "!lan", "port": 80})
    topology = load("uranus").model_copy(update={"rules": (rule,)})
    assert reach(topology, Stage.RULES, "web", PUBLIC, "tcp", 80).allowed
    assert not reach(topology, Stage.RULES, "web", PUBLIC, "tcp", 81).allowed
    assert not reach(topology, Stage.RULES, "web", PUBLIC, "icmp").allowed
    assert not reach(topology, Stage.RULES, "web", LAN_CLIENT, "tcp", 80).allowed


def test_private_sources_are_dropped_where_the_wan_blocks_them() -> None:
    topology = load("uranus")
    wan = topology.networks["wan"].model_copy(update={"block_private": True})
    blocking = topology.model_copy(update={"networks": {**topology.networks, "wan": wan}})
    assert reach(blocking, Stage.RULES, "internet", LAN_CLIENT, "icmp").why is Why.BLOCK_PRIVATE


def test_neighbours_need_no_firewall() -> None:
    assert reach(load("uranus"), Stage.BARE, "client", IPv4Address("172.17.1.77"), "icmp").why is Why.SAME_SEGMENT


def test_lan_is_the_first_inside_network_wherever_the_sync_network_stands() -> None:
    """As config.xml has it: a sync network that is written first never becomes pfSense's LAN."""
    topology = load("uranus")
    networks = {name: topology.networks[name] for name in ("wan", "ha", "lan", "srv", "dmz")}
    assert default_lan_rule(topology.model_copy(update={"networks": networks})).on == "lan"

"""config.xml: golden files, and the rules pfSense's own reader imposes."""

from __future__ import annotations

from collections import Counter

import pytest
from lxml import etree

from lab.config.hasync import SYNCHRONIZE
from lab.render.config.interfaces import description
from lab.render.config.tree import leaf
from lab.render.config_xml import config_xml
from lab.topology.model import Nat, Outbound, Rule
from lab.topology.plan import make_plan
from lab.topology.stage import Stage
from tests.golden_files import assert_golden
from tests.render.plans import REVISION_TIME, SECRETS, plan, topology

NAMES = ("uranus", "uranus-recommended")
NODES = ("master", "backup")
# Names that pfSense 2.7.0 reads as lists (listtags() in xmlparse.inc), as far as they occur here.
LISTS = {"group", "user", "member", "priv", "dnsserver", "item", "rule", "vip", "gateway_item"}


def rendered(name: str, stage: Stage = Stage.RULES, node: str = "master") -> str:
    return config_xml(plan(name), node, stage, SECRETS, revision_time=REVISION_TIME)


def tree(name: str, stage: Stage = Stage.RULES, node: str = "master") -> etree._Element:
    return etree.fromstring(rendered(name, stage, node).encode())


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("name", NAMES)
def test_golden(name: str, stage: Stage, node: str) -> None:
    assert_golden(f"config/{name}/{stage.value}-{node}.xml", rendered(name, stage, node))


@pytest.mark.parametrize("name", NAMES)
def test_first_two_lines_are_what_the_configuration_locator_takes(name: str) -> None:
    lines = rendered(name).split("\n")
    assert lines[:2] == ['<?xml version="1.0"?>', "<pfsense>"]
    assert "\r" not in rendered(name)
    assert "<!--" not in rendered(name)


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("name", NAMES)
def test_only_list_tags_repeat(name: str, stage: Stage) -> None:
    for parent in tree(name, stage).iter():
        repeated = {tag for tag, times in Counter(child.tag for child in parent).items() if times > 1}
        assert repeated <= LISTS


def test_empty_tags_are_written_in_full() -> None:
    assert "/>" not in rendered("uranus")
    assert "<enableserial></enableserial>" in rendered("uranus")


def test_text_fields_are_cdata_as_pfsense_writes_them() -> None:
    text = rendered("uranus")
    for field in ("<descr>", "<password>", "<username>", "<statetype>", "<description>"):
        assert text.count(field) == text.count(field + "<![CDATA[")


def test_markup_in_a_description_survives_pfsense_decoding_it() -> None:
    rule = Rule.model_validate({"on": "lan", "descr": "a & b <c> ]]> d"})
    changed = topology("uranus").model_copy(update={"rules": (rule,)})
    text = config_xml(make_plan(changed), "master", Stage.RULES, SECRETS, revision_time=1)
    assert "<descr><![CDATA[a &amp; b &lt;c&gt; ]]&gt; d]]></descr>" in text


@pytest.mark.parametrize("name", NAMES)
def test_nodes_differ_only_where_they_must(name: str) -> None:
    master, backup = (tree(name, Stage.PFSYNC, node) for node in NODES)
    pairs = zip(master.iter(), backup.iter(), strict=True)
    different = {one.getroottree().getpath(one) for one, other in pairs if one.text != other.text}
    last = {path.rsplit("/", 1)[1] for path in different}
    assert last == {"hostname", "ipaddr", "advskew", "pfhostid", "pfsyncpeerip"}


def test_configuration_sync_is_the_masters_alone_and_ticks_everything() -> None:
    master, backup = (tree("uranus", Stage.XMLRPC, node).find("hasync") for node in NODES)
    assert master is not None
    assert backup is not None
    assert {child.tag for child in backup} == {"pfsyncenabled", "pfsyncpeerip", "pfsyncinterface", "pfhostid"}
    assert all(master.findtext(tag) == "on" for tag in ("adminsync", *SYNCHRONIZE))
    assert len(SYNCHRONIZE) == 19
    assert master.findtext("synchronizetoip") == master.findtext("pfsyncpeerip") == "172.17.4.253"
    assert backup.findtext("pfsyncpeerip") == "172.17.4.254"


def test_each_stage_keeps_what_the_earlier_ones_have_but_the_shipped_rule() -> None:
    seen: set[str] = set()
    for stage in Stage:
        root = tree("uranus", stage)
        for element in (*root.findall("filter"), *root.findall("revision")):
            root.remove(element)
        paths = {root.getroottree().getpath(element) for element in root.iter()}
        assert seen <= paths
        seen = paths


def test_before_the_rules_stage_only_the_shipped_lan_rule_exists() -> None:
    for stage in (Stage.BARE, Stage.VIPS, Stage.PFSYNC, Stage.XMLRPC):
        rules = tree("uranus", stage).findall("filter/rule")
        assert [(rule.findtext("interface"), rule.findtext("type")) for rule in rules] == [("lan", "pass")]


def test_sync_rules_stand_on_the_sync_interface() -> None:
    rules = tree("uranus").findall("filter/rule")
    assert [
        (rule.findtext("protocol"), rule.findtext("source/network"), rule.findtext("destination/network"))
        for rule in rules
        if rule.findtext("interface") == "opt3"
    ] == [("tcp", "opt3", "(self)"), ("pfsync", "opt3", "(self)")]
    trackers = [rule.findtext("tracker") for rule in rules]
    assert len(set(trackers)) == len(trackers)
    assert all(tracker and len(tracker) == 10 for tracker in trackers)


def test_outbound_nat_to_the_vip_names_the_inside_networks_only() -> None:
    outbound = tree("uranus-recommended").find("nat/outbound")
    assert outbound is not None
    assert outbound.findtext("mode") == "advanced"
    sources = [rule.findtext("source/network") for rule in outbound.findall("rule")]
    assert sources == ["172.17.1.0/24", "172.17.2.0/24", "172.17.3.0/24"]
    assert {rule.findtext("target") for rule in outbound.findall("rule")} == {"192.168.1.252"}


def test_outbound_nat_to_the_vip_needs_a_vip() -> None:
    without = topology("uranus").model_copy(update={"nat": Nat(outbound=Outbound.VIP)})
    text = config_xml(make_plan(without), "master", Stage.RULES, SECRETS, revision_time=1)
    assert "<mode>automatic</mode>" in text


def test_private_network_blocks_are_tags_by_presence() -> None:
    networks = dict(topology("uranus").networks)
    assert tree("uranus").find("interfaces/wan/blockpriv") is None
    networks["wan"] = networks["wan"].model_copy(update={"block_private": True})
    changed = make_plan(topology("uranus").model_copy(update={"networks": networks}))
    text = config_xml(changed, "master", Stage.RULES, SECRETS, revision_time=1)
    assert text.count("<blockpriv></blockpriv>") == 1
    assert "blockbogons" not in text


def test_a_machine_that_is_no_firewall_has_no_configuration() -> None:
    with pytest.raises(KeyError):
        config_xml(plan("uranus"), "client", Stage.RULES, SECRETS, revision_time=1)


def test_a_network_with_a_name_of_pf_gets_another_description() -> None:
    """pfSense's page refuses such names, and pf would take `route` for its own word."""
    assert [description(name) for name in ("dmz", "route", "max", "ipsec")] == [
        "DMZ",
        "ROUTE_NET",
        "MAX_NET",
        "IPSEC_NET",
    ]


def test_blanks_alone_are_written_as_pfsense_reads_them() -> None:
    assert etree.tostring(leaf("descr", "  ")) == b"<descr></descr>"

"""Lint: for every rule a topology that deserves it, at the right line, and one that does not."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from lab.topology.lint import RULES, Remark, Severity, lint, refusals
from lab.topology.load import parse_source, parse_topology
from tests.golden_files import assert_golden
from tests.render.plans import TOPOLOGIES

GOOD = (TOPOLOGIES / "uranus-recommended.yaml").read_text()
DOCS = TOPOLOGIES.parent / "docs" / "lint.md"


def remarks(text: str, *, private_namespace: bool = True) -> tuple[Remark, ...]:
    topology, source = parse_source(text, "file.yaml")
    return lint(topology, source, private_namespace=private_namespace)


def ids(text: str, *, private_namespace: bool = True) -> set[str]:
    return {remark.id for remark in remarks(text, private_namespace=private_namespace)}


@dataclass(frozen=True)
class Bad:
    """Edits that earn a remark. at: what the line complained about contains. near: edits that come close but are fine."""

    id: str
    at: str
    edits: tuple[tuple[str, str], ...]
    near: tuple[tuple[str, str], ...] = ()


def edited(edits: tuple[tuple[str, str], ...]) -> str:
    text = GOOD
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    return text


WAN_VIP = "    - {network: wan, address: 192.168.1.252, vhid: 5, descr: ip virtuelle CARP WAN}\n"
NO_WAN_VIP = ((WAN_VIP, ""), ("nat: {outbound: vip}", "nat: {outbound: interface}"))
DMZ_VIP = "    - {network: dmz, address: 172.17.3.252, vhid: 3, descr: ip virtuelle CARP DMZ}\n"
HA_VIP = DMZ_VIP + "    - {network: ha, address: 172.17.4.252, vhid: 4}\n"
XMLRPC_RULE = "  - {on: ha, action: pass, protocol: tcp, from: ha, to: firewall, port: 443, descr: Autoriser XMLRPC}\n"
PFSYNC_RULE = (
    "  - {on: ha, action: pass, protocol: pfsync, from: ha, to: firewall, descr: Synchronisation des etats (pfsync)}\n"
)
LAN_RULE = "  - {on: lan, action: pass, from: lan, to: any, descr: LAN to any}\n"
WAN_LINE = "{subnet: 192.168.1.0/24, role: wan, gateway: 192.168.1.1}"
PASSWORD = "password: generated"
VIPS = GOOD[GOOD.index("  vips:\n") : GOOD.index("\nsync:")]

BAD = (
    Bad("U001", "192.168.1.168, lan: 172.17.1.253", (("wan: 192.168.1.169", "wan: 192.168.1.168"),)),
    Bad("U002", "{network: lan", NO_WAN_VIP),
    Bad("U003", "role: wan", NO_WAN_VIP),
    Bad("U004", "block_private", ((WAN_LINE, WAN_LINE.replace("role", "block_private: true, role")),)),
    Bad("U005", "addressing: dhcp", ((WAN_LINE, WAN_LINE.replace("role", "addressing: dhcp, role")),)),
    Bad("U007", "172.17.4.10", (("machines:\n", "machines:\n  spy: {network: ha, address: 172.17.4.10}\n"),)),
    Bad("U008", "172.17.3.0/24", ((DMZ_VIP, ""), ("to: 172.17.3.252", "to: 172.17.3.254"))),
    Bad("U009", "vhid: 2, descr: ip virtuelle CARP DMZ", (("vhid: 3", "vhid: 2"),)),
    Bad("U020", "vips: []", ((VIPS, "  vips: []\n"), ("outbound: vip", "outbound: interface"))),
    Bad("U021", "172.17.4.252", ((DMZ_VIP, HA_VIP),)),
    Bad("U022", "advskew: 100", (("advskew: 0", "advskew: 100"),), (("advskew: 0", "advskew: 99"),)),
    Bad("U023", "advskew: 100", (("advskew: 0", "advskew: 101"),), (("advskew: 0", "advskew: 99"),)),
    Bad("U024", "advskew: 154", (("advskew: 0", "advskew: 154"),), (("advskew: 0", "advskew: 153"),)),
    Bad("U025", "advskew: 50", (("advskew: 100", "advskew: 50"),)),
    Bad("U026", "advbase: 2", (("advbase: 1", "advbase: 2"),)),
    Bad("U027", "password:", ((PASSWORD, "password: PfSense"),), ((PASSWORD, "password: Gez8-ku.Wo"),)),
    Bad("U027", "password:", ((PASSWORD, "password: Gez8-ku"),)),
    Bad("U028", "pfsync: false", (("pfsync: true", "pfsync: false"),)),
    Bad("U029", "xmlrpc: false", (("xmlrpc: true", "xmlrpc: false"),)),
    Bad("U040", "outbound: interface", (("outbound: vip", "outbound: interface"),)),
    Bad("U041", "{on: lan, action: pass", ((XMLRPC_RULE, ""),), ((XMLRPC_RULE, ""), ("xmlrpc: true", "xmlrpc: false"))),
    Bad("U041", "action: block, protocol: tcp, from: ha", ((XMLRPC_RULE, XMLRPC_RULE.replace("pass", "block")),)),
    Bad("U041", "{on: lan, action: pass", (("port: 443", "port: 80"),), (("protocol: tcp, ", ""), (", port: 443", ""))),
    Bad("U042", "{on: lan, action: pass", ((PFSYNC_RULE, ""),), ((PFSYNC_RULE, ""), ("pfsync: true", "pfsync: false"))),
    Bad("U043", "LAN to DMZ", ((LAN_RULE, LAN_RULE + "  - {on: lan, from: lan, to: dmz, descr: LAN to DMZ}\n"),)),
    Bad("U044", "172.17.1.0/24", ((LAN_RULE, ""),)),
)


def test_the_recommended_topology_is_clean() -> None:
    assert remarks(GOOD) == ()


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.id)
def test_rule(bad: Bad) -> None:
    text = edited(bad.edits)
    found = [remark for remark in remarks(text) if remark.id == bad.id]
    assert len(found) == 1
    assert bad.at in text.splitlines()[found[0].finding.line - 1]
    assert found[0].id in str(found[0])
    assert bad.id not in ids(edited(bad.near))


def test_docker_range_matters_only_on_the_hosts_own_network() -> None:
    assert "U006" not in ids(GOOD)
    found = [remark for remark in remarks(GOOD, private_namespace=False) if remark.id == "U006"]
    assert [remark.finding.where for remark in found] == [
        f"networks.{name}.subnet" for name in ("lan", "srv", "dmz", "ha")
    ]


def test_every_rule_is_tested_and_documented() -> None:
    numbers = [rule.id for rule in RULES]
    assert len(set(numbers)) == len(numbers)
    assert set(numbers) == {bad.id for bad in BAD} | {"U006"}
    documented = DOCS.read_text()
    for rule in RULES:
        assert f"| {rule.id} | {rule.severity.value} | {rule.explanation} |" in documented


@pytest.mark.parametrize("name", ["uranus", "uranus-as-written", "uranus-recommended"])
def test_what_is_said_of_the_shipped_files(name: str) -> None:
    path = TOPOLOGIES / f"{name}.yaml"
    topology, source = parse_source(path.read_text(), path.name)
    assert_golden(f"lint/{name}.txt", "".join(f"{remark}\n" for remark in lint(topology, source)))


def test_the_document_as_written_is_refused_and_the_others_are_not() -> None:
    refused = {path.stem: refusals(parse_topology(path.read_text(), path.name)) for path in TOPOLOGIES.glob("*.yaml")}
    assert [remark.id for remark in refused.pop("uranus-as-written")] == ["U001"]
    assert set(refused.values()) == {()}
    assert Severity.ERROR in {rule.severity for rule in RULES}

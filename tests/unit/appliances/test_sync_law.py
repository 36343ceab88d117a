"""What a sync must leave on the backup, worked out from the master's configuration."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import pytest

from lab.appliances.stored_config import tree_of, tree_of_file
from lab.appliances.sync_law import compare, meant
from tests.golden_files import GOLDEN

CONFIGS = GOLDEN / "config" / "uranus"
MASTER, BACKUP = ((CONFIGS / f"rules-{role}.xml").read_text() for role in ("master", "backup"))


def tree(text: str, *edits: tuple[str, str]) -> Element:
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    return tree_of_file(text.encode())


def wrong(master: Element, backup: Element) -> dict[str, int]:
    return {each.section: len(each.wrong) for each in compare(master, backup) if each.wrong}


def test_the_nodes_of_a_new_lab_are_in_step_and_differ_where_they_may() -> None:
    found = compare(tree(MASTER), tree(BACKUP))
    assert [each.section for each in found if each.wrong] == []
    assert {each.section for each in found if each.differ} == {"system", "interfaces", "virtualip", "hasync"}


@pytest.mark.parametrize(
    ("section", "old", "new"),
    [
        ("filter", "<type>block</type>", "<type>pass</type>"),
        ("virtualip", "<advskew>100</advskew>", "<advskew>0</advskew>"),
        ("virtualip", "<subnet>172.17.2.252</subnet>", "<subnet>172.17.2.251</subnet>"),
        ("aliases", "<aliases></aliases>", "<aliases><alias><name>a</name></alias></aliases>"),
        ("nat", "<mode>automatic</mode>", "<mode>disabled</mode>"),
        ("system", "<nextuid>", "<user><name>zoe</name><uid>2000</uid></user><nextuid>"),
    ],
)
def test_a_backup_that_is_not_as_the_master_wants_it_is_found(section: str, old: str, new: str) -> None:
    assert list(wrong(tree(MASTER), tree(BACKUP, (old, new)))) == [section]


def test_what_is_not_ticked_may_differ() -> None:
    unticked = ("<synchronizerules><![CDATA[on]]>", "<synchronizerules>")
    old = unticked if unticked[0] in MASTER else ("<synchronizerules>on<", "<synchronizerules><")
    assert wrong(tree(MASTER, old), tree(BACKUP, ("<type>block</type>", "<type>pass</type>"))) == {}


def test_items_marked_nosync_and_own_aliases_stay_away() -> None:
    rule = "<rule><descr>private</descr><tracker>1</tracker><nosync></nosync></rule>"
    alias = "<vip><mode>ipalias</mode><interface>lan</interface><subnet>172.17.1.9</subnet><uniqid>9</uniqid></vip>"
    master = tree(MASTER, ("<filter>", f"<filter>{rule}"), ("<virtualip>", f"<virtualip>{alias}"))
    assert wrong(master, tree(BACKUP)) == {}
    assert list(wrong(master, tree(BACKUP, ("<filter>", f"<filter>{rule}")))) == ["filter"]


def test_a_skew_above_the_range_is_capped() -> None:
    skewed = tree(MASTER, *[("<advskew>0</advskew>", "<advskew>200</advskew>")] * 4)
    assert wrong(skewed, tree(BACKUP, *[("<advskew>100</advskew>", "<advskew>254</advskew>")] * 4)) == {}


def test_an_answer_over_xmlrpc_and_a_file_compare() -> None:
    told = tree_of({"filter": {"rule": [{"type": "pass", "descr": "a"}]}, "aliases": [], "vlans": "", "x": {"0": "1"}})
    text = "<?xml version='1.0'?>\n<pfsense><filter><rule><descr><![CDATA[a]]></descr><type>pass</type></rule></filter></pfsense>"
    assert [each.path for each in meant(told, tree(text))] == ["x/0"]
    holes = tree_of({"filter": {"rule": {"0": {"descr": "a"}, "2": {"descr": "b"}}}})
    assert [each.findtext("descr") for each in holes.findall("filter/rule")] == ["a", "b"]

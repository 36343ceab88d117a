"""Where two nodes' configurations differ, by section."""

from __future__ import annotations

from lab.config.differences import by_section, differences
from lab.config.tree import parse
from tests.golden_files import GOLDEN

FOLDER = GOLDEN / "config" / "uranus"


def text(name: str) -> str:
    return (FOLDER / name).read_text()


def found(one: str, other: str) -> list[tuple[str, str | None, str | None]]:
    roots = [parse(each.encode()).root for each in (one, other)]
    return [(each.path, each.one, each.other) for each in differences(*roots)]


def test_a_file_and_itself() -> None:
    assert found(text("rules-master.xml"), text("rules-master.xml")) == []


def test_layout_and_cdata_say_nothing() -> None:
    other = text("rules-master.xml").replace("\t", " ").replace("<descr><![CDATA[LAN to any]]>", "<descr>LAN to any")
    other = other.replace("<time>1700000000", "<time>1800000000").replace("<wol></wol>", "<wol/>")
    assert found(text("rules-master.xml"), other) == []


def test_the_nodes_of_a_cluster_differ_in_what_is_theirs() -> None:
    roots = [parse(text(f"pfsync-{node}.xml").encode()).root for node in ("master", "backup")]
    sections = by_section(differences(*roots))
    assert set(sections) == {"system", "interfaces", "virtualip", "hasync"}
    assert [each.path for each in sections["system"]] == ["system/hostname"]
    assert {each.path.rsplit("/", 1)[1] for each in sections["virtualip"]} == {"advskew"}
    assert (sections["virtualip"][0].one, sections["virtualip"][0].other) == ("0", "100")


def test_a_rule_that_is_missing_does_not_move_the_others() -> None:
    one = text("rules-master.xml")
    start = one.index("\t\t<rule>\n\t\t\t<tracker>1700000002")
    other = one[:start] + one[one.index("\t\t<rule>\n\t\t\t<tracker>1700000003") :]
    paths = [path for path, *_ in found(one, other)]
    assert all("1700000002" in path or path == "filter/rule/order()" for path in paths)
    assert ("filter/rule[tracker='1700000002']/type", "block", None) in found(one, other)


def test_the_order_of_rules_matters() -> None:
    one = text("rules-master.xml")
    other = (
        one.replace("1700000001", "x")
        .replace("1700000002", "1700000001")
        .replace("x</tracker>", "1700000002</tracker>")
    )
    assert "filter/rule/order()" in [path for path, *_ in found(one, other)]


def test_secrets_are_not_shown() -> None:
    one = text("rules-master.xml")
    other = one.replace("carp-pass-of-19-chr", "another-password", 1)
    assert [(first, second) for _, first, second in found(one, other)] == [("(hidden)", "(hidden)")]


def test_an_empty_section_says_the_same_as_none_and_a_switch_does_not() -> None:
    one = text("rules-master.xml")
    assert found(one, one.replace("\t<shaper></shaper>\n", "")) == []
    switch = "virtualip_carp_maintenancemode"
    assert found(one, one.replace("<wol>", f"<{switch}></{switch}><wol>")) == [(switch, None, "")]
    flag = "hn_altq_enable"
    assert found(one, one.replace(f"<{flag}></{flag}>", "")) == [(f"system/{flag}", "", None)]

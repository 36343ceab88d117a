"""The checker: takes what pfSense stores, refuses each sown mistake with the path of the bad element."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.commands import config_check
from lab.config.check import RULES, Defect, check
from lab.config.check.node import config_of
from lab.config.tree import ConfigSyntaxError, parse_any
from tests.golden_files import GOLDEN
from tests.unit.config.seeds import SEEDS, Seed

EMPTY = '<?xml version="1.0"?>\n<pfsense>\n</pfsense>\n'
GOOD = GOLDEN / "config" / "uranus-recommended" / "rules-master.xml"


def sown(seed: Seed) -> str:
    text = GOOD.read_text()
    at = text.index(seed.after)
    assert seed.old in text[at:], "the seed does not fit the file any more"
    return text[:at] + text[at:].replace(seed.old, seed.new, 1)


def wrong(text: str) -> list[Defect]:
    return [defect for defect in check(text.encode()) if not defect.warning]


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)
def test_each_mistake_is_refused_where_it_stands(seed: Seed) -> None:
    text = sown(seed)
    found = wrong(text)
    named = [defect for defect in found if defect.path == seed.path]
    assert named, f"not named: {seed.path}; named: {[defect.path for defect in found]}"
    assert 1 <= named[0].line <= text.count("\n") + 1
    assert named[0].summary


def test_there_are_enough_of_them() -> None:
    assert len({seed.name for seed in SEEDS}) == len(SEEDS) >= 40


@pytest.mark.parametrize(
    "path", sorted((GOLDEN / "config").rglob("*.xml")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_every_rendered_file_passes(path: Path) -> None:
    assert check(path.read_bytes()) == ()


def test_the_line_is_that_of_the_element() -> None:
    text = GOOD.read_text().replace("<vhid>2<", "<vhid>0<")
    line = next(number for number, each in enumerate(text.splitlines(), 1) if "<vhid>0<" in each)
    assert [(defect.path, defect.line, defect.seen) for defect in wrong(text)] == [
        ("/pfsense/virtualip/vip[2]/vhid", line, "0")
    ]


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("<subnet_bits>24<", "<subnet_bits>32<", "virtualip/vip[1]/subnet_bits"),
        ("<subnet>172.17.2.252<", "<subnet>172.17.9.252<", "virtualip/vip[2]/subnet"),
        ("<![CDATA[carp-pass-of-19-chr]]>", "<![CDATA[carp-pass-of-21-chars]]>", "virtualip/vip[1]/password"),
        ("<enable></enable>\n\t\t\t<if>vtnet3", "<if>vtnet3", "virtualip/vip[3]/interface"),
    ],
)
def test_what_pfsense_takes_is_a_warning(old: str, new: str, path: str) -> None:
    text = GOOD.read_text()
    assert old in text
    found = check(text.replace(old, new, 1).encode())
    assert [(defect.path, defect.warning) for defect in found] == [(f"/pfsense/{path}", True)]
    assert "carp-pass" not in str(found[0])


def test_what_pfsense_might_have_stored_is_taken() -> None:
    """Comments, unknown sections, other orders and spacings, a self-closing tag, entities, packages with switches of their own."""
    text = GOOD.read_text()
    text = text.replace("<wol></wol>", "<!-- a comment --><wol/>\n\n<installedpackages><squid><config><enable>off</enable></config>"
                        "<config><x>&amp;</x></config></squid></installedpackages>")  # fmt: skip
    text = text.replace("<descr><![CDATA[LAN to any]]></descr>", "<descr>caf&#233; &amp;eacute; </descr>")
    text = text.replace(
        "<rule>\n\t\t\t<tracker>1700000002", "<separator></separator><rule></rule><rule>\n<tracker>1700000002"
    )
    assert wrong(text) == []


def test_what_the_web_pages_store_is_taken() -> None:
    """Each was saved by pfSense 2.7.0's own page code: other kinds of virtual IPs, a port forward with its rule, an alias."""
    vips = (
        "<vip><mode>proxyarp</mode><interface>wan</interface><descr></descr><type>network</type>"
        "<subnet_bits>28</subnet_bits><subnet>192.168.1.64</subnet></vip>"
        "<vip><mode>other</mode><interface>wan</interface><noexpand></noexpand><descr></descr><type>single</type>"
        "<subnet_bits>32</subnet_bits><subnet>192.168.1.80</subnet></vip>"
        "<vip><mode>ipalias</mode><interface>lo0</interface><uniqid>6b031ee3e96e8</uniqid><descr></descr>"
        "<type>single</type><subnet_bits>32</subnet_bits><subnet>10.98.0.1</subnet></vip>"
        "</virtualip><virtualip_carp_maintenancemode></virtualip_carp_maintenancemode>"
    )
    forward = (
        "</outbound><separator></separator><rule><source><any></any></source><destination><network>wanip</network>"
        "<port>80-81</port></destination><ipprotocol>inet</ipprotocol><protocol>tcp</protocol><target>172.17.3.10</target>"
        "<local-port>8080</local-port><interface>wan</interface><associated-rule-id>nat_1.4</associated-rule-id></rule>"
    )
    associated = (
        "<filter><rule><source><any></any></source><interface>wan</interface><ipprotocol>inet</ipprotocol>"
        "<protocol>tcp</protocol><destination><address>webs</address><port>8080-8081</port></destination>"
        "<associated-rule-id>nat_1.4</associated-rule-id><tracker>1795366627</tracker></rule>"
    )
    alias = "<aliases><alias><name>webs</name><type>host</type><address>172.17.3.10</address></alias>"
    text = GOOD.read_text()
    for tag, added in (
        ("</virtualip>", vips),
        ("</outbound>", forward),
        ("<filter>", associated),
        ("<aliases>", alias),
    ):
        text = text.replace(tag, added, 1)
    assert wrong(text) == []


def test_an_alias_stacked_on_a_carp_address_is_taken() -> None:
    alias = (
        "<vip><mode>ipalias</mode><interface>_vipea03f7113f419</interface><uniqid>1</uniqid><descr></descr>"
        "<type>single</type><subnet_bits>32</subnet_bits><subnet>172.17.1.200</subnet></vip></virtualip>"
    )
    text = GOOD.read_text().replace("</virtualip>", alias)
    assert wrong(text) == []
    assert [defect.path for defect in wrong(text.replace("_vipea03f7113f419", "_vip0"))] == [
        "/pfsense/virtualip/vip[5]/interface"
    ]


def test_another_root() -> None:
    text = GOOD.read_text().replace("pfsense>", "opnsense>")
    assert [defect.path for defect in wrong(text)] == ["/opnsense"]


@pytest.mark.parametrize(
    "text", ["", "\n", "<pfsense>", "<?xml version='1.0' encoding='utf-16'?>\n<pfsense></pfsense>"]
)
def test_what_is_no_xml_is_one_defect(text: str) -> None:
    assert [defect.path for defect in wrong(text)] == ["/"]


def test_an_empty_configuration_lacks_its_sections() -> None:
    paths = {defect.path for defect in wrong(EMPTY)}
    assert paths == {"/pfsense/version", "/pfsense/system", "/pfsense/interfaces"}


def test_pfsense_always_has_a_wan() -> None:
    text = GOOD.read_text().replace("<wan>", "<opt9>").replace("</wan>", "</opt9>")
    assert "/pfsense/interfaces/wan" in {defect.path for defect in wrong(text)}


def test_no_rule_is_idle() -> None:
    """Each rule is why some mistake is refused."""
    finding = set()
    for text in (EMPTY, *map(sown, SEEDS)):
        try:
            config = config_of(parse_any(text.encode()))
        except ConfigSyntaxError:
            continue
        finding |= {rule for rule in RULES if any(not defect.warning for defect in rule(config))}
    assert {rule.__name__ for rule in RULES} == {rule.__name__ for rule in finding}


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert config_check.run(str(GOOD), json=False) == 0
    assert capsys.readouterr().out == f"{GOOD}: nothing to remark\n"
    bad = tmp_path / "bad.xml"
    bad.write_text(GOOD.read_text().replace("<vhid>2<", "<vhid>0<"))
    assert config_check.run(str(bad), json=True) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is False
    assert answer["defects"][0]["path"] == "/pfsense/virtualip/vip[2]/vhid"


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert config_check.run("/nowhere/config.xml", json=False) == 1
    assert "what to do" in capsys.readouterr().err

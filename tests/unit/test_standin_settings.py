"""config.xml -> Settings: every file pfSense could have stored, and an error that names the element for every other."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

import pytest
from standin.config_store import serialise
from standin.settings import Settings
from standin.settings_xml import read
from standin.xmlnode import SettingsError

from lab.config.tree import parse
from tests.golden_files import GOLDEN

MASTER = GOLDEN / "standin" / "uranus-master.xml"
SINK = GOLDEN / "standin" / "kitchen-sink.xml"


def settings(path: Path = MASTER) -> Settings:
    return read(path.read_bytes())


def edited(*edits: tuple[str, str]) -> bytes:
    """The master's file with exact replacements, each of which must fit somewhere."""
    text = MASTER.read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    return text.encode()


def test_interfaces_keep_the_order_of_the_file() -> None:
    found = [(each.key, each.nic, each.descr) for each in settings().interfaces]
    assert found == [
        ("wan", "vtnet0", "WAN"),
        ("lan", "vtnet1", "LAN"),
        ("opt1", "vtnet2", "SRV"),
        ("opt2", "vtnet3", "DMZ"),
        ("opt3", "vtnet4", "HA"),
    ]


def test_addresses() -> None:
    wan, lan = settings().interfaces[:2]
    assert wan.dhcp
    assert wan.address is None
    assert lan.address == IPv4Interface("172.17.1.254/24")


def test_vips_carry_what_the_carp_daemon_needs() -> None:
    vip = settings().vips[0]
    assert (vip.key, vip.nic, vip.vhid, vip.advbase, vip.advskew) == ("lan", "vtnet1", 1, 1, 0)
    assert vip.address == IPv4Interface("172.17.1.252/24")
    assert vip.password == "carpsecret"


def test_blanks_are_cut_out_of_a_carp_password() -> None:
    assert settings(SINK).vips[0].password == "withblanksinit"


def test_quotes_in_a_carp_password_get_a_backslash_as_pfsense_gives_them() -> None:
    """interface_carp_configure(), run on this file, called: ifconfig vtnet1 vhid '1' … pass 'a\\'\\''b\\\\c'."""
    found = read(edited(("<![CDATA[carpsecret]]>", "<![CDATA[a&#039;b\\c]]>")))
    assert found.vips[0].password == "a\\'b\\\\c"


def test_a_vip_on_an_interface_that_is_off_is_skipped_and_said() -> None:
    assert [vip.vhid for vip in settings(SINK).vips] == [5]
    assert any("vip[2]/interface" in note for note in settings(SINK).notes)


def test_maintenance_mode_is_a_tag_and_means_skew_254() -> None:
    found = read(
        edited(("<virtualip>", "<virtualip_carp_maintenancemode></virtualip_carp_maintenancemode><virtualip>"))
    )
    assert found.maintenance
    assert {vip.advskew for vip in found.vips} == {254}


def test_state_sync() -> None:
    sync = settings().state_sync
    assert sync
    assert (sync.nic, sync.local, sync.peer) == ("vtnet4", IPv4Address("172.17.4.254"), IPv4Address("172.17.4.253"))
    assert sync.hostid == settings().host_id == 0xA1


def test_config_sync() -> None:
    sync = settings().config_sync
    assert sync
    assert (sync.peer, sync.username, sync.password, sync.admin_too) == ("172.17.4.253", "admin", "pfsense", True)
    assert sync.sections == ("users", "rules", "nat", "virtualip")


def test_secrets_are_not_in_the_repr() -> None:
    found = settings()
    assert "$2b$" not in repr(found)
    assert "'pfsense'" not in repr(found.config_sync)


def test_users() -> None:
    (admin,) = settings().users
    assert (admin.name, admin.uid, admin.privileges) == ("admin", 0, ("user-shell-access",))
    assert admin.bcrypt_hash.startswith("$2b$10$")


@pytest.mark.parametrize("text", ["<enable></enable>", "<enable/>", "<enable>no</enable>", "<enable>0</enable>"])
def test_a_tag_that_is_there_means_yes_whatever_it_holds(text: str) -> None:
    found = read(edited(("<enable></enable>", text)))
    assert found.interfaces[0].enabled


def test_a_tag_that_is_absent_means_no() -> None:
    assert not read(edited(("<enable></enable>", ""))).interfaces[0].enabled


@pytest.mark.parametrize(
    "text",
    [
        "<descr><![CDATA[Caf&eacute; &amp; co]]></descr>",
        "<descr>Caf&#233; &amp; co</descr>",
        "<DESCR>  Caf&#xe9;   &amp; co\n</DESCR>",
    ],
)
def test_every_way_to_write_a_text(text: str) -> None:
    found = read(edited(("<descr><![CDATA[LAN to any]]></descr>", text)))
    assert re.fullmatch(r"Café +& co", found.rules[0].descr)


def test_order_whitespace_comments_and_foreign_sections_do_not_matter() -> None:
    root = fromstring(MASTER.read_text())
    random.Random(1).shuffle(root)  # type: ignore[arg-type]
    for parent in root.iter():
        if parent.tag in ("vip", "user", "hasync", "rule"):
            random.Random(2).shuffle(parent)  # type: ignore[arg-type]
        parent.tail = "\n \t\n"
    SubElement(SubElement(root, "installedpackages"), "package").text = "unknown"
    found = read(b"<!-- first -->" + tostring(root))
    want = settings()
    assert found.config_sync
    assert want.config_sync
    same = replace(found.config_sync, sections=tuple(sorted(found.config_sync.sections)))
    expected = replace(want.config_sync, sections=tuple(sorted(want.config_sync.sections)))
    assert replace(found, config_sync=same) == replace(want, config_sync=expected)


def test_what_the_stand_in_stores_says_the_same_again() -> None:
    for path in (MASTER, SINK, *sorted((GOLDEN / "config").glob("*/*.xml"))):
        data = path.read_bytes()
        again = serialise(parse(data).root)
        assert again.split(b"\n")[1] == b"<pfsense>"
        assert read(again) == read(data)


@pytest.mark.parametrize(
    "path", sorted((GOLDEN / "config").glob("*/*.xml")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_every_file_the_lab_renders_is_obeyed_in_full(path: Path) -> None:
    assert read(path.read_bytes()).notes == ()


WRONG = [
    ((("</pfsense>", ""),), "/: not well-formed"),
    ((("<pfsense>", "<opnsense>"), ("</pfsense>", "</opnsense>")), "/: expected the root element <pfsense>"),
    ((("<interfaces>", "<ifs>"), ("</interfaces>", "</ifs>")), "/pfsense/interfaces: is missing"),
    ((("<system>", "<sys>"), ("</system>", "</sys>")), "/pfsense/system: is missing"),
    ((("<wan>", "<wan2>"), ("</wan>", "</wan2>")), "/pfsense/interfaces/wan: is missing"),
    ((("<if>vtnet1</if>", "<if></if>"),), "/pfsense/interfaces/lan/if: is missing"),
    ((("172.17.1.254", "172.17.1.256"),), "/pfsense/interfaces/lan/ipaddr: expected an IPv4 address"),
    (
        (("<subnet>24</subnet>", "<subnet>33</subnet>"),),
        "/pfsense/interfaces/lan/subnet: expected a number from 1 to 32",
    ),
    ((("<subnet>24</subnet>", "<subnet></subnet>"),), "/pfsense/interfaces/lan/subnet: expected a number"),
    ((("<lan>", "<lan></lan><lan>"),), "/pfsense/interfaces/lan: cannot occur more than once"),
    ((("<ipaddr>dhcp</ipaddr>", "<ipaddr>dhcp</ipaddr><ipaddr/>"),), "/wan/ipaddr: cannot occur more than once"),
    ((("<vhid>2</vhid>", "<vhid>256</vhid>"),), "/pfsense/virtualip/vip[2]/vhid: expected a number from 1 to 255"),
    ((("<advskew>0</advskew>", "<advskew>255</advskew>"),), "/vip[1]/advskew: expected a number from 0 to 254"),
    ((("<mode>carp</mode>", "<mode></mode>"),), "/vip[1]/mode: is missing"),
    ((("172.17.3.252</subnet>", "x</subnet>"),), "/vip[3]/subnet: expected an IPv4 address"),
    ((("<pfhostid>a1", "<pfhostid>xyz"),), "/pfsense/hasync/pfhostid: expected 1 to 8 hexadecimal"),
    ((("<pfhostid>a1", "<pfhostid>0"),), "/pfsense/hasync/pfhostid: expected"),
    ((("<pfsyncpeerip>172.17.4.253", "<pfsyncpeerip>fw-b"),), "/pfsense/hasync/pfsyncpeerip: expected an IPv4"),
    ((("<type>pass</type>", "<type>allow</type>"),), "/pfsense/filter/rule[1]/type: expected pass, block or reject"),
    ((("<mode>automatic</mode>", "<mode>auto</mode>"),), "/pfsense/nat/outbound/mode: expected one of"),
    ((("<dnsserver>192.168.1.1", "<dnsserver>dns"),), "/pfsense/system/dnsserver: expected an IPv4 address"),
    ((("<name>admin</name>", ""),), "/pfsense/system/user/name: is missing"),
    ((("<uid>0</uid>", "<uid>-1</uid>"),), "/pfsense/system/user/uid: expected a number"),
    ((("<network>lan</network>", "<network>lan</network><address>1.2.3.4</address>"),), "/rule[1]/source: holds both"),
]


@pytest.mark.parametrize(("edits", "message"), WRONG, ids=[message for _, message in WRONG])
def test_errors_name_the_element(edits: tuple[tuple[str, str], ...], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(edited(*edits))
    assert message in str(caught.value)


def test_any_damage_gives_settings_or_a_settings_error() -> None:
    """Elements dropped, doubled and emptied at random: never another exception."""
    dice = random.Random(7)
    refused = 0
    for _ in range(300):
        root = fromstring(MASTER.read_text())
        parents = [each for each in root.iter() if len(each)]
        parent: Element = dice.choice(parents)
        child = dice.choice(list(parent))
        match dice.randrange(3):
            case 0:
                parent.remove(child)
            case 1:
                parent.append(child)
            case _:
                child.text = dice.choice(["", "?", "999", "-1", "é", "172.17.1.1/24"])
        try:
            read(tostring(root))
        except SettingsError:
            refused += 1
    assert 0 < refused < 300

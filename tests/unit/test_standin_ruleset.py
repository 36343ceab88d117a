"""Settings -> nftables text. What the text does on the wire is tested in tests/wire."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

import pytest
from standin.facts import Facts, Lease, gather
from standin.match import Unmatchable, address_match, port_match, quoted
from standin.ruleset import compile_ruleset
from standin.settings_xml import read

from tests.golden_files import GOLDEN, assert_golden

LEASE = Lease(IPv4Interface("192.168.1.168/24"), IPv4Address("192.168.1.1"), (IPv4Address("192.168.1.1"),))


def compiled(path: Path, *edits: tuple[str, str], lease: Lease | None = LEASE) -> str:
    text = path.read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    settings = read(text.encode())
    return compile_ruleset(settings, gather(settings, {"wan": lease} if lease else {})).text


def chain(text: str, name: str) -> list[str]:
    start = text.index(f"\tchain {name} {{\n")
    return [line.strip() for line in text[start : text.index("\t}\n", start)].splitlines()[1:]]


MASTER = GOLDEN / "standin" / "uranus-master.xml"
SINK = GOLDEN / "standin" / "kitchen-sink.xml"


@pytest.mark.parametrize("name", ["uranus-master", "kitchen-sink"])
def test_golden(name: str) -> None:
    assert_golden(f"standin/{name}.nft", compiled(GOLDEN / "standin" / f"{name}.xml"))


def test_notes_say_what_was_left_out_and_why() -> None:
    settings = read(SINK.read_bytes())
    notes = compile_ruleset(settings, gather(settings, {})).notes
    assert any("switched off" in note and "disabled" in note for note in notes)
    assert any("host.example.lab" in note for note in notes)


def test_nothing_is_translated_before_there_is_a_lease() -> None:
    lines = chain(compiled(MASTER, lease=None), "outbound")
    assert not any("snat" in line for line in lines)
    assert "# wan has no address yet: nothing to translate to" in lines


def test_a_new_lease_changes_the_translation() -> None:
    other = Lease(IPv4Interface("192.168.1.77/24"), IPv4Address("192.168.1.1"))
    assert "snat ip to 192.168.1.77:1024-65535" in compiled(MASTER, lease=other)


def test_carp_passes_only_where_a_vip_is_configured() -> None:
    without = read(MASTER.read_bytes().replace(b"<mode>carp</mode>", b"<mode>other</mode>"))
    text = compile_ruleset(without, gather(without, {})).text
    assert "ip protocol 112 return" in chain(compiled(MASTER), "arriving")
    assert not any("ip protocol 112" in line for line in chain(text, "arriving"))


def test_state_sync_is_judged_as_pfsync() -> None:
    """Another rule for UDP must not let it in, and the pfsync rule must."""
    pfsync = "<protocol>pfsync</protocol>"
    assert any("HA: pfsync" in line and "return" in line for line in chain(compiled(MASTER), "states"))
    udp = chain(compiled(MASTER, (pfsync, "<protocol>udp</protocol>")), "states")
    assert not any("return" in line for line in udp)


def test_a_vips_packets_come_in_on_its_own_device() -> None:
    dispatch = [line for line in chain(compiled(MASTER), "arriving") if "goto in_lan" in line]
    assert dispatch == ['iifname { "vtnet1", "vtnet1.*" } goto in_lan']


def test_mode_advanced_has_no_automatic_rules_and_disabled_none_at_all() -> None:
    advanced = chain(compiled(SINK, ("<mode>hybrid</mode>", "<mode>advanced</mode>")), "outbound")
    disabled = chain(compiled(SINK, ("<mode>hybrid</mode>", "<mode>disabled</mode>")), "outbound")
    automatic = chain(compiled(SINK, ("<mode>hybrid</mode>", "<mode>automatic</mode>")), "outbound")
    assert not any("automatic" in line for line in advanced)
    assert any("LAN by the VIP" in line for line in advanced)
    assert not any("snat" in line for line in disabled)
    assert not any("LAN by the VIP" in line for line in automatic)


def test_an_address_expression() -> None:
    lan, host = IPv4Network("172.17.1.0/24"), IPv4Network("172.17.1.9/32")
    assert address_match("saddr", None, False) == ""
    assert address_match("saddr", [host], False) == "ip saddr 172.17.1.9"
    assert address_match("daddr", [host, lan, lan], True) == "ip daddr != 172.17.1.0/24"
    assert address_match("daddr", [], True) == ""
    with pytest.raises(Unmatchable):
        address_match("saddr", [], False)
    with pytest.raises(Unmatchable):
        address_match("saddr", None, True)


def test_a_port_expression_merges_overlaps() -> None:
    assert port_match("dport", [(443, 443)]) == "th dport 443"
    assert port_match("dport", [(90, 100), (80, 95), (22, 22)]) == "th dport { 22, 80-100 }"


def test_no_text_of_a_rule_can_leave_its_quotes() -> None:
    assert quoted('a"; drop \\ \n b') == '"a; drop   b"'
    assert len(quoted("é" * 200).encode()) <= 124


def test_aliases_that_contain_themselves_are_refused() -> None:
    text = compiled(SINK, ("172.17.0.0/16 172.17.1.0/24 admins", "inside"))
    assert "alias inside contains itself" in text


def test_default_gateway() -> None:
    settings = read(SINK.read_bytes())
    assert gather(settings, {}).default_gateway == IPv4Address("192.168.1.1")
    by_lease = read(MASTER.read_bytes())
    assert gather(by_lease, {"wan": LEASE}).default_gateway == IPv4Address("192.168.1.1")
    assert gather(by_lease, {}) == Facts(gather(by_lease, {}).addresses, {}, None)

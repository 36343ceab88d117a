"""Menu options without a recording: what pfSense's scripts print for these answers (etc/rc.*), and what is done."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from standin.config_store import Backup, backups, change, install, reset_to_defaults, restore
from standin.factory import DEFAULT_CONFIG
from standin.filter_log import entry
from standin.pf_states import parse_flows
from standin.places import Places
from standin.settings import Vlan
from standin.settings_xml import read
from standin.state_view import picture
from standin.tree import set_text

from tests.replay.test_standin_dialogues import NODE, PlayedMachine, machine, talk

KEPT = [
    Backup(Path("a"), 1687870309, "22.9", "admin@192.168.1.5 (Local Database): Firewall: Rules - saved"),
    Backup(Path("b"), 1687000000, "22.9", "(system): password changed from console menu"),
    Backup(Path("c"), 0, "22.2", "Unknown"),
]
CHOICES = (
    "\nRestore Backup from Configuration History\n\n1) List Backups\n2) Restore Backup\nQ) Quit\n\n\n"
    "Please select an option to continue: "
)
NEWEST = "01. 6/27/23 12:51:49\tv22.9\tadmin@192.168.1.5 (Local Database)\n    Firewall: Rules - saved\n\n"
ALL = (
    "03. Unknown\tv22.2\tUnknown Page\n    Unknown\n\n"
    "02. 6/17/23 11:06:40\tv22.9\t(system)\n    password changed from console menu\n\n" + NEWEST
)
CONFIRM = "Which configuration would you like to restore?\n 1-3 : 1\n\nIs this the backup you wish to restore?\n"
REVERTED = (
    "\nSuccessfully reverted to timestamp 6/27/23 12:51:49 with description "
    '"admin@192.168.1.5 (Local Database): Firewall: Rules - saved".\n'
    "You may need to reboot the firewall or restart services before the restored configuration is fully active.\n\n"
)


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def shown(typed: list[str], played: PlayedMachine) -> str:
    """What stands between the answer to the menu and the next banner."""
    text = talk(typed, NODE, played).shown.replace("\r\n", "\n")
    _, _, after = text.partition(f"Enter an option: {typed[0]}\n\n")
    return after.split("QEMU Guest")[0]


@pytest.mark.parametrize(
    ("typed", "said", "done"),
    [
        (["1", "q"], CHOICES + "1\n" + ALL + CHOICES + "q\n\n", []),
        (["x", "Quit"], CHOICES + "x\n" + CHOICES + "Quit\n\n", []),
        (["2", "1", "y"], CHOICES + "2\n" + CONFIRM + NEWEST + "Y/N? : y\n" + REVERTED, ["restored 1687870309"]),
        (["2", "1", "n"], CHOICES + "2\n" + CONFIRM + NEWEST + "Y/N? : n\nRestore cancelled.\n", []),
        (
            ["2", "4"],
            CHOICES + "2\nWhich configuration would you like to restore?\n 1-3 : 4\n"
            "That is not a valid backup number.\nRestore cancelled due to invalid input.\n",
            [],
        ),
    ],
)
def test_configuration_history(typed: list[str], said: str, done: list[str]) -> None:
    played = machine()
    played.kept = KEPT
    assert shown(["15", *typed], played) == said
    assert played.changes == done


def test_a_history_that_is_empty_or_cannot_be_read() -> None:
    empty = "No backups found in the configuration history."
    assert empty + "Restore cancelled due to invalid input.\n" in shown(["15", "2"], machine())
    assert empty + CHOICES in shown(["15", "1", "q"], machine())
    broken = machine()
    broken.kept, broken.broken_disk = KEPT, True
    assert shown(["15", "2", "1", "y"], broken).endswith("Unable to revert to the selected configuration.\n")


def test_services_are_restarted() -> None:
    played = machine()
    assert shown(["11"], played) == "Restarting webConfigurator... done.\n\n"
    played.rpc_lock = True
    assert shown(["16"], played) == (
        ">>> Killing check_reload_status\n>>> Killing php-fpm\n>>> Found XMLRPC lock. Removing.\n"
        ">>> Starting php-fpm\n>>> Starting check_reload_status\n"
    )
    assert "Found XMLRPC lock" not in shown(["16"], played)
    assert (played.web_restarts, played.rpc_lock) == (3, False)


def test_an_update_finds_nothing() -> None:
    assert shown(["13"], machine()).startswith(">>> Updating repositories metadata... \nERROR: ")


def test_a_password_that_is_kept_elsewhere_and_an_administrator_who_is_gone() -> None:
    played = machine(
        ("<protocol>https</protocol>", "<protocol>https</protocol><authmode>radius</authmode>"), ("<uid>0<", "<uid>7<")
    )
    said = shown(["3", "y", "y", ""], played)
    assert 'server is set to "radius".\nDo you want to set it back to Local Database [y|n]? y\nFailed to locate' in said
    assert played.settings().authmode == "Local Database"
    assert {user.uid for user in played.settings().users} == {0, 7}


def test_vlans_are_asked_for_and_stored_with_the_assignment() -> None:
    played = machine()
    wrong = ["vtnet9", "vtnet1", "x", "vtnet1", "4095", "vtnet1", "10", "vtnet1", "10"]
    said = shown(["1", "y", *wrong, "", "vtnet0", "vtnet1.10", "", "y"], played)
    for text in (
        "\n\n\nVLAN Capable interfaces:\n\nvtnet0  52:54:00:17:00:00\n",
        "(or nothing if finished): vtnet9\n\nInvalid interface name 'vtnet9'\n\n\nVLAN Capable",
        "Enter the VLAN tag (1-4094): x\n\nInvalid VLAN tag 'x'\n",
        "Invalid VLAN tag '4095'\n",
        "(1-4094): 10\n\n\nThis parent interface and VLAN already created.\n\nVLAN Capable",
        "\n\nVLAN interfaces:\n\nvtnet1.10       VLAN tag 10, parent interface vtnet1\n\nIf the names",
        "(vtnet0 vtnet1 vtnet2 vtnet3 vtnet4 vtnet1.10 or a): vtnet0\n",
    ):
        assert text in said
    assert played.settings().vlans == (Vlan("vtnet1", 10),)
    assert [each.nic for each in played.settings().interfaces] == ["vtnet0", "vtnet1.10"]
    assert "WARNING: all existing VLANs will be cleared if you proceed!\n\nDo you want" in shown(
        ["1", "y", "n", ""], played
    )


def test_little_memory_is_warned_of() -> None:
    played = machine()
    played.memory_mib = (96, 90)
    said = shown(["1", "", "n", ""], played)
    assert "ACHTUNG!\n\npfSense requires *AT LEAST* 128 MB RAM" in said
    assert (
        "Only (96) MB RAM has been detected, with (90) available to pfSense.\n\nPress ENTER to continue. \n\n" in said
    )


def test_history_on_disk(tmp_path: Path) -> None:
    """Every change keeps what it replaced, named by its revision; a restore is a change too."""
    places = Places(tmp_path)
    reset_to_defaults(places)
    assert places.wizard_flag.exists()
    assert not read(places.config.read_bytes()).revised
    change(places, lambda root: set_text(root, "system/hostname", "one"), "first: change")
    assert read(places.config.read_bytes()).revised
    (factory,) = backups(places)
    assert (factory.time, factory.description, factory.version) == (0, "Unknown", "22.9")
    restore(places, factory)
    assert read(places.config.read_bytes()).hostname == "standin"
    assert "Reverted to config-0.xml." in places.config.read_text()
    newest, oldest = backups(places)
    assert (newest.description, oldest) == ("first: change", factory)
    install(places, b"no XML")
    places.package_flag.touch()
    reset_to_defaults(places)
    assert places.config.read_text() == DEFAULT_CONFIG
    assert not places.package_flag.exists()
    assert backups(places)[-1] == factory


def test_a_denied_packet_in_pfsense_s_words() -> None:
    line = (
        "default deny: IN=vtnet1 OUT= MAC=52:54:00:17:00:01 SRC=172.17.1.10 DST=203.0.113.10 LEN=60 TOS=0x00 PREC=0x00 "
        "TTL=64 ID=4660 DF PROTO=TCP SPT=40000 DPT=22 WINDOW=64240 RES=0x00 SYN URGP=0 "
    )
    assert entry(line) == (
        ",,,1000000103,vtnet1,match,block,in,4,0x0,,64,4660,0,DF,6,tcp,60,172.17.1.10,203.0.113.10,40000,22,20,S,,,64240,,"
    )
    passed = entry(
        "rule 1700000001 pass IN= OUT=vtnet0 SRC=192.0.2.1 DST=192.0.2.2 LEN=84 PROTO=ICMP TYPE=8 CODE=0 ID=7"
    )
    assert passed == ",,,1700000001,vtnet0,match,pass,out,4,0x0,,,7,0,none,1,icmp,84,192.0.2.1,192.0.2.2"
    assert entry("usb 1-1: new device") is None


def test_states_fit_on_the_screen() -> None:
    flows = parse_flows(
        "tcp 6 431999 ESTABLISHED src=172.17.1.10 dst=203.0.113.10 sport=40000 dport=80 src=203.0.113.10 dst=192.168.1.168 "
        "sport=80 dport=40000 [ASSURED] mark=161 use=1 id=7\n" * 30
    )
    lines = picture(flows, 24, 80, "12:00:00").split("\r\n")
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("pfTop: Up State 1-21/30, View: default")
    assert lines[0].endswith("12:00:00")
    assert lines[2].split()[:5] == ["tcp", "In", "172.17.1.10:40000", "203.0.113.10:80", "4:4"]

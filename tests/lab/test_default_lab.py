"""The default lab, as a newcomer uses it: up, status, check, exec, a failover of each kind, repair, down."""

from __future__ import annotations

import json
import random
import re
import signal
import socket
import ssl
import time
import urllib.request
from pathlib import Path

import pytest

from lab.commands.session import opened
from tests.lab.conftest import drilled, inv, start

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]


def test_status_names_six_machines_and_four_vhids(uranus: str) -> None:
    status = inv("lab.status", "--name", uranus, "--json")
    assert status.code == 0, status.err
    machines = status.json["machines"]
    assert sorted(machines) == ["backup", "client", "internet", "master", "server", "web"]
    assert {machine["state"] for machine in machines.values()} == {"running"}
    vhids = status.json["vhids"]
    assert [(vhid["vhid"], vhid["master"], vhid["backup"]) for vhid in vhids] == [
        (number, "master", "backup") for number in (1, 2, 3, 4)
    ]


def test_the_firewalls_own_words_agree_with_the_wire(uranus: str) -> None:
    status = inv("lab.status", "--full", "--name", uranus, "--json")
    assert status.code == 0, status.err
    assert [vhid["own_word"] for vhid in status.json["vhids"]] == [{"master": "MASTER", "backup": "BACKUP"}] * 4
    assert [(vhid["advbase"], vhid["advskew"]) for vhid in status.json["vhids"]] == [(1, 0)] * 4
    assert status.json["contradictions"] == []


def test_every_check_passes(uranus: str) -> None:
    check = inv("lab.check", "--name", uranus, "--json")
    assert check.code == 0, check.out[-3000:] + check.err[-3000:]
    assert check.json["ok"]
    assert len(check.json["checks"]) > 20


def test_a_command_on_a_firewall_and_on_a_client(uranus: str) -> None:
    firewall = inv("lab.exec", "master", "ifconfig vtnet1", "--name", uranus)
    assert firewall.code == 0, firewall.err
    assert "carp: MASTER vhid 1 advbase 1 advskew 0" in firewall.out
    failing = inv("lab.exec", "master", "exit 7", "--name", uranus)
    assert failing.code == 7
    client = inv("lab.exec", "client", "hostname; exit 3", "--name", uranus)
    assert (client.code, client.out.strip()) == (3, "client")


def test_a_second_up_changes_nothing(uranus: str) -> None:
    before = inv("lab.status", "--name", uranus, "--json").json["machines"]
    again = inv("lab.up", "--name", uranus)
    assert again.code == 0, again.err
    assert inv("lab.status", "--name", uranus, "--json").json["machines"] == before


def test_another_topology_under_the_same_name_is_refused(uranus: str) -> None:
    other = inv("lab.up", "--topology", "uranus-recommended", "--name", uranus)
    assert other.code == 1
    assert "exists already, made from something else" in other.err


SIX = ("kill", "carp-off", "maintenance", "unplug lan", "freeze", "wrong-password")


def test_six_faults_are_as_expected_and_explained(uranus: str, tmp_path: Path) -> None:
    card = drilled(uranus, SIX, tmp_path)
    assert len(card["scores"]) == len(SIX)
    report = json.loads((tmp_path / "01-kill-master" / "failover.json").read_text())
    assert {(move["phase"], move["new"]) for move in report["hand_overs"]} == {
        ("fault", "backup"),
        ("return", "master"),
    }
    fates = {one["id"]: (one["fate"], one["back_fate"]) for one in report["streams"]}
    assert "lost" not in fates["client>web:tcp/7001:stream"]
    assert fates["client>internet:tcp/7001:stream"][0] == "lost"


def test_the_lab_is_whole_after_the_failovers(uranus: str) -> None:
    check = inv("lab.check", "--name", uranus, "--json")
    assert check.code == 0, check.out[-3000:] + check.err[-3000:]


def clock_is_right(name: str, lab: str) -> bool:
    """Within the time a command takes, and the whole second that `date` and the RTC speak in."""
    before = time.time()
    said = inv("lab.exec", name, "date +%s", "--name", lab)
    assert said.code == 0, said.err
    return before - 2 <= int(said.out.strip()) <= time.time() + 2


def test_a_sync_is_proved_and_a_second_one_changes_nothing(uranus: str) -> None:
    for _ in range(2):
        sync = inv("lab.sync", "--name", uranus, "--json")
        assert sync.code == 0, sync.out + sync.err
    assert sync.json["changed"] == []
    kept = {row["section"]: row["synchronised"] for row in sync.json["sections"] if row["differences"]}
    assert kept == {"system": True, "interfaces": False, "virtualip": True, "hasync": False}
    assert any("pfsense.restore_config_section" in line for line in sync.json["log"])


def test_a_changed_rule_decides_on_the_wire_and_a_push_undoes_it(uranus: str) -> None:
    """By sync one way, by push the other."""

    def client_reaches_web() -> bool:
        return inv("lab.exec", "client", "curl -s -m 5 http://172.17.3.10/", "--name", uranus).code == 0

    with opened(uranus) as session, session.xmlrpc("master") as master, session.xmlrpc("backup") as backup:
        assert client_reaches_web()
        rules = master.backup_config_section(["filter"])["filter"]["rule"]
        block = {**rules[0], "type": "block", "interface": "lan", "descr": "closed", "tracker": "1800000001"}
        block |= {"source": {"network": "lan"}, "destination": {"network": "opt2"}, "protocol": "tcp"}
        master.restore_config_section({"filter": {"rule": [block, *rules]}})
        assert not client_reaches_web()
        end = time.monotonic() + 120
        while "closed" not in str(backup.backup_config_section(["filter"])):
            assert time.monotonic() < end, "the master did not synchronise by itself"
            time.sleep(1)
    early = inv("lab.push", "xmlrpc", "--no-check", "--name", uranus)
    assert early.code == 0, early.err
    denied = inv("lab.sync", "--name", uranus)
    assert (denied.code, "Autoriser XMLRPC" in denied.err) == (1, True), denied.err
    assert inv("lab.status", "--name", uranus, "--json").json["stage"] == "xmlrpc"
    back = inv("lab.push", "rules", "--name", uranus)
    assert back.code == 0, back.out[-3000:] + back.err[-3000:]
    assert client_reaches_web()


def test_the_web_interface_is_there_while_the_command_runs(uranus: str) -> None:
    gui = start("lab.gui", "master", "--name", uranus)
    assert gui.stdout
    try:
        said = gui.stdout.readline()
        port = int(said.rpartition(":")[2])
        page = urllib.request.urlopen(
            f"https://127.0.0.1:{port}/", context=ssl._create_unverified_context(), timeout=60
        )
        assert b"This is the Uranus stand-in, not pfSense" in page.read()
        gui.send_signal(signal.SIGINT)
        assert gui.wait(30) == 0, gui.stderr.read() if gui.stderr else ""
    finally:
        gui.kill()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), 5)


def test_a_saved_state_comes_back(uranus: str) -> None:
    saved = inv("lab.save", "before", "--name", uranus, "--json")
    assert saved.code == 0, saved.err
    assert set(saved.json["machines"].values()) == {"running"}
    assert inv("lab.exec", "client", "touch /root/later", "--name", uranus).code == 0
    assert inv("lab.exec", "master", "touch /root/later", "--name", uranus).code == 0
    assert inv("lab.power", "backup", "off", "--name", uranus).code == 0
    assert inv("lab.unplug", "client", "lan", "--name", uranus).code == 0
    back = inv("lab.restore", "before", "--name", uranus, "--json")
    assert back.code == 0, back.err
    for machine in ("client", "master"):
        assert inv("lab.exec", machine, "ls /root/later", "--name", uranus).code != 0
        assert clock_is_right(machine, uranus)
    check = inv("lab.check", "--name", uranus, "--json")
    assert check.code == 0, check.out[-3000:] + check.err[-3000:]


def test_a_damaged_or_unknown_checkpoint_is_refused(uranus: str, state_home: Path) -> None:
    record = state_home / uranus / "checkpoints" / "before.json"
    assert record.stat().st_mode & 0o777 == 0o600
    whole = record.read_text()
    record.write_text(re.sub(r'"sha256": "\w{8}', '"sha256": "00000000', whole, count=1))
    damaged = inv("lab.restore", "before", "--name", uranus)
    assert (damaged.code, "Checkpoint before is damaged" in damaged.err) == (1, True), damaged.err
    record.write_text(whole)
    unknown = inv("lab.restore", "yesterday", "--name", uranus)
    assert (unknown.code, "before" in unknown.err) == (1, True), unknown.err
    assert inv("lab.checkpoints", "--delete", "before", "--name", uranus).code == 0
    listed = inv("lab.checkpoints", "--verify", "--name", uranus, "--json").json
    assert [row["name"] for row in listed["checkpoints"]] == ["up"]


@pytest.mark.parametrize("command", [("lab.save", "torn"), ("lab.reset",)], ids=["save", "reset"])
def test_killed_in_the_middle_the_lab_is_the_old_or_the_new(uranus: str, state_home: Path, command: list[str]) -> None:
    torn = start(*command, "--name", uranus)
    while not (state_home / uranus / "pending.json").exists():
        assert torn.poll() is None, torn.communicate()
        time.sleep(0.005)
    time.sleep(random.random() * 0.5)
    torn.kill()
    torn.communicate()
    status = inv("lab.status", "--name", uranus, "--json")
    assert status.code == 0, status.out + status.err
    assert inv("lab.checkpoints", "--verify", "--name", uranus).code == 0


def test_a_few_resets_leak_nothing(uranus: str, state_home: Path) -> None:
    def footprint() -> tuple[list[str], int]:
        files = sorted(str(path) for path in (state_home / uranus).rglob("*"))
        pids = [path.name for path in Path("/proc").iterdir() if path.name.isdigit()]
        ours = [pid for pid in pids if f"/{uranus}/".encode() in command_line(pid)]
        return files, len(ours)

    assert inv("lab.reset", "--name", uranus).code == 0
    before = footprint()
    for _ in range(2):
        reset = inv("lab.reset", "--name", uranus, "--json")
        assert reset.code == 0, reset.err
    assert footprint() == before


def command_line(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_a_second_up_after_down_is_warm_and_the_same(uranus: str, state_home: Path) -> None:
    assert inv("lab.exec", "client", "touch /root/later", "--name", uranus).code == 0
    down = inv("lab.down", "--name", uranus)
    assert down.code == 0, down.err
    assert not (state_home / uranus).exists()
    up = inv("lab.up", "--name", uranus)
    assert up.code == 0, up.err
    assert "warm start" in up.err
    assert "boot" not in up.err, up.err
    assert inv("lab.exec", "client", "ls /root/later", "--name", uranus).code != 0
    assert clock_is_right("backup", uranus)
    check = inv("lab.check", "--name", uranus, "--json")
    assert check.code == 0, check.out[-3000:] + check.err[-3000:]

"""A firewall's whole word: FreeBSD's formats, and the stand-in's, through the very commands the lab types."""

from __future__ import annotations

import os
import subprocess
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from standin.commands.ifconfig import PFSYNC_TEXT
from standin.pf_states import format_states, parse_flows

from lab.appliances.node_word import ASK_MODE, PfsyncWord, ask_states, parse_pfsync, parse_word

SYNC = (IPv4Address("172.17.4.254"), IPv4Address("172.17.4.253"))
CARP = """1
1
240
vtnet1: flags=8963<UP,BROADCAST,RUNNING,PROMISC,SIMPLEX,MULTICAST> metric 0 mtu 1500
\tinet 172.17.1.252 netmask 0xffffff00 broadcast 172.17.1.255 vhid 1
\tcarp: MASTER vhid 1 advbase 1 advskew 0
\t      peer 224.0.0.18 peer6 ff02::12
pfsync0: flags=41<UP,RUNNING> metric 0 mtu 1500
\tpfsync: syncdev: vtnet4 syncpeer: 172.17.4.253 maxupd: 128 defer: off
\tsyncok: 1
\tgroups: pfsync
"""
# pfctl -vvss on FreeBSD 14 (pf_print_state.c).
STATES = """all tcp 172.17.4.254:443 <- 172.17.4.253:40000       FIN_WAIT_2:FIN_WAIT_2
   age 00:00:10, expires in 00:00:01, 9:8 pkts, 1000:900 bytes, rule 99
   id: 5f0b1c6500000009 creatorid: cccccccc
all tcp 172.17.2.10:22 <- 172.17.1.10:40000       ESTABLISHED:ESTABLISHED
   [2904196837 + 65536] wscale 7  [2040353281 + 64256] wscale 7
   age 00:00:10, expires in 23:59:58, 9:8 pkts, 1000:900 bytes, rule 81
   id: 5f0b1c6500000001 creatorid: 000000a1
   origif: vtnet1
all udp 172.17.1.10:5000 -> 203.0.113.10:53       SINGLE:MULTIPLE
   age 00:00:02, expires in 00:00:28, 1:1 pkts, 60:60 bytes, rule 90
   id: 5f0b1c6500000002 creatorid: b2000000 gateway: 192.168.1.1
"""
FLOWS = (
    "tcp 6 431999 ESTABLISHED src=172.17.1.10 dst=172.17.2.10 sport=40000 dport=22"
    " src=172.17.2.10 dst=172.17.1.10 sport=22 dport=40000 [ASSURED] mark=161 use=1 id=7\n"
    "udp 17 29 src=172.17.3.10 dst=172.17.3.254 sport=1 dport=53"
    " src=172.17.3.254 dst=172.17.3.10 sport=53 dport=1 mark=178 use=1 id=8\n"
)


def asked(folder: Path, states: str, config: str) -> str:
    """The output of what the lab asks where `pfctl` prints these states and config.xml is this text."""
    folder.mkdir()
    (folder / "states").write_text(states)
    (folder / "config.xml").write_text(config)
    pfctl = folder / "pfctl"
    pfctl.write_text(f'#!/bin/sh\ntest "$*" = -vvss && cat {folder}/states\n')
    pfctl.chmod(0o755)
    command = f"{ask_states(SYNC)}; {ASK_MODE}".replace("/cf/conf/config.xml", str(folder / "config.xml"))
    path = f"{folder}:{os.environ['PATH']}"
    return subprocess.run(["sh", "-c", command], env={"PATH": path}, capture_output=True, text=True, check=False).stdout


def test_freebsd_s_formats(tmp_path: Path) -> None:
    word = parse_word(CARP, asked(tmp_path / "a", STATES, "<pfsense>\n</pfsense>\n"))
    assert word.pfsync == PfsyncWord("vtnet4", "172.17.4.253", settled=True)
    assert (word.states, word.creators) == (3, ("a1", "b2000000"))
    assert not word.maintenance
    assert word.carp.demotion == 240
    assert word.carp.state_on("vtnet1", 1) == "MASTER"


def test_the_stand_in_s_formats(tmp_path: Path) -> None:
    text = format_states(parse_flows(FLOWS), frozenset({"172.17.3.254"}), 0xA1, verbose=True)
    carp = CARP[: CARP.index("pfsync0")] + PFSYNC_TEXT.format(nic="vtnet4", peer="172.17.4.254")
    config = "<virtualip_carp_maintenancemode></virtualip_carp_maintenancemode>\n"
    word = parse_word(carp, asked(tmp_path / "a", text, config))
    assert word.pfsync == PfsyncWord("vtnet4", "172.17.4.254", settled=True)
    assert (word.states, word.creators) == (3, ("a1", "b2"))
    assert word.maintenance


def test_an_empty_state_table(tmp_path: Path) -> None:
    word = parse_word(CARP, asked(tmp_path / "a", "", ""))
    assert (word.states, word.creators) == (0, ())


def test_no_state_sync_is_a_state() -> None:
    assert parse_pfsync(CARP[: CARP.index("pfsync0")]) is None
    assert parse_pfsync("pfsync0: flags=0<> metric 0 mtu 1500\n\tgroups: pfsync\n") is None


def test_an_open_bulk_update_is_seen() -> None:
    found = parse_pfsync(CARP.replace("syncok: 1", "syncok: 0"))
    assert found is not None
    assert not found.settled


@pytest.mark.parametrize("states", ["", "   3 state\n", "pfctl: not found\nmaintenance 0\n", "maintenance\n"])
def test_anything_else_is_an_error(states: str) -> None:
    with pytest.raises(ValueError, match=r"no line|not understood"):
        parse_word(CARP, states)

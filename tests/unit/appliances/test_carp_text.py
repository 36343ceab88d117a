"""Reading a firewall's own word, in FreeBSD's formats."""

from __future__ import annotations

import pytest

from lab.appliances.carp_text import CarpWord, VhidWord, parse_carp, parse_ifconfig

MASTER = """vtnet1: flags=8963<UP,BROADCAST,RUNNING,PROMISC,SIMPLEX,MULTICAST> metric 0 mtu 1500
\tdescription: LAN
\tinet 172.17.1.254 netmask 0xffffff00 broadcast 172.17.1.255
\tinet 172.17.1.252 netmask 0xffffff00 broadcast 172.17.1.255 vhid 1
\tcarp: MASTER vhid 1 advbase 1 advskew 0
\t      peer 224.0.0.18 peer6 ff02::12
\tmedia: Ethernet autoselect (10Gbase-T <full-duplex>)
vtnet2: flags=8963<UP,BROADCAST> metric 0 mtu 1500
\tcarp: BACKUP vhid 2 advbase 1 advskew 254
\tcarp: INIT vhid 9 advbase 3 advskew 7
lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> metric 0 mtu 16384
"""


def test_each_vhid_stands_under_its_own_interface() -> None:
    assert parse_ifconfig(MASTER) == (
        VhidWord("vtnet1", 1, "MASTER", 1, 0),
        VhidWord("vtnet2", 2, "BACKUP", 1, 254),
        VhidWord("vtnet2", 9, "INIT", 3, 7),
    )


def test_a_disabled_carp_has_no_lines_and_that_is_a_state() -> None:
    word = parse_carp("0\n1\n0\nvtnet1: flags=8863<UP> metric 0 mtu 1500\n")
    assert word == CarpWord(allow=False, preempt=True, demotion=0, vhids=())
    assert word.state_on("vtnet1", 1) == "DISABLED"


def test_demotion_may_be_negative() -> None:
    assert parse_carp("1\n1\n-240\n" + MASTER).demotion == -240


@pytest.mark.parametrize("text", ["", "1\n1\n", "sysctl: unknown oid\n1\n1\n" + MASTER])
def test_anything_else_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"invalid literal|not enough values"):
        parse_carp(text)

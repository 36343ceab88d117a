from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

from standin.model import StateSync
from standin.state_sync import is_neighbour, received_packets, render_config

from tests.golden_files import assert_golden

SYNC = StateSync("vtnet4", IPv4Address("172.17.4.254"), IPv4Address("172.17.4.253"), 0xA1)

STATISTICS = """
UDP traffic (active device=vtnet2):
                  32 Bytes sent                  168 Bytes recv
                   2 Pckts sent                    3 Pckts recv
                   0 Error send                    0 Error recv
"""

ARP = """IP address       HW type     Flags       HW address            Mask     Device
172.17.4.253     0x1         0x2         ae:66:67:d9:c1:a4     *        vtnet4
172.17.4.7       0x1         0x0         00:00:00:00:00:00     *        vtnet4
"""


def test_configuration() -> None:
    assert_golden("standin/conntrackd.conf", render_config(SYNC, Path("/run/standin")))


def test_packets_received_are_read_from_the_statistics() -> None:
    assert received_packets(STATISTICS) == 3
    assert received_packets("") is None


def test_a_neighbour_is_one_that_has_answered() -> None:
    assert is_neighbour("172.17.4.253", ARP)
    assert not is_neighbour("172.17.4.7", ARP)
    assert not is_neighbour("172.17.4.8", ARP)

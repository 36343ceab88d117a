from __future__ import annotations

import pytest
from standin.pf_states import count_states, creators, format_states, parse_flows

OWN = frozenset(("172.17.1.254", "172.17.1.252", "192.168.1.168"))

THROUGH = (
    "tcp      6 431998 ESTABLISHED src=172.17.1.10 dst=172.17.2.10 sport=38506 dport=5000 packets=9 bytes=540 "
    "src=172.17.2.10 dst=172.17.1.10 sport=5000 dport=38506 packets=8 bytes=480 [ASSURED] mark=161 use=1 id=4660\n"
)
NATTED = (
    "udp      17 29 src=172.17.1.10 dst=203.0.113.10 sport=5353 dport=53 [UNREPLIED] "
    "src=203.0.113.10 dst=192.168.1.168 sport=53 dport=61001 mark=0 use=1 id=7\n"
)
FORWARDED = (
    "tcp      6 59 SYN_RECV src=203.0.113.10 dst=192.168.1.168 sport=40000 dport=8080 "
    "src=172.17.3.10 dst=203.0.113.10 sport=80 dport=40000 mark=162 use=1 id=8\n"
)
PING_TO_US = (
    "icmp     1 29 src=172.17.1.10 dst=172.17.1.252 type=8 code=0 id=2555 packets=1 bytes=84 "
    "src=172.17.1.252 dst=172.17.1.10 type=0 code=0 id=2555 packets=1 bytes=84 mark=0 delta-time=75 use=1 id=9\n"
)
FROM_US = (
    "udp      17 100 src=192.168.1.168 dst=192.168.1.1 sport=68 dport=67 "
    "src=192.168.1.1 dst=192.168.1.168 sport=67 dport=68 mark=0 use=1 id=10\n"
)


def lines(text: str, **options: bool) -> list[str]:
    return format_states(parse_flows(text), OWN, 0xA1, **options).splitlines()


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            THROUGH,
            [
                "all tcp 172.17.2.10:5000 <- 172.17.1.10:38506       ESTABLISHED:ESTABLISHED",
                "all tcp 172.17.1.10:38506 -> 172.17.2.10:5000       ESTABLISHED:ESTABLISHED",
            ],
        ),
        (
            NATTED,
            [
                "all udp 203.0.113.10:53 <- 172.17.1.10:5353       NO_TRAFFIC:SINGLE",
                "all udp 192.168.1.168:61001 (172.17.1.10:5353) -> 203.0.113.10:53       SINGLE:NO_TRAFFIC",
            ],
        ),
        (
            FORWARDED,
            [
                "all tcp 172.17.3.10:80 (192.168.1.168:8080) <- 203.0.113.10:40000       SYN_SENT:ESTABLISHED",
                "all tcp 203.0.113.10:40000 -> 172.17.3.10:80       ESTABLISHED:SYN_SENT",
            ],
        ),
        (PING_TO_US, ["all icmp 172.17.1.252:2555 <- 172.17.1.10:2555       0:0"]),
        (FROM_US, ["all udp 192.168.1.168:68 -> 192.168.1.1:67       MULTIPLE:SINGLE"]),
    ],
    ids=["through", "source translated", "destination translated", "to the firewall", "from the firewall"],
)
def test_one_entry_gives_the_states_pf_would_have(entry: str, expected: list[str]) -> None:
    assert lines(entry) == expected
    assert count_states(parse_flows(entry), OWN) == len(expected)


def test_verbose_tells_counters_and_creator() -> None:
    assert lines(THROUGH, verbose=True)[1:3] == [
        "   expires in 119:59:58, 9:8 pkts, 540:480 bytes",
        "   id: 0000000000002468 creatorid: 000000a1",
    ]
    assert lines(PING_TO_US, verbose=True)[1] == "   age 00:01:15, expires in 00:00:29, 1:1 pkts, 84:84 bytes"


def test_creators_are_the_marks_and_without_one_this_node() -> None:
    assert creators(parse_flows(THROUGH + FORWARDED + NATTED), 0xB2) == {161, 162, 0xB2}


def test_what_pf_keeps_no_state_for_is_left_out() -> None:
    loopback = THROUGH.replace("172.17.1.10", "127.0.0.1")
    carp = "unknown  112 599 src=172.17.1.253 dst=224.0.0.18 [UNREPLIED] src=224.0.0.18 dst=172.17.1.253 mark=0 use=1\n"
    assert not parse_flows(loopback + carp + "conntrack v1.4.7 (conntrack-tools): 0 flow entries\n")


def test_protocols_without_ports_and_unknown_ones() -> None:
    gre = "unknown  47 599 src=172.17.1.10 dst=172.17.2.10 src=172.17.2.10 dst=172.17.1.10 mark=0 use=1\n"
    assert lines(gre)[0] == "all 47 172.17.2.10 <- 172.17.1.10       SINGLE:MULTIPLE"

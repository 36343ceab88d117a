from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from lab.experiment.pcap import Frame
from lab.experiment.series import ConnectKey, PingKey, SeriesBook, Try, answered_after, in_time, longest_gap
from tests.unit.experiment.frames import EPOCH, echo, segment

CLIENT, VIP = "172.17.1.10", "172.17.1.252"
KEY = PingKey(IPv4Address(CLIENT).packed, IPv4Address(VIP).packed, 0x5501)
WEB = ConnectKey(IPv4Address(CLIENT).packed, IPv4Address(VIP).packed, 80)
SYN, SYN_ACK, RST = 0x02, 0x12, 0x14


def pings(dead: tuple[float, float], end: float = 10.0, ident: int = 0x5501, first: int = 1) -> list[Frame]:
    """One every 20 ms; those sent within `dead` are not answered."""
    found = []
    for n in range(round(end / 0.02)):
        sent = n * 0.02
        found.append(echo(sent, "client-lan", CLIENT, VIP, ident, first + n))
        if not dead[0] <= sent < dead[1]:
            found.append(echo(sent + 0.001, "client-lan", CLIENT, VIP, ident, first + n, reply=True))
    return sorted(found)


def book(frames: list[Frame]) -> SeriesBook:
    made = SeriesBook()
    made.feed(frames)
    return made


def test_an_outage_is_measured_and_its_losses_counted() -> None:
    tries = book(pings((3.0, 6.0))).tries(KEY)
    gap = longest_gap(tries, EPOCH + 2, EPOCH + 9.9)
    assert gap is not None
    assert gap.seconds == pytest.approx(3.02, abs=1e-6)
    assert gap.lost == 150
    assert gap.last == pytest.approx(EPOCH + 2.98)


def test_nothing_lost_is_no_outage() -> None:
    gap = longest_gap(book(pings((0, 0))).tries(KEY), EPOCH + 2, EPOCH + 9)
    assert gap is not None
    assert (gap.seconds, gap.lost) == (0.0, 0)


def test_a_late_answer_is_no_outage() -> None:
    """Half a second in which a slow guest answers nothing, then everything."""
    tries = [Try(EPOCH + n * 0.02, EPOCH + (3.5 if 150 <= n < 175 else n * 0.02) + 0.001) for n in range(500)]
    gap = longest_gap(tries, EPOCH + 2, EPOCH + 9)
    assert gap is not None
    assert (gap.seconds, gap.lost) == (0.0, 0)


def test_an_outage_without_an_end_has_none() -> None:
    tries = book(pings((3.0, 20.0))).tries(KEY)
    gap = longest_gap(tries, EPOCH + 2, EPOCH + 9.99)
    assert gap is not None
    assert gap.seconds is None
    assert gap.lost == 350
    assert longest_gap(tries, EPOCH + 8, EPOCH + 9) is not None
    assert answered_after(tries, EPOCH + 3) is None


def test_what_comes_back_after_the_window_is_another_matter() -> None:
    tries = book(pings((3.0, 8.0))).tries(KEY)
    gap = longest_gap(tries, EPOCH + 2, EPOCH + 7)
    assert gap is not None
    assert gap.seconds is None
    assert answered_after(tries, EPOCH + 7) == pytest.approx(EPOCH + 8.001)


def test_never_answered_is_no_gap() -> None:
    assert longest_gap(book(pings((0, 20))).tries(KEY), EPOCH, EPOCH + 9) is None


def test_two_pings_to_one_address_are_two_series() -> None:
    made = book(sorted(pings((0, 20), ident=1) + pings((0, 0), ident=2)))
    assert answered_after(made.tries(KEY._replace(ident=1)), EPOCH) is None
    assert len(made.tries(KEY._replace(ident=2))) == 500


def test_numbers_come_round() -> None:
    tries = book(pings((3.0, 6.0), first=65_400)).tries(KEY)
    assert len(tries) == 500
    assert sum(try_.answered is None for try_ in tries) == 150


def test_a_number_used_again_after_a_round_is_another_try() -> None:
    asked = [echo(n, "t", CLIENT, VIP, 9, number) for n, number in enumerate((0, 30_000, 60_000, 65_535, 0))]
    answers = [echo(0.1, "t", CLIENT, VIP, 9, 0, reply=True), echo(4.1, "t", CLIENT, VIP, 9, 0, reply=True)]
    found = book(sorted(asked + answers)).tries(KEY._replace(ident=9))
    assert [try_.answered is not None for try_ in found] == [True, False, False, False, True]


def test_answers_out_of_order_find_their_question() -> None:
    late = [echo(0.0, "t", CLIENT, VIP, 9, 1), echo(0.02, "t", CLIENT, VIP, 9, 2)]
    late += [echo(0.03, "t", CLIENT, VIP, 9, 2, reply=True), echo(0.04, "t", CLIENT, VIP, 9, 1, reply=True)]
    found = book(late).tries(KEY._replace(ident=9))
    assert [round(try_.answered - EPOCH, 3) for try_ in found if try_.answered] == [0.04, 0.03]


def test_connections_are_answered_by_syn_ack_alone() -> None:
    made = book(
        [
            segment(0.0, "t", (CLIENT, 4001, VIP, 80), SYN, sequence=41),
            segment(0.1, "t", (VIP, 80, CLIENT, 4001), SYN_ACK, acknowledged=42),
            segment(1.0, "t", (CLIENT, 4002, VIP, 80), SYN, sequence=50),
            segment(1.1, "t", (VIP, 80, CLIENT, 4002), RST, acknowledged=51),
            segment(2.0, "t", (CLIENT, 4003, VIP, 80), SYN, sequence=60),
            segment(3.0, "t", (CLIENT, 4003, VIP, 80), SYN, sequence=60),
            segment(3.1, "t", (VIP, 80, CLIENT, 4003), SYN_ACK, acknowledged=61),
        ]
    )
    assert made.tries(WEB) == (
        Try(EPOCH + 0.0, EPOCH + 0.1),
        Try(EPOCH + 1.0, None),
        Try(EPOCH + 2.0, EPOCH + 3.1),
    )


def test_an_answer_to_somebody_who_gave_up_is_none() -> None:
    """A SYN that waited behind an unanswered ARP request is answered when the connection is long abandoned."""
    assert in_time(Try(1.0, 1.4), 0.5) == Try(1.0, 1.4)
    assert in_time(Try(1.0, 3.4), 0.5) == Try(1.0, None)
    assert in_time(Try(1.0, None), 0.5) == Try(1.0, None)

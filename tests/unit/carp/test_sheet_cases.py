"""Cases 16 to 30 of the reference sheet (carp-freebsd.md §7.1); 1 to 15 are recorded, see test_recorded_cases."""

from __future__ import annotations

from typing import Any

from tests.unit.carp.kernel_cases import Line, replay

VIP = "192.0.2.101"


def host(*, s: int = 0, vhids: int = 1, v6: bool = False, sysctls: dict[str, int] | None = None) -> list[Line]:
    """The sheet's start: em0 with link, preempt 1, VHIDs 1.. with base 1 and one VIP each."""
    events: list[Line] = [{"t": 0, "ev": "sysctl", "name": "preempt", "value": 1}]
    events += [{"t": 0, "ev": "sysctl", "name": name, "value": value} for name, value in (sysctls or {}).items()]
    events += [at(0, "ifnew"), at(0, "addr", addr="192.0.2.2")]
    for vhid in range(1, vhids + 1):
        events.append(at(0, "vhid", vhid=vhid, advbase=1, advskew=s, key="secret"))
        events.append(at(0, "addr", addr=f"192.0.2.{100 + vhid}", vhid=vhid))
    if v6:
        events += [at(0, "addr", addr="fe80::2"), at(0, "addr", addr="fd00::101", vhid=1)]
    return events


def at(t: float, ev: str, **fields: Any) -> Line:
    return {"t": t, "ev": ev, "if": "em0", **fields}


def sysctl(t: float, name: str, value: int) -> Line:
    return {"t": t, "ev": "sysctl", "name": name, "value": value}


def heard(t: float, base: int, skew: int, **fields: Any) -> Line:
    return at(t, "rxad", vhid=fields.pop("vhid", 1), advbase=base, advskew=skew, **fields)


class Story:
    """What a host did, until `end`."""

    def __init__(self, events: list[Line], end: float) -> None:
        self.lines = replay([*events, {"t": end, "ev": "dump"}])
        self.final = {line["vhid"]: line for line in self.lines if line["out"] == "state"}
        self.demotion = next(line["demotion"] for line in self.lines if line["out"] == "host")

    def states(self, vhid: int = 1) -> list[tuple[float, str]]:
        return [(x["t"], x["type"]) for x in self._of("devd") if x["subsystem"] == f"{vhid}@em0"]

    def adverts(self, vhid: int = 1, family: int = 4) -> list[tuple[float, int]]:
        return [(x["t"], x["advskew"]) for x in self._of("tx") if (x["vhid"], x["af"]) == (vhid, family)]

    def times(self, out: str) -> list[float]:
        return [x["t"] for x in self._of(out)]

    def demotions(self) -> list[str]:
        return [x["msg"] for x in self._of("log") if "demoted" in x["msg"]]

    def _of(self, out: str) -> list[Line]:
        return [line for line in self.lines if line["out"] == out]


def test_16_a_coalesced_link_flap_throws_the_master_back() -> None:
    story = Story([*host(), at(4.25, "link", state=2)], 8)
    assert story.states()[2:] == [(4.25, "INIT"), (4.25, "BACKUP"), (7.25, "MASTER")]
    assert story.adverts() == [(3.0, 0), (4.0, 0), (7.25, 0)]
    assert story.demotion == 0


def test_17_allow_off_and_on() -> None:
    events = [*host(vhids=2), sysctl(4.5, "allow", 0), heard(5, 1, 200)]
    story = Story(events, 6)
    assert story.demotion == 480
    assert {line["state"] for line in story.final.values()} == {"INIT"}
    story = Story([*events, sysctl(7, "allow", 1)], 10.5)
    for vhid in (1, 2):
        assert story.states(vhid)[2:] == [(4.5, "INIT"), (7.0, "BACKUP"), (10.0, "MASTER")]
        assert story.adverts(vhid) == [(3.0, 0), (4.0, 0), (10.0, 0)]
    assert story.demotion == 0
    newest_first = [x["subsystem"] for x in story.lines if x["out"] == "devd" and x["t"] == 4.5]
    assert newest_first == ["2@em0", "1@em0"]


def test_18_a_demotion_is_advertised_at_once() -> None:
    story = Story([*host(s=100), sysctl(4, "demotion", 50)], 8)
    assert story.adverts() == [(3.390625, 100), (4.0, 150), (5.585937, 150), (7.171874, 150)]


def test_19_a_demotion_and_its_end() -> None:
    story = Story([*host(), sysctl(4.2, "demotion", 240), sysctl(9, "demotion", -240)], 11)
    expected = [(3.0, 0), (4.0, 0), (4.2, 240), (6.1375, 240), (8.075, 240), (9.0, 0), (10.0, 0), (11.0, 0)]
    assert story.adverts() == expected


def test_20_a_negative_demotion() -> None:
    story = Story([*host(s=10), sysctl(4.2, "demotion", -500)], 7)
    assert story.adverts()[2:] == [(4.2, 0), (5.2, 0), (6.2, 0)]
    assert story.demotion == -500


def test_21_a_demoted_backup_does_not_preempt() -> None:
    story = Story([*host(), sysctl(0.5, "demotion", 240), heard(1, 1, 200)], 4.5)
    assert story.states() == [(0.0, "BACKUP"), (4.0, "MASTER")]
    assert story.adverts() == [(4.0, 240)]


def test_22_a_demoted_master_yields_and_waits_undemoted() -> None:
    story = Story([*host(), sysctl(4.2, "demotion", 240), heard(4.3, 1, 100)], 7.5)
    assert story.states()[2:] == [(4.3, "BACKUP"), (7.3, "MASTER")]
    assert story.adverts()[2:] == [(4.2, 240), (7.3, 240)]


def test_23_the_first_gap_is_not_demoted() -> None:
    story = Story([*host(s=100, sysctls={"demotion": 50})], 8)
    assert story.adverts() == [(3.390625, 150), (4.78125, 150), (6.367187, 150), (7.953124, 150)]


SEND_ERRORS = [at(4.1, "senderr", err=55), at(8.6, "senderr", err=0)]


def test_24_send_errors_demote() -> None:
    story = Story([*host(), *SEND_ERRORS], 13.9)
    sent = [(5.0, 0), (6.0, 0), (7.0, 0), (7.0, 240), (8.9375, 240), (10.875, 240), (12.8125, 240), (12.8125, 0)]
    assert story.adverts()[2:] == [*sent, (13.8125, 0)]
    assert story.demotion == 0
    assert story.demotions() == [
        "carp: demoted by 240 to 240 (send error 55 on em0)",
        "carp: demoted by -240 to 0 (send ok on em0)",
    ]
    assert Story([*host(), SEND_ERRORS[0]], 7.5).final[1]["send_errors"] == 4


def test_25_send_errors_with_factor_0_still_advertise_once_more() -> None:
    story = Story([*host(sysctls={"senderr_demotion_factor": 0}), *SEND_ERRORS], 12.5)
    assert story.adverts()[2:] == [(t, 0) for t in (5.0, 6.0, 7.0, 7.0, 8.0, 9.0, 10.0, 11.0, 11.0, 12.0)]
    assert story.demotion == 0


def test_26_skew_254_waits_for_the_next_advert_and_states_can_be_asked_for() -> None:
    events = [*host(), at(4.5, "vhid", vhid=1, advskew=254)]
    events += [at(9, "vhid", vhid=1, state="BACKUP"), at(10, "vhid", vhid=1, state="MASTER")]
    story = Story(events, 12)
    sent = [(3.0, 0), (4.0, 0), (5.0, 240), (6.9375, 240), (8.875, 240), (10.0, 240), (11.992187, 240)]
    assert story.adverts() == sent
    assert story.states()[2:] == [(9.0, "BACKUP"), (10.0, "MASTER")]
    assert story.times("garp") == [3.0, 10.0]


def test_27_a_second_vip_throws_the_master_back() -> None:
    story = Story([*host(), at(4.5, "addr", addr="192.0.2.111", vhid=1)], 8)
    assert story.states()[2:] == [(4.5, "INIT"), (4.5, "BACKUP"), (7.5, "MASTER")]
    assert story.times("garp") == [3.0, 7.5, 7.5]


def test_28_the_last_vip_takes_the_vhid_with_it() -> None:
    story = Story([*host(), at(4.5, "deladdr", addr=VIP)], 8)
    assert story.states()[2:] == [(4.5, "INIT")]
    assert story.final == {}
    assert story.lines[-1]["next"] is None
    assert [x["on"] for x in story.lines if x["out"] == "promisc"] == [1, 0]


def test_29_two_families_two_patiences() -> None:
    story = Story([*host(v6=True), heard(2, 1, 0), heard(2.9, 1, 0)], 6)
    # Attaching the second family starts both timers anew, at the same instant.
    assert story.states()[-1] == (3.0, "MASTER")
    assert story.adverts() == [(t, 0) for t in (3.0, 4.0, 5.0, 6.0)]
    assert story.adverts(family=6) == story.adverts()
    assert (story.times("garp"), story.times("na")) == ([3.0], [3.0])
    late = [x for x in story.lines if x["out"] == "fire" and x["t"] == 5.9]
    assert [x["name"] for x in late] == ["sc_md_tmo"]


def test_30_frames_to_the_virtual_mac() -> None:
    mac, other = "00:00:5e:00:01:01", "00:00:5e:00:01:02"
    asked = [(1, mac), (4, mac), (4, other)]
    lines = replay([*host(), *(at(t, "forus", mac=m) for t, m in asked)])
    assert [line["rc"] for line in lines if line["out"] == "done"][-3:] == [0, 1, 0]


# -- the unit tests named after the table


def own_counters(events: list[Line], end: float) -> list[tuple[int, int]]:
    lines = Story(events, end).lines
    return [(line["af"], line["counter"]) for line in lines if line["out"] == "tx"]


def test_own_counters_follow_the_last_one_heard() -> None:
    assert own_counters([*host(), heard(1, 1, 0, counter=1000)], 5) == [(4, 1001), (4, 1002)]
    both = own_counters([*host(v6=True), heard(1, 1, 0, counter=1000)], 4)
    assert both == [(4, 1001), (6, 1002), (4, 1003), (6, 1004)]


def test_the_counter_wraps_and_a_master_takes_over_even_a_lower_one() -> None:
    assert own_counters([*host(), heard(1, 1, 0, counter=2**64 - 1)], 5) == [(4, 0), (4, 1)]
    events = [*host(), heard(1, 1, 0, counter=1000), heard(4.5, 1, 1, counter=10)]
    assert own_counters(events, 5) == [(4, 1001), (4, 11)]


def test_counters_are_random_until_one_was_heard() -> None:
    numbers = iter([77, 3])
    lines = replay([*host(), {"t": 4.5, "ev": "run"}], lambda: next(numbers))
    assert [line["counter"] for line in lines if line["out"] == "tx"] == [77, 3]


def test_type_and_authlen_are_not_looked_at() -> None:
    story = Story([*host(s=100), heard(1, 1, 101, type=9, authlen=0)], 2)
    assert story.states()[-1] == (1.0, "MASTER")


def test_base_comes_before_skew() -> None:
    assert Story([*host(), heard(4.5, 0, 255)], 4.6).states()[-1] == (4.5, "BACKUP")


def test_a_farewell_is_obeyed_with_and_without_preempt() -> None:
    for preempt in (0, 1):
        story = Story([*host(sysctls={"preempt": preempt}), heard(1, 255, 255)], 2)
        assert story.states()[-1] == (1.0, "MASTER")


def test_ttl_matters_for_ipv6_only() -> None:
    assert Story([*host(s=100), heard(1, 1, 101, ttl=64)], 2).states()[-1] == (1.0, "MASTER")
    events = [*host(s=100, v6=True), heard(1, 1, 101, ttl=64, af=6)]
    assert Story(events, 2).final[1]["state"] == "BACKUP"
    events[-1]["ttl"] = 255
    assert Story(events, 2).final[1]["state"] == "MASTER"


def rc(event: Line) -> int:
    result: int = replay([*host(), event])[-1]["rc"]
    return result


def test_what_siocsvh_refuses() -> None:
    einval = 22
    assert rc(at(1, "vhid", vhid=0, advbase=1, advskew=0)) == einval
    assert rc(at(1, "vhid", vhid=256, advbase=1, advskew=0)) == einval
    assert rc(at(1, "vhid", vhid=1, advbase=256, advskew=0)) == einval
    assert rc(at(1, "vhid", vhid=1, advbase=1, advskew=255)) == einval
    assert rc(at(1, "vhid", vhid=1, advbase=1, advskew=254)) == 0
    kept = Story([*host(), at(1, "vhid", vhid=1, advbase=7, advskew=0), at(2, "vhid", vhid=1, advbase=0, advskew=3)], 3)
    assert (kept.final[1]["advbase"], kept.final[1]["advskew"]) == (7, 3)


def test_a_refused_skew_leaves_the_new_vhid_behind() -> None:
    story = Story([*host(), at(1, "vhid", vhid=9, advbase=5, advskew=255)], 2)
    assert (story.final[9]["advbase"], story.final[9]["state"]) == (5, "INIT")


def test_other_refusals() -> None:
    assert rc(at(1, "addr", addr="192.0.2.9", vhid=9)) == 2
    assert rc({"t": 1, "ev": "addr", "if": "em7", "addr": "192.0.2.9"}) == 6
    assert rc(at(1, "deladdr", addr="192.0.2.9")) == 49
    assert rc(sysctl(1, "dscp", 64)) == 22
    assert rc(sysctl(1, "dscp", 63)) == 0
    assert replay([at(0, "ifnew"), at(0, "addr", addr="192.0.2.9", vhid=1)])[-1]["rc"] == 42


def test_a_link_of_unknown_state_counts_as_down() -> None:
    story = Story([*host(), at(4.5, "link", state=0)], 6)
    assert story.states()[-1] == (4.5, "INIT")
    assert story.demotion == 240


def test_a_vhid_without_address_stays_init_but_is_demoted_with_its_interface() -> None:
    events = [*host(), at(1, "vhid", vhid=2, advbase=1, advskew=0), at(2, "link", state=1)]
    story = Story(events, 3)
    assert story.final[2]["state"] == "INIT"
    assert (story.final[2]["md"], story.demotion) == (None, 480)


def test_removing_a_suppressed_vhid_gives_its_demotion_back() -> None:
    story = Story([*host(), at(1, "link", state=1), at(2, "deladdr", addr=VIP)], 3)
    assert story.demotion == 0
    assert story.demotions()[-1] == "carp: demoted by -240 to 0 (vhid removed)"


def test_a_changed_factor_is_what_is_given_back() -> None:
    events = [*host(), at(1, "link", state=1), sysctl(2, "ifdown_demotion_factor", 100), at(3, "link", state=2)]
    assert Story(events, 4).demotion == 140


def test_adding_a_vip_again_passes_through_init_twice() -> None:
    story = Story([*host(), at(4.5, "addr", addr=VIP, vhid=1)], 8)
    again = [(4.5, "INIT"), (4.5, "BACKUP"), (7.5, "MASTER")]
    assert story.states()[2:] == again
    assert list(story.final) == [1]


def test_a_vhid_kept_without_address_lets_its_advert_timer_run_on_in_silence() -> None:
    story = Story([*host(), at(4.5, "deladdr", addr=VIP, keep=1)], 6.5)
    assert (story.final[1]["state"], story.final[1]["ad"]) == ("INIT", 7.0)
    assert story.adverts() == [(3.0, 0), (4.0, 0)]


def test_forced_adverts_go_newest_first_and_once() -> None:
    events = [*host(vhids=3), at(4.25, "deladdr", addr="192.0.2.103", keep=1)]
    story = Story([*events, sysctl(4.5, "demotion", 7)], 4.6)
    assert [x["vhid"] for x in story.lines if x["out"] == "tx" and x["t"] == 4.5] == [2, 1]


def test_the_demotion_counter_is_a_c_int() -> None:
    story = Story([*host(), sysctl(1, "demotion", 2**31 - 1), sysctl(2, "demotion", 1)], 3.5)
    assert story.demotion == -(2**31)
    assert story.adverts() == [(3.0, 0)]
    # skew + demotion overflows too, and reads as better than everything
    assert Story([*host(s=100), sysctl(1, "demotion", 2**31 - 1)], 4).adverts() == [(3.390625, 0)]


def test_a_frozen_host_fires_overdue_timers_once_and_late() -> None:
    story = Story([*host(), at(9.25, "forus", mac="00:00:5e:00:01:01", jump=1)], 10.5)
    assert story.states()[-1] == (9.25, "MASTER")
    assert story.adverts() == [(9.25, 0), (10.25, 0)]


def test_a_unicast_peer_gets_adverts_from_the_own_mac() -> None:
    events = [*host(), at(1, "vhid", vhid=1, peer="192.0.2.3")]
    events[1]["mac"] = "02:11:22:33:44:55"
    sent = next(line for line in Story(events, 3.5).lines if line["out"] == "tx")
    assert (sent["smac"], sent["hex"][32:40]) == ("02:11:22:33:44:55", "c0000203")


def test_adverts_come_from_the_first_ordinary_address_else_from_a_master() -> None:
    events = [*host(vhids=2), at(3.5, "deladdr", addr="192.0.2.2"), at(3.6, "vhid", vhid=1, state="BACKUP")]
    sent = [line["hex"][24:32] for line in Story(events, 4.5).lines if line["out"] == "tx"]
    assert sent == ["c0000202", "c0000202", "c0000266"]

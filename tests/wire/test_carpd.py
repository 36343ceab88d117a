"""The CARP daemon between namespaces: what is on the wire, who is master, what is lost."""

from __future__ import annotations

import signal
import time
from dataclasses import replace
from ipaddress import IPv4Interface
from pathlib import Path

import pytest

from lab.carp import law
from lab.carp.packet import BROADCAST_MAC, GROUP4_MAC, pack_address, pack_mac, virtual_mac
from tests.wire.capture import Capture
from tests.wire.firewalls import Firewall, Heartbeat, Pair, vip
from tests.wire.namespaces import Network, until
from tests.wire.pings import Pings

pytestmark = pytest.mark.wire

ALL_MASTER, ALL_BACKUP, ALL_INIT = (["MASTER"] * 2, ["BACKUP"] * 2, ["INIT"] * 2)
VIP = "172.17.1.252"
REAL = {"a": "172.17.1.254", "b": "172.17.1.253"}
SLACK = 0.25
"""Seconds that a loaded machine may add without the heartbeat seeing it: other processes wait in other queues."""


def virtual_devices(firewall: Firewall) -> list[str]:
    return [name for name in firewall.node.run("ls /sys/class/net").split() if "." in name]


def test_arp_answers_real_address_by_real_mac_and_vip_by_virtual_mac_once_each(pair: Pair, tmp_path: Path) -> None:
    addresses = [VIP, *REAL.values()]
    with Capture(pair.network, "lan", tmp_path, "arp") as capture:
        for address in addresses:
            pair.client.run("ip neigh flush all")
            pair.client.run(f"ping -c 1 -W 2 {address}")
    own = {address: pack_mac(getattr(pair, name).node.mac("lan")) for name, address in REAL.items()}
    for address in addresses:
        packed = pack_address(address)
        asked = [arp for arp in capture.arps() if not arp.is_reply and arp.target == packed and arp.sender != packed]
        answers = [arp.sender_mac for arp in capture.arps() if arp.is_reply and arp.sender == packed]
        assert answers == [own.get(address, virtual_mac(1))] * len(asked), address
        assert asked


def test_take_over_is_advert_then_garp_as_freebsd_sends_them(pair: Pair, tmp_path: Path) -> None:
    with Capture(pair.network, "lan", tmp_path) as capture:
        pair.a.sysctl("demotion", 240)
        until(lambda: pair.b.states() == ALL_MASTER)
    first = next(advert for advert in capture.adverts() if advert.heard.source == pack_address(REAL["b"]))
    assert first.ethernet_source == virtual_mac(1)
    assert (first.heard.ttl, first.heard.tos, first.heard.advert.advskew) == (255, 0xE0, 100)
    garp = [arp for arp in capture.arps() if arp.sender == arp.target == pack_address(VIP)]
    assert len(garp) == 1
    assert garp[0].ethernet_source == pack_mac(pair.b.node.mac("lan"))
    assert (garp[0].sender_mac, garp[0].target_mac, garp[0].is_reply) == (virtual_mac(1), bytes(6), False)
    assert garp[0].time > first.time
    for frame in capture.frames():
        assert frame.data[:6] in (GROUP4_MAC, BROADCAST_MAC)
    table = pair.network.switch_table("lan")
    assert table["00:00:5e:00:01:01"] == pair.b.node.port("lan")


def test_crash_is_taken_over_within_the_law(pair: Pair, tmp_path: Path) -> None:
    predicted = law.crash(pair.law(pair.a), pair.law(pair.b)).at
    assert predicted
    with Heartbeat() as host, Capture(pair.network, "lan", tmp_path) as capture:
        time.sleep(1.0)  # past the first gap
        start = time.time()
        pair.a.crash()
        until(lambda: pair.b.states() == ALL_MASTER)
    taken = next(a.time for a in capture.adverts() if a.heard.source == pack_address(REAL["b"])) - start
    print(f"crash: {taken:.3f} s, law {predicted}, host stalled {host.worst:.3f} s")
    assert taken in predicted.wider(host.worst + SLACK)


def test_carp_off_is_silent_taken_over_by_law_and_preempted_on_return(pair: Pair, tmp_path: Path) -> None:
    off, back = (f(pair.law(pair.a), pair.law(pair.b)).at for f in (law.carp_off, law.come_back))
    assert off
    assert back
    with Heartbeat() as host, Capture(pair.network, "lan", tmp_path) as capture:
        start = time.time()
        pair.a.sysctl("allow", 0)
        assert pair.a.states() == ALL_INIT
        until(lambda: virtual_devices(pair.a) == [])
        assert pair.a.status()["demotion"] == 480
        until(lambda: pair.b.states() == ALL_MASTER)
        returned = time.time()
        pair.a.sysctl("allow", 1)
        pair.settle()
    assert pair.a.status()["demotion"] == 0
    from_a, from_b = (
        [a.time for a in capture.adverts() if a.heard.source == pack_address(REAL[name]) and a.time > start]
        for name in ("a", "b")
    )
    tolerance = host.worst + SLACK
    assert from_b[0] - start in off.wider(tolerance)
    assert from_a[0] - returned in back.wider(tolerance)  # and none between `allow=0` and that


def test_one_cable_moves_every_vhid_at_once_and_back(pair: Pair, tmp_path: Path) -> None:
    with Capture(pair.network, "lan", tmp_path) as capture:
        start = time.time()
        pair.network.unplug(pair.a.node, "srv")
        until(lambda: pair.b.states() == ALL_MASTER)
        assert pair.a.states() == ["BACKUP", "INIT"]
        assert pair.a.status()["demotion"] == 240
        until(lambda: virtual_devices(pair.a) == [])
        pair.network.plug(pair.a.node, "srv")
        pair.settle()
    assert pair.a.status()["demotion"] == 0
    moved = next(a.time for a in capture.adverts() if a.heard.source == pack_address(REAL["b"])) - start
    print(f"other VHIDs moved {moved * 1000:.1f} ms after the cable was pulled")
    assert moved < 0.05 + SLACK


def test_planned_hand_overs_lose_no_ping(pair: Pair, tmp_path: Path) -> None:
    pair.route()
    with Pings(pair.client, "172.17.2.10", tmp_path) as through, Pings(pair.client, VIP, tmp_path) as gateway:
        pair.a.sysctl("demotion", 240)
        until(lambda: pair.b.states() == ALL_MASTER)
        pair.a.sysctl("demotion", -240)
        pair.settle()
        pair.a.configure([replace(one, advskew=254) for one in pair.wanted(pair.a)])  # maintenance
        until(lambda: pair.b.states() == ALL_MASTER)
        pair.a.configure(pair.wanted(pair.a))
        pair.settle()
    assert (through.lost(), gateway.lost()) == (0, 0)


def test_configuring_the_same_again_does_not_flap(pair: Pair) -> None:
    before = pair.a.log()
    pair.a.configure(pair.wanted(pair.a))
    assert pair.a.log() == before
    assert pair.a.states() == ALL_MASTER


def test_vips_come_and_go_by_configuration(pair: Pair) -> None:
    second = replace(pair.vips[0], address=IPv4Interface("172.17.1.251/24"))
    pair.a.configure([*pair.vips, second])
    assert pair.a.status()["vhids"][0]["addresses"] == ["172.17.1.252/24", "172.17.1.251/24"]
    assert pair.a.states() == ["BACKUP", "MASTER"]  # as FreeBSD: an address starts its VHID anew
    pair.b.ask("remove_vips")
    assert pair.b.status()["vhids"] == []
    pair.crown(pair.a)
    for address in ("172.17.1.251", "172.17.1.252"):
        pair.client.run(f"ping -c 1 -W 2 {address}")
    pair.a.configure([second, pair.vips[1]])
    pair.crown(pair.a)
    assert "172.17.1.252" not in pair.a.node.run("ip -4 addr show dev vtnet0.1")
    pair.a.ask("remove_vips")
    until(lambda: virtual_devices(pair.a) == [])
    assert pair.a.status()["demotion"] == 0


def test_wrong_password_makes_two_masters_and_is_counted(pair: Pair) -> None:
    pair.b.configure([replace(one, password="another") for one in pair.wanted(pair.b)])
    pair.crown(pair.b)
    until(lambda: pair.b.states() == ALL_MASTER and pair.a.states() == ALL_MASTER)
    until(lambda: pair.a.counter("badauth") > 0 and pair.b.counter("badauth") > 0)
    pair.b.configure(pair.wanted(pair.b))
    pair.settle()


def test_a_stopped_daemon_leaves_nothing_and_a_killed_ones_rest_is_swept(network: Network, tmp_path: Path) -> None:
    network.segment("lan")
    firewall = Firewall(network, network.node("a", lan="172.17.1.254/24"), tmp_path / "a")
    one = vip("vtnet0", 1, "172.17.1.252/24")
    for end in (signal.SIGKILL, signal.SIGTERM):
        firewall.start()
        assert virtual_devices(firewall) == []
        firewall.configure([one])
        firewall.ask("vhid", nic="vtnet0", vhid=1, state="MASTER")
        assert virtual_devices(firewall) == ["vtnet0.1"]
        assert firewall.process
        firewall.process.send_signal(end)
        firewall.process.wait()
    assert virtual_devices(firewall) == []
    assert not firewall.socket.exists()


def test_a_backup_that_stood_still_does_not_take_over(pair: Pair) -> None:
    assert pair.b.process
    pair.b.process.send_signal(signal.SIGSTOP)
    time.sleep(law.master_down(1, 100) + 0.5)
    pair.b.process.send_signal(signal.SIGCONT)
    time.sleep(0.5)
    assert "BACKUP -> MASTER" not in pair.b.log()
    assert pair.b.states() == ALL_BACKUP


def test_a_master_that_stood_still_takes_its_role_back_at_once(pair: Pair, tmp_path: Path) -> None:
    assert pair.a.process
    pair.a.process.send_signal(signal.SIGSTOP)
    until(lambda: pair.b.states() == ALL_MASTER)
    pair.a.process.send_signal(signal.SIGCONT)
    pair.settle()
    assert "MASTER -> BACKUP" not in pair.a.log()


def test_refused_requests_change_nothing_and_say_why(pair: Pair) -> None:
    for request, words in (
        ({"do": "dance"}, "unknown request"),
        ({"do": "configure", "vips": [{"nic": "vtnet0"}]}, "lacks"),
        ({"do": "sysctl", "name": "net.inet.ip.ttl", "value": 1}, "unknown oid"),
        ({"do": "vhid", "nic": "vtnet0", "vhid": 9, "advskew": 1}, "no VHID 9"),
        ({"do": "vhid", "nic": "vtnet0", "vhid": 1, "advskew": 255}, "refused"),
    ):
        assert words in pair.a.refused(request)
    assert pair.a.states() == ALL_MASTER


def test_own_adverts_that_come_back_are_dropped(pair: Pair, tmp_path: Path) -> None:
    with Capture(pair.network, "lan", tmp_path, "proto 112") as capture:
        time.sleep(1.2)
    pair.client.send_frame("lan", capture.frames()[0].data)
    until(lambda: pair.a.counter("echoes") > 0)
    assert pair.a.states() == ALL_MASTER


def test_a_nic_that_appears_later_and_is_replaced_is_served(network: Network, tmp_path: Path) -> None:
    network.segment("lan")
    node = network.node("a")
    firewall = Firewall(network, node, tmp_path / "a")
    firewall.start()
    firewall.configure([vip("vtnet0", 1, "172.17.1.252/24")])
    assert firewall.states() == ["INIT"]
    for _ in range(2):
        network.plug_in(node, "lan", "172.17.1.254/24")
        until(lambda: firewall.states() == ["BACKUP"])
        firewall.ask("vhid", nic="vtnet0", vhid=1, state="MASTER")
        with Capture(network, "lan", tmp_path, "proto 112") as capture:
            until(lambda: bool(capture.adverts()))
        assert capture.adverts()[0].heard.source == pack_address("172.17.1.254")
        network.unplug_for_good(node, "lan")
        until(lambda: firewall.states() == ["INIT"])
    assert firewall.status()["demotion"] == 240


@pytest.mark.slow
def test_an_idle_daemon_costs_next_to_nothing(pair: Pair) -> None:
    seconds = 20.0
    firewalls = (pair.a, pair.b)
    before = [firewall.cpu_seconds() for firewall in firewalls]
    time.sleep(seconds)
    for firewall, start in zip(firewalls, before, strict=True):
        share, memory = (firewall.cpu_seconds() - start) / seconds, firewall.memory()
        print(f"{firewall.node.name}: {share:.2%} of a core, {memory / 1e6:.1f} MB")
        assert share < 0.01
        assert memory < 40e6

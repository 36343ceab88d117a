"""Our CARP and other people's: Debian's ucarp as a peer, tshark and scapy as readers."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from scapy.contrib.carp import CARP

from tests.wire.capture import Capture
from tests.wire.firewalls import PASSWORD, Firewall, Pair, vip
from tests.wire.namespaces import Network, Node, until

pytestmark = pytest.mark.wire

VIP = "172.17.1.252"
OURS, THEIRS = 50, 100


class Ucarp:
    """ucarp on a node's lan, preempting, VHID 1."""

    def __init__(
        self, network: Network, node: Node, directory: Path, password: str = PASSWORD, skew: int = THEIRS
    ) -> None:
        self._log = directory / "ucarp.log"
        command = ["ucarp", "-i", node.cables["lan"], "-s", "172.17.1.253", "-v", "1", "-p", password, "-a", VIP]
        command += ["-k", str(skew), "-b", "1", "-P", "-z", "-u", "/bin/true", "-d", "/bin/true"]
        self.process: subprocess.Popen[bytes] = network.start(node, command, self._log)

    def switches(self) -> list[str]:
        """The states it went through."""
        marker = "Switching to state: "
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        return [line.partition(marker)[2].strip() for line in lines if marker in line]

    @property
    def state(self) -> str:
        return (self.switches() or [""])[-1]


@pytest.fixture
def ours(network: Network, tmp_path: Path) -> Firewall:
    network.segment("lan")
    firewall = Firewall(network, network.node("a", lan="172.17.1.254/24"), tmp_path / "a")
    firewall.start()
    return firewall


def test_ucarp_and_we_obey_each_other(network: Network, ours: Firewall, tmp_path: Path) -> None:
    peer = network.node("b", lan="172.17.1.253/24")
    ucarp = Ucarp(network, peer, tmp_path)
    until(lambda: ucarp.state == "MASTER")

    ours.configure([vip("vtnet0", 1, f"{VIP}/24", advskew=OURS)])  # better, so we preempt and it yields
    until(lambda: ours.states() == ["MASTER"] and ucarp.state == "BACKUP")

    ours.ask("vhid", nic="vtnet0", vhid=1, advskew=THEIRS + 50)  # worse, so it preempts and we yield
    until(lambda: ours.states() == ["BACKUP"] and ucarp.state == "MASTER")
    time.sleep(4.0)  # longer than our patience: we hear it all the time
    assert ours.states() == ["BACKUP"]

    ucarp.process.kill()
    until(lambda: ours.states() == ["MASTER"])
    assert ours.counter("badauth") == 0
    assert ours.counter("ipackets") > 3


def test_ucarp_takes_over_from_us_when_we_crash_and_yields_when_we_return(
    network: Network, ours: Firewall, tmp_path: Path
) -> None:
    ucarp = Ucarp(network, network.node("b", lan="172.17.1.253/24"), tmp_path)
    wanted = [vip("vtnet0", 1, f"{VIP}/24", advskew=OURS)]
    ours.configure(wanted)
    until(lambda: ours.states() == ["MASTER"] and ucarp.state == "BACKUP")
    with Capture(network, "lan", tmp_path, "proto 112") as capture:
        until(lambda: bool(capture.adverts()))
        ours.crash()
        took = until(lambda: ucarp.state == "MASTER")
        network.plug(ours.node, "lan")
        ours.start()
        ours.configure(wanted)
        until(lambda: ours.states() == ["MASTER"] and ucarp.state == "BACKUP")
    assert took > 1.5  # three adverts of ours missing, as coarsely as ucarp counts
    ranks = [advert.heard.advert.advskew for advert in capture.adverts()]
    assert ranks[0] == OURS
    assert OURS in ranks[ranks.index(THEIRS) :]  # ucarp says one last word as it steps down


def test_ucarp_with_another_password_is_a_second_master(network: Network, ours: Firewall, tmp_path: Path) -> None:
    ucarp = Ucarp(network, network.node("b", lan="172.17.1.253/24"), tmp_path, password="another")
    ours.configure([vip("vtnet0", 1, f"{VIP}/24", advskew=OURS)])
    until(lambda: ours.states() == ["MASTER"] and ucarp.state == "MASTER")
    before = ours.counter("badauth")
    until(lambda: ours.counter("badauth") > before)
    assert ours.states() == ["MASTER"]
    assert ucarp.state == "MASTER"


def test_tshark_and_scapy_read_our_adverts_as_we_do(pair: Pair, tmp_path: Path) -> None:
    with Capture(pair.network, "lan", tmp_path, "proto 112") as capture:
        pair.a.sysctl("demotion", 7)
        time.sleep(1.2)
    adverts = capture.adverts()
    assert len(adverts) >= 2
    fields = ("carp.vhid", "carp.advskew", "carp.adver_int", "carp.checksum", "carp.counter", "carp.hmac", "ip.ttl")
    command = ["tshark", "-r", str(capture.file), "-d", "ip.proto==112,carp", "-T", "fields"]
    command += [part for field in fields for part in ("-e", field)]
    read = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for advert, frame, line in zip(adverts, capture.frames(), read.splitlines(), strict=True):
        ours = advert.heard.advert
        vhid, skew, base, checksum, counter, mac, ttl = line.split("\t")
        assert (int(vhid), int(skew), int(base), int(ttl)) == (ours.vhid, ours.advskew, ours.advbase, 255)
        assert int(counter) == ours.counter
        assert bytes.fromhex(mac.replace(":", "")) == ours.mac
        payload = frame.data[34:]
        assert int(checksum, 16) == int.from_bytes(payload[6:8], "big")
        scapy = CARP(payload)
        assert (scapy.version, scapy.type, scapy.vhid, scapy.advskew) == (2, 1, ours.vhid, ours.advskew)
        assert (scapy.authlen, scapy.advbase, scapy.chksum) == (7, ours.advbase, int(checksum, 16))
        assert scapy.counter1 << 32 | scapy.counter2 == ours.counter
        del scapy.chksum
        assert bytes(scapy) == payload

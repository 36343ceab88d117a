"""State sync between namespaces: an established connection through the pair outlives take-over and failback."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from standin.state_sync import take_charge_command

from tests.wire.firewalls import GUEST, ROOT, Firewall, Pair
from tests.wire.flows import Conversation, load_rules
from tests.wire.namespaces import Network, until

pytestmark = pytest.mark.wire

# Default drop; only SYN opens TCP, so that a flow without its state dies. The mark says which node saw it first.
RULES = """
table inet filter {{
    chain forward {{
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        ct state invalid drop
        tcp flags & (fin | syn | rst | ack) == syn ct state new ct mark set {mark} accept
    }}
}}
"""
HA = {"a": "172.17.4.254", "b": "172.17.4.253"}


class RoutedPair:
    """A pair that routes between a client on lan and a server on srv, with or without state sync over ha."""

    def __init__(self, network: Network, directory: Path, synced: bool) -> None:
        network.segment("ha")
        self.pair = Pair(network, directory)
        self.synced = synced
        self.network = network
        for mark, firewall in enumerate((self.pair.a, self.pair.b), start=0xA1):
            node = firewall.node
            network.plug_in(node, "ha", f"{HA[node.name]}/24")
            node.sysctl("net.ipv4.ip_forward", 1)
            load_rules(node, RULES.format(mark=mark))
            node.sysctl("net.netfilter.nf_conntrack_tcp_loose", 0)
        self.server = network.node("server", srv="172.17.2.10/24")
        self.pair.client.run("ip route add default via 172.17.1.252")
        self.server.run("ip route add default via 172.17.2.252")

    def start(self) -> None:
        for firewall in (self.pair.a, self.pair.b):
            if self.synced:
                sync(firewall, "start")
            firewall.start("--on-master", take_charge_command(firewall.run_dir))
        for firewall in (self.pair.a, self.pair.b):
            firewall.configure(self.pair.wanted(firewall))
        self.pair.crown(self.pair.a)

    def crash_a(self) -> None:
        """Power off A: cables first, as the segments see it, then what ran; a reboot starts with an empty table."""
        a = self.pair.a
        a.crash()
        self.network.kill_all(a.node)
        a.node.run("conntrack -F")

    def boot_a(self) -> Any:
        """As the stand-in boots: cables, state sync, the peer's states, CARP last. What the resync gave."""
        a = self.pair.a
        for network in a.node.cables:
            self.network.plug(a.node, network)
        a.start("--allow", "0", "--on-master", take_charge_command(a.run_dir))
        a.configure(self.pair.wanted(a))
        sync(a, "start")
        resync = sync(a, "resync_from_peer")
        a.sysctl("allow", 1)
        return resync


def sync(firewall: Firewall, method: str) -> Any:
    """The result of a method of ConntrackSync, run in the node's namespace."""
    node = firewall.node
    local, peer = HA[node.name], HA["b" if node.name == "a" else "a"]
    code = (
        "import json\nfrom ipaddress import IPv4Address\nfrom pathlib import Path\n"
        "from standin.model import StateSync\nfrom standin.state_sync import ConntrackSync\n"
        f"state_sync = StateSync({node.cables['ha']!r}, IPv4Address({local!r}), IPv4Address({peer!r}), 1)\n"
        f"print(json.dumps(ConntrackSync(state_sync, Path({str(firewall.run_dir)!r})).{method}()))\n"
    )
    script = firewall.run_dir / "sync.py"
    firewall.run_dir.mkdir(parents=True, exist_ok=True)
    script.write_text(code)
    return json.loads(node.run(f"env PYTHONPATH={ROOT}:{GUEST} {sys.executable} {script}"))


@pytest.fixture
def short_path() -> Iterator[Path]:
    """conntrackd takes socket paths of 108 characters at most."""
    made = Path(tempfile.mkdtemp(prefix="dp-", dir="/var/tmp"))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def other_network() -> Iterator[Network]:
    made = Network()
    try:
        yield made
    finally:
        made.close()


def test_established_flow_survives_take_over_and_failback_only_with_sync(
    network: Network, other_network: Network, short_path: Path
) -> None:
    synced = RoutedPair(network, short_path / "synced", synced=True)
    control = RoutedPair(other_network, short_path / "control", synced=False)
    both = (synced, control)
    for routed in both:
        routed.start()
    for routed in both:
        routed.pair.settle()
    talks = [
        Conversation(routed.network, routed.pair.client, routed.server, "172.17.2.10", short_path / f"talk{number}")
        for number, routed in enumerate(both)
    ]
    until(lambda: "dport=5000" in synced.pair.b.node.run("conntrack -L"))
    assert "dport=5000" not in control.pair.b.node.run("conntrack -L")

    for routed in both:
        routed.crash_a()
    until(lambda: all(routed.pair.b.states() == ["MASTER", "MASTER"] for routed in both))
    assert talks[0].goes_on()
    assert not talks[1].goes_on(2.0)

    answered, states, seconds = synced.boot_a()
    assert answered
    assert states >= 1
    print(f"resync: {states} states in {seconds:.2f} s")
    synced.pair.settle()
    assert talks[0].goes_on()
    assert "mark=161" in synced.pair.a.node.run("conntrack -L -p tcp --dport 5000")  # 0xa1: still A's own


def test_resync_without_a_peer_is_bounded(network: Network, short_path: Path) -> None:
    routed = RoutedPair(network, short_path, synced=True)
    network.unplug(routed.pair.b.node, "ha")
    sync(routed.pair.a, "start")
    answered, _, seconds = sync(routed.pair.a, "resync_from_peer")
    assert not answered
    assert seconds < 10.0


def test_the_daemon_is_no_more_urgent_than_the_packets(network: Network, short_path: Path) -> None:
    """Left alone conntrackd runs at the highest real-time priority, ahead of CARP and of the kernel's own packet thread."""
    routed = RoutedPair(network, short_path, synced=True)
    sync(routed.pair.a, "start")
    pids = sync(routed.pair.a, "pids")
    assert len(pids) == 1
    assert os.sched_getscheduler(pids[0]) == os.SCHED_OTHER

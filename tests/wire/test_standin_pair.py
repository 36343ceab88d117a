"""Two whole stand-ins from the lab's own config.xml: election, a kill, the return of the master; connections that must live."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.golden_files import GOLDEN
from tests.wire.guest_root import BootedGuest
from tests.wire.namespaces import Network, Node, run, until

pytestmark = [pytest.mark.wire, pytest.mark.slow]

CONFIGS = GOLDEN / "config" / "uranus-recommended"
PUBLIC, PORT = "203.0.113.10", 7000
# A server that sends back what it gets; a client that sends a line when told to and prints what comes back.
ECHO = f"""
import socket
link = socket.create_server(("{PUBLIC}", {PORT}))
print("ready", flush=True)
peer, address = link.accept()
peer.sendall(("%s\\n" % address[0]).encode())
while data := peer.recv(64):
    peer.sendall(data)
"""
TALK = f"""
import socket, sys
link = socket.create_connection(("{PUBLIC}", {PORT}), 60)
lines = link.makefile("rb")
print(lines.readline().decode().strip(), flush=True)
for line in sys.stdin.buffer:
    link.sendall(line)
    print(lines.readline().decode().strip(), flush=True)
"""


class Cluster:
    """Firewalls `a` and `b` with a client on LAN and the internet on WAN."""

    def __init__(self, network: Network, folder: Path) -> None:
        self.network, self.folder = network, folder
        for segment in ("wan", "lan", "srv", "dmz", "ha"):
            network.segment(segment)
        self.internet = network.node("internet", wan="192.168.1.1/24")
        self.internet.run(f"ip addr add {PUBLIC}/32 dev lo")
        self.client = network.node("client", lan="172.17.1.10/24")
        self.client.run("ip route add default via 172.17.1.252")
        self.nodes: dict[str, Node] = {}
        self.guests: dict[str, BootedGuest] = {}
        hosts = ""
        for name, address in (("a", "192.168.1.168"), ("b", "192.168.1.169")):
            self.nodes[name] = network.node(name, wan="", lan="", srv="", dmz="", ha="")
            hosts += f"dhcp-host={self.nodes[name].mac('wan')},{address}\n"
        (folder / "dnsmasq.conf").write_text(
            "port=0\nno-ping\nleasefile-ro\ninterface=vtnet0\nbind-interfaces\n"
            "dhcp-range=192.168.1.100,192.168.1.200,255.255.255.0,1h\n"
            f"{hosts}dhcp-option=option:router,192.168.1.1\n"
        )
        network.start(self.internet, ["dnsmasq", "-k", "-u", "root", "-C", str(folder / "dnsmasq.conf")])

    def power_on(self, name: str, mend: Callable[[str], str] = str) -> None:
        """Boot one firewall on a fresh root; does not wait. mend: makes its config.xml from the golden one."""
        role = "master" if name == "a" else "backup"
        root = self.folder / f"{name}{len(list(self.folder.iterdir()))}"
        for network in self.nodes[name].cables:
            self.network.plug(self.nodes[name], network)
        config = mend((CONFIGS / f"rules-{role}.xml").read_text())
        self.guests[name] = BootedGuest(root, self.nodes[name], config)

    def ready(self, name: str) -> None:
        self.guests[name].menu()
        self.guests[name].shell()

    def kill(self, name: str) -> None:
        """Power off, as the wire sees it: no farewell, and every cable dead. A veth device keeps its addresses: they go too."""
        node = self.nodes[name]
        for network in node.cables:
            self.network.unplug(node, network)
        self.guests[name].process.kill()
        self.guests[name].process.wait()
        until(lambda: not run(f"ip netns pids {node.namespace}", check=False).strip(), 30)
        for device in node.cables.values():
            node.run(f"ip addr flush dev {device}")
        for link in node.run("ip -o link show type macvlan").splitlines():
            node.run(f"ip link del {link.split()[1].split('@')[0]}")
        node.run("nft flush ruleset")
        node.run("conntrack -F", check=False)

    def state(self, name: str) -> set[str]:
        """CARP states of all VHIDs by the firewall's own word."""
        lines = self.guests[name].run("ifconfig | grep carp:").splitlines()
        return {line.split()[1] for line in lines}

    def close(self) -> None:
        for guest in self.guests.values():
            guest.close()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    network = Network()
    made = Cluster(network, tmp_path)
    try:
        yield made
    finally:
        made.close()
        network.close()


def test_a_translated_connection_survives_the_master_and_its_return(cluster: Cluster) -> None:
    for name in ("a", "b"):
        cluster.power_on(name)
    for name in ("a", "b"):
        cluster.ready(name)
    until(lambda: (cluster.state("a"), cluster.state("b")) == ({"MASTER"}, {"BACKUP"}), 60, 0.5)
    server = cluster.internet.start([sys.executable, "-S", "-c", ECHO], stdout=subprocess.PIPE)
    cluster.network.processes.append(server)
    assert server.stdout
    assert server.stdout.readline() == b"ready\n"
    client = cluster.client.start([sys.executable, "-S", "-c", TALK], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    cluster.network.processes.append(client)
    assert client.stdin
    assert client.stdout

    def echo(word: str) -> str:
        assert client.stdin
        assert client.stdout
        client.stdin.write(f"{word}\n".encode())
        client.stdin.flush()
        return client.stdout.readline().decode().strip()

    assert client.stdout.readline() == b"192.168.1.252\n", "translated to the WAN's CARP address"
    assert echo("by a") == "by a"
    creators = "pfctl -vvss | sed -n 's/.*creatorid: //p' | sort -u"
    until(lambda: "000000a1" in cluster.guests["b"].run(creators), 30, 0.5)

    cluster.kill("a")
    assert echo("by b") == "by b"
    assert cluster.state("b") == {"MASTER"}

    cluster.power_on("a")
    cluster.ready("a")
    until(lambda: (cluster.state("a"), cluster.state("b")) == ({"MASTER"}, {"BACKUP"}), 60, 0.5)
    assert echo("by a again") == "by a again"
    client.stdin.close()

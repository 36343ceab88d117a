"""A router that obeys a config.xml, and one host in each zone: who reaches whom, as seen by the hosts."""

from __future__ import annotations

import json
import subprocess
import sys
from ipaddress import IPv4Address, IPv4Interface

from standin.facts import Lease, gather
from standin.ruleset import compile_ruleset
from standin.settings_xml import read

from tests.wire.namespaces import Network, Node

# Answers every TCP connection and every datagram with the asker's address and port.
SERVER = """
import selectors, socket, sys
selector = selectors.DefaultSelector()
addresses, ports = sys.argv[1].split(","), map(int, sys.argv[2:])
# One socket per address: a datagram is answered from the address it was sent to.
for address, port, kind in ((a, p, k) for p in ports for a in addresses for k in (socket.SOCK_STREAM, socket.SOCK_DGRAM)):
    link = socket.socket(socket.AF_INET, kind)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    link.bind((address, port))
    if kind == socket.SOCK_STREAM:
        link.listen(16)
    selector.register(link, selectors.EVENT_READ, kind)
print("ready", flush=True)
while True:
    for key, _ in selector.select():
        if key.data == socket.SOCK_STREAM:
            asker, address = key.fileobj.accept()
            asker.sendall(("%s %s" % address).encode())
            asker.close()
        else:
            _, address = key.fileobj.recvfrom(64)
            key.fileobj.sendto(("%s %s" % address).encode(), address)
"""
ASK = """
import json, socket, sys
kind, host, port, wait, source = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])
link = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
link.settimeout(wait)
try:
    if source:
        link.bind(("0.0.0.0", source))
    link.connect((host, port))
    if kind == "udp":
        link.send(b"?")
    print(json.dumps({"seen": link.recv(64).decode()}))
except TimeoutError:
    print(json.dumps({"failed": "silence"}))
except OSError as error:
    print(json.dumps({"failed": error.strerror}))
"""
PORTS = (22, 25, 53, 80, 443, 3780, 8000, 8443)
LEASE = Lease(IPv4Interface("192.168.1.168/24"), IPv4Address("192.168.1.1"))
# Seconds. Silence is what a dropped packet sounds like; an answer is waited for much longer than it can take.
SILENCE, PATIENCE = 0.4, 20.0


class Zones:
    """wan, lan, srv, dmz and ha with a host each; vtnet0..4 of the router in that order. `public` is 203.0.113.10."""

    def __init__(self, network: Network) -> None:
        self.network = network
        for segment in ("wan", "lan", "srv", "dmz", "ha"):
            network.segment(segment)
        self.router = network.node(
            "fw",
            wan="192.168.1.168/24",
            lan="172.17.1.254/24",
            srv="172.17.2.254/24",
            dmz="172.17.3.254/24",
            ha="172.17.4.254/24",
        )
        self.router.sysctl("net.ipv4.ip_forward", 1)
        self.router.sysctl("net.netfilter.nf_conntrack_tcp_loose", 0)
        self.router.run("ip route add default via 192.168.1.1")
        self.hosts = {
            "wan": self._host("wan", "192.168.1.1/24", ""),
            "lan": self._host("lan", "172.17.1.10/24", "172.17.1.254"),
            "srv": self._host("srv", "172.17.2.10/24", "172.17.2.254"),
            "dmz": self._host("dmz", "172.17.3.10/24", "172.17.3.254"),
            "ha": self._host("ha", "172.17.4.253/24", ""),
        }
        self.hosts["wan"].run("ip addr add 203.0.113.10/32 dev lo")
        self.hosts["wan"].run("ip route add 172.17.0.0/16 via 192.168.1.168")
        for node in (*self.hosts.values(), self.router):
            self._serve(node)

    def _host(self, zone: str, address: str, gateway: str) -> Node:
        node = self.network.node(zone, **{zone: address})
        if gateway:
            node.run(f"ip route add default via {gateway}")
        return node

    def _serve(self, node: Node) -> None:
        listed = json.loads(node.run("ip -j -4 addr show scope global"))
        addresses = ",".join(each["local"] for link in listed for each in link.get("addr_info", ()) if "local" in each)
        server = node.start([sys.executable, "-S", "-c", SERVER, addresses, *map(str, PORTS)], stdout=subprocess.PIPE)
        self.network.processes.append(server)
        assert server.stdout
        assert server.stdout.readline() == b"ready\n"

    def obey(self, config: str) -> None:
        """Compile this config.xml and load it, as `apply_filter` does; connections that are open stay known.

        A WAN by DHCP has the router's address as its lease.
        """
        settings = read(config.encode())
        facts = gather(settings, {"wan": LEASE})
        text = compile_ruleset(settings, facts).text
        done = subprocess.run(
            ["ip", "netns", "exec", self.router.namespace, "nft", "-f", "-"],
            input=text, text=True, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def ask(self, zone: str, kind: str, host: str, port: int, wait: float, source: int = 0) -> dict[str, str]:
        words = [kind, host, str(port), str(wait), str(source)]
        process = self.hosts[zone].start([sys.executable, "-S", "-c", ASK, *words], stdout=subprocess.PIPE)
        output, _ = process.communicate()
        answer: dict[str, str] = json.loads(output)
        return answer

    def answered(self, zone: str, kind: str, host: str, port: int, source: int = 0) -> str:
        """`address port` that the other side saw. Fails where nothing answers."""
        answer = self.ask(zone, kind, host, port, PATIENCE, source)
        assert "seen" in answer, f"{zone} -> {kind} {host}:{port}: {answer['failed']}"
        return answer["seen"]

    def silent(self, zone: str, kind: str, host: str, port: int) -> bool:
        """The packet vanished: no answer and no refusal."""
        return self.ask(zone, kind, host, port, SILENCE) == {"failed": "silence"}

    def refused(self, zone: str, host: str, port: int) -> bool:
        return self.ask(zone, "tcp", host, port, PATIENCE) == {"failed": "Connection refused"}

    def pings(self, zone: str, host: str, patience: float = PATIENCE) -> bool:
        """At least one answer; a denied ping costs SILENCE only if `patience` says so."""
        words = ["ping", "-n", "-c", "1", "-W", str(patience), host]
        return self.hosts[zone].start(words, stdout=subprocess.DEVNULL).wait() == 0

    def denies_ping(self, zone: str, host: str) -> bool:
        return not self.pings(zone, host, SILENCE)

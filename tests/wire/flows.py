"""A TCP conversation that shows on its own whether the path still carries it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.wire.namespaces import Network, Node, until

_SERVER = """
import socket, threading
def echo(peer):
    while data := peer.recv(100):
        peer.sendall(data)
listener = socket.create_server(("0.0.0.0", 5000))
while True:
    peer, _ = listener.accept()
    threading.Thread(target=echo, args=(peer,), daemon=True).start()
"""

# One line per answer; small timeouts, so that the retransmission timer of a stalled connection stays near its minimum.
_CLIENT = """
import socket, sys, time
link = socket.create_connection((sys.argv[1], 5000), timeout=10)
link.settimeout(None)
while True:
    link.sendall(b"x")
    if not link.recv(100):
        break
    print("answer", flush=True)
    time.sleep(0.1)
"""


class Conversation:
    """One connection from `client` to `server`, a byte each way every 100 ms, for as long as the network lives."""

    def __init__(self, network: Network, client: Node, server: Node, address: str, log: Path) -> None:
        self._log = log
        self._server = network.start(server, [sys.executable, "-S", "-c", _SERVER])
        until(lambda: "5000" in server.run("ss -Hltn"))
        self._client = network.start(client, [sys.executable, "-S", "-c", _CLIENT, address], log)
        until(lambda: self.answers() > 3)

    def answers(self) -> int:
        return self._log.read_text().count("answer") if self._log.exists() else 0

    def goes_on(self, seconds: float = 20.0) -> bool:
        """Whether a few more answers come within that time."""
        before = self.answers()
        try:
            until(lambda: self.answers() >= before + 5, seconds)
        except AssertionError:
            return False
        return True


def load_rules(node: Node, rules: str) -> None:
    """Give the node this nftables ruleset."""
    command = ["ip", "netns", "exec", node.namespace, "nft", "-f", "-"]
    subprocess.run(command, input=rules.encode(), check=True)

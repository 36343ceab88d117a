"""A firewall behind the XML-RPC methods that only writes down what it is told."""

from __future__ import annotations

from standin.xmlrpc.php import Array


class FakeNode:
    """stored: its configuration now. acts: what was done, in order. said: its log."""

    def __init__(self, config: Array, kernel: str = "6.1.0") -> None:
        self.stored, self._kernel = config, kernel
        self.acts: list[str] = []
        self.said: list[str] = []

    def config(self) -> Array:
        return self.stored

    def store(self, config: Array, description: str, user: str) -> None:
        self.stored = config
        self.acts.append(f"store {description}")

    def obey(self, virtual_ips: bool) -> None:
        self.acts.append("obey with VIPs" if virtual_ips else "obey")

    def configure_virtual_ips(self) -> None:
        self.acts.append("configure VIPs")

    def reboot(self) -> None:
        self.acts.append("reboot")

    def kernel(self) -> str:
        return self._kernel

    def log(self, message: str) -> None:
        self.said.append(message)

"""Two nodes that run the stand-in's CARP daemon, seen from outside: control socket, log, crash."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, replace
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

from standin.carp_client import ask
from standin.model import CarpVip

from lab.carp import law
from tests.wire.namespaces import Network, Node, until

ROOT = Path(__file__).parents[2]
GUEST = ROOT / "images" / "standin" / "guest"
PASSWORD = "not-a-secret"


def vip(nic: str, vhid: int, address: str, advskew: int = 0, password: str = PASSWORD, advbase: int = 1) -> CarpVip:
    return CarpVip("lan", nic, vhid, advbase, advskew, password, IPv4Interface(address), f"vip{vhid}", "")


class Firewall:
    """One node with a daemon. The run directory holds its socket and its log."""

    def __init__(self, network: Network, node: Node, run_dir: Path) -> None:
        self.network, self.node, self.run_dir = network, node, run_dir
        self.process: subprocess.Popen[bytes] | None = None
        self.log_file = run_dir / "system.log"
        self.socket = run_dir / "carpd.sock"

    def start(self, *options: str) -> None:
        self.run_dir.mkdir(parents=True, exist_ok=True)
        self.socket.unlink(missing_ok=True)
        environment = dict(os.environ, PYTHONPATH=f"{ROOT}:{GUEST}")
        command = [sys.executable, "-S", "-m", "standin.carpd", "--run-dir", str(self.run_dir)]
        command += ["--log", str(self.log_file), *options]
        output = (self.run_dir / "carpd.out").open("ab")
        self.process = self.node.start(command, env=environment, stdout=output, stderr=output)
        self.network.processes.append(self.process)
        until(self._answers)

    def _answers(self) -> bool:
        """There is a moment between the socket's appearance and its listening."""
        try:
            self.status()
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        answer = ask({"do": do, **request}, str(self.socket))
        assert "error" not in answer, answer
        return answer

    def refused(self, request: dict[str, Any]) -> str:
        """Why the daemon does not do that; "" when it did."""
        return str(ask(request, str(self.socket)).get("error", ""))

    def configure(self, vips: Iterable[CarpVip]) -> None:
        self.ask("configure", vips=[asdict(vip) for vip in vips])

    def sysctl(self, name: str, value: int) -> None:
        self.ask("sysctl", name=f"net.inet.carp.{name}", value=value)

    def status(self) -> dict[str, Any]:
        return self.ask("status")

    def states(self) -> list[str]:
        """State of each VHID, in the order of their numbers."""
        return [vhid["state"] for vhid in sorted(self.status()["vhids"], key=lambda vhid: vhid["vhid"])]

    def counter(self, name: str) -> int:
        return int(self.status()["counters"][name])

    def log(self) -> str:
        return self.log_file.read_text() if self.log_file.exists() else ""

    def cpu_seconds(self) -> float:
        """Processor time of the daemon so far."""
        assert self.process
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> int:
        """Resident bytes of the daemon."""
        assert self.process
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def kill(self) -> None:
        """kill -9; what it left in its namespace stays."""
        assert self.process
        self.process.kill()
        self.process.wait()

    def crash(self) -> None:
        """Power off, as the segments see it: every cable dead at once, then the daemon."""
        for network in self.node.cables:
            self.network.unplug(self.node, network)
        self.kill()


class Pair:
    """Firewalls `a` (skew 0) and `b` (skew 100), a client on the first segment.

    segments: the first has VHID 1 and 172.17.1.0/24, the second VHID 2 and 172.17.2.0/24, and so on.
    """

    def __init__(
        self,
        network: Network,
        directory: Path,
        skews: tuple[int, int] = (0, 100),
        advbase: int = 1,
        segments: tuple[str, ...] = ("lan", "srv"),
    ) -> None:
        self.network = network
        for segment in segments:
            network.segment(segment)
        self.a, self.b = (
            Firewall(
                network,
                network.node(name, **{segment: f"172.17.{net}.{host}/24" for net, segment in enumerate(segments, 1)}),
                directory / name,
            )
            for name, host in (("a", 254), ("b", 253))
        )
        self.client = network.node("client", lan="172.17.1.10/24")
        self.vips = [
            vip(f"vtnet{number - 1}", number, f"172.17.{number}.252/24", advbase=advbase)
            for number in range(1, len(segments) + 1)
        ]
        self.skews = skews

    def wanted(self, firewall: Firewall) -> list[CarpVip]:
        skew = self.skews[0 if firewall is self.a else 1]
        return [replace(one, advskew=skew) for one in self.vips]

    def start(self) -> None:
        """Both daemons up, A master of everything, at once: it is told to."""
        for firewall in (self.a, self.b):
            firewall.start()
        for firewall in (self.a, self.b):
            firewall.configure(self.wanted(firewall))
        self.crown(self.a)
        self.settle()

    def crown(self, firewall: Firewall) -> None:
        """What `ifconfig … state master` does, for every VHID."""
        for one in self.vips:
            firewall.ask("vhid", nic=one.nic, vhid=one.vhid, state="MASTER")

    def law(self, firewall: Firewall) -> law.Node:
        return law.Node(advbase=self.vips[0].advbase, advskew=self.wanted(firewall)[0].advskew)

    def route(self) -> Node:
        """Make the pair routers between the client and a server on srv, which is returned."""
        for firewall in (self.a, self.b):
            firewall.node.sysctl("net.ipv4.ip_forward", 1)
        server = self.network.node("server", srv="172.17.2.10/24")
        self.client.run("ip route add default via 172.17.1.252")
        server.run("ip route add default via 172.17.2.252")
        return server

    def settle(self) -> float:
        count = len(self.vips)
        return until(lambda: self.a.states() == ["MASTER"] * count and self.b.states() == ["BACKUP"] * count)


class Heartbeat:
    """How long this machine stood still: the worst lateness of a thread that only sleeps. Seconds."""

    def __init__(self, period: float = 0.01) -> None:
        self._period = period
        self._stop = threading.Event()
        self._late: list[tuple[float, float]] = []
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def worst(self) -> float:
        """Of the whole time."""
        return max((late for _, late in self._late), default=0.0)

    def worst_between(self, begin: float, end: float) -> float:
        """Of the beats that touch this time of the wall clock."""
        return max((late for at, late in self._late if begin <= at <= end + late), default=0.0)

    def _beat(self) -> None:
        while not self._stop.is_set():
            before = time.monotonic()
            time.sleep(self._period)
            self._late.append((time.time(), time.monotonic() - before - self._period))

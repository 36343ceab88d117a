"""A whole lab without a virtual machine: every machine a namespace, the firewalls made of the stand-in's own parts.

Each node's config.xml is rendered as for a real lab, and read, compiled to a ruleset and obeyed by the stand-in's code.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from ipaddress import IPv4Interface
from pathlib import Path
from typing import IO, Any, ClassVar

from standin.facts import Lease, gather
from standin.network import SYSCTLS
from standin.ruleset import compile_ruleset
from standin.settings import Settings
from standin.settings_xml import read
from standin.state_sync import take_charge_command

from lab.appliances.carp_text import CarpWord, VhidWord
from lab.appliances.config_file import DIGEST_LENGTH, SECTIONS
from lab.errors import LabError
from lab.expect.mistake import Edit, Line, apply_edits
from lab.experiment.probes import PIDS, PLACE
from lab.render.config_xml import config_xml
from lab.topology.model import Topology
from lab.topology.plan import Plan, PlannedMachine, make_plan
from lab.topology.secrets import Secrets
from lab.topology.stage import Stage
from tests.wire.firewalls import GUEST, ROOT, Firewall
from tests.wire.flows import load_rules
from tests.wire.namespaces import Network, Node, run, until

TOOLS = Path(__file__).with_name("tools")
"""`nc` and `httpd`, which the machines of a lab have and this computer need not have."""

SECRETS = Secrets("admin-word", "x", "word")

SERVER = """
import socket, sys, threading
def answer(peer):
    with peer:
        peer.settimeout(5)
        try:
            peer.recv(4096)
            peer.sendall(b"HTTP/1.0 200 OK\\r\\nContent-Length: 3\\r\\nConnection: close\\r\\n\\r\\nok\\n")
        except OSError:
            pass
def serve(port):
    listener = socket.create_server(("0.0.0.0", port), backlog=64)
    while True:
        threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()
ports = [int(word) for word in sys.argv[1:]]
for port in ports[1:]:
    threading.Thread(target=serve, args=(port,), daemon=True).start()
serve(ports[0])
"""


@dataclass
class Said:
    exit_code: int
    stdout: str


class NamespaceGuest:
    """A client machine."""

    def __init__(self, node: Node, directory: Path) -> None:
        self._node, self._pids = node, str(directory / f"{node.name}.pids")

    def run(self, command: str, seconds: float = 60.0) -> Said:
        # /run is one for all namespaces: each machine keeps its process numbers apart.
        command = command.replace(PIDS, self._pids).replace(PLACE, f"{self._pids}.www")
        words = ["ip", "netns", "exec", self._node.namespace, "sh", "-c", command]
        environment = {**os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}"}
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=seconds, check=False, env=environment)
        except subprocess.TimeoutExpired as error:
            raise LabError("too slow", expected=command) from error
        return Said(done.returncode, done.stdout)


class Inside:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(10)


class SwitchWorld:
    """The namespace with the bridges."""

    def __init__(self, namespace: str) -> None:
        self._enter = ["ip", "netns", "exec", namespace]

    def run(self, command: Sequence[str], text: str = "", timeout: float = 30.0) -> str:
        done = subprocess.run(
            [*self._enter, *command], input=text, capture_output=True, text=True, timeout=timeout, check=False
        )
        if done.returncode:
            raise LabError("failed", expected=" ".join(command), seen=done.stderr)
        return done.stdout

    def spawn(
        self,
        command: Sequence[str],
        text: str = "",
        stdout: int | IO[Any] | None = None,
        stderr: int | IO[Any] | None = None,
    ) -> Inside:
        return Inside(subprocess.Popen([*self._enter, *command], stdout=stdout, stderr=stderr))


class FirewallNode:
    """One node: config.xml obeyed, daemons, power."""

    def __init__(self, network: Network, plan: Plan, machine: PlannedMachine, stage: Stage, directory: Path) -> None:
        self.network, self.machine = network, machine
        self.xml = self.kept = config_xml(plan, machine.name, stage, SECRETS, revision_time=0)
        self.settings: Settings = read(self.xml.encode())
        addresses = {nic.network: str(nic.address) for nic in machine.nics}
        self.node = network.node(machine.name, **addresses)
        set_macs(network, self.node, machine)
        self.daemon = Firewall(network, self.node, directory / machine.name)
        leases = {nic.key: Lease(IPv4Interface(nic.address), machine.gateway) for nic in machine.nics if nic.dhcp}
        self.leases = leases
        self.rules = compile_ruleset(self.settings, gather(self.settings, leases)).text

    def obey(self, xml: str) -> None:
        """What a reload of everything does."""
        self.xml = xml
        before, self.settings = self.settings.state_sync, read(xml.encode())
        self.rules = compile_ruleset(self.settings, gather(self.settings, self.leases)).text
        load_rules(self.node, self.rules)
        vips = [{**asdict(vip), "address": str(vip.address)} for vip in self.settings.vips]
        self.daemon.ask("configure", vips=vips)
        if self.settings.state_sync and self.settings.state_sync != before:
            self._sync("start")

    def boot(self) -> None:
        """In the stand-in's order: kernel, rules, state sync, CARP configured, states fetched, CARP allowed."""
        for key, value in SYSCTLS:
            self.node.sysctl(key.replace("/", "."), value)
        self.node.run(f"ip route replace default via {self.machine.gateway}")
        load_rules(self.node, self.rules)
        self.node.sysctl("net.ipv4.ip_forward", 1)
        self.network.start(self.node, [sys.executable, "-I", "-S", "-c", SERVER, "443", "80"])
        if self.settings.state_sync:
            self._sync("start")
        if self.settings.vips:
            self.daemon.start("--allow", "0", "--on-master", take_charge_command(self.daemon.run_dir))
            self.carp_on()

    def _answers(self) -> bool:
        try:
            self.daemon.status()
        except ConnectionRefusedError:
            return False
        return True

    def carp_on(self) -> None:
        until(self._answers)
        self.daemon.ask("configure", vips=[{**asdict(vip), "address": str(vip.address)} for vip in self.settings.vips])
        if self.settings.state_sync:
            self._sync("resync_from_peer")
        self.daemon.sysctl("allow", 1)

    def carp_off(self) -> None:
        self.daemon.sysctl("allow", 0)
        self.daemon.ask("remove_vips")

    def kill(self) -> None:
        """Power off: no daemon sees a cable go. Then what the kernel would have forgotten."""
        self.daemon.kill()
        ports = "".join(f"link set {self.node.port(network)} down\n" for network in self.node.cables)
        subprocess.run(["ip", "-n", self.node.switch, "-batch", "-"], input=ports.encode(), check=True)
        self.network.kill_all(self.node)
        for device in self.node.run("ls /sys/class/net").split():
            if "." in device:
                self.node.run(f"ip link del {device}")
        self.node.run("conntrack -F")

    def start(self) -> None:
        for network in self.node.cables:
            self.network.plug(self.node, network)
        self.boot()

    def listing(self, salt: str) -> tuple[Line, ...]:
        """As lab.appliances.config_file lists it."""
        found, inside = [], ""
        for number, text in enumerate(self.xml.split("\n"), 1):
            word = text.strip()
            inside = inside or next((tag for tag in SECTIONS if text == f"\t<{tag}>"), "")
            if inside:
                if word.startswith("<password>"):
                    digest = hashlib.sha256(f"{salt}{word}".encode()).hexdigest()[:DIGEST_LENGTH]
                    word = f"<password>{digest}</password>"
                found.append(Line(number, word))
            if text == f"\t</{inside}>":
                inside = ""
        return tuple(found)

    def carp(self) -> CarpWord:
        if not self.settings.vips:
            return CarpWord(True, True, 0, ())
        status = self.daemon.status()
        words = [VhidWord(v["nic"], v["vhid"], v["state"], v["advbase"], v["advskew"]) for v in status["vhids"]]
        return CarpWord(bool(status["allow"]), bool(status["preempt"]), status["demotion"], tuple(words))

    def _sync(self, method: str) -> None:
        code = (
            "from ipaddress import IPv4Address\nfrom pathlib import Path\n"
            "from standin.model import StateSync\nfrom standin.state_sync import ConntrackSync\n"
            f"ConntrackSync({self.settings.state_sync!r}, Path({str(self.daemon.run_dir)!r})).{method}()\n"
        )
        self.daemon.run_dir.mkdir(parents=True, exist_ok=True)
        script = self.daemon.run_dir / "sync.py"
        script.write_text(code)
        path = os.pathsep.join((str(ROOT), str(GUEST)))
        self.node.run(f"env PYTHONPATH={path} {sys.executable} {script}")


@dataclass(frozen=True)
class Limits:
    hand_over: float = 15.0
    comeback: float = 30.0
    timers: float = 0.2


class Cluster:
    """A lab as experiments see it (lab.experiment.contracts.Bench)."""

    limits = Limits()
    processes: ClassVar[dict[str, str]] = {}

    def __init__(self, network: Network, topology: Topology, stage: Stage, directory: Path) -> None:
        self.network, self.topology, self.stage = network, topology, stage
        plan = make_plan(topology)
        for name in topology.networks:
            network.segment(name)
        self.world = SwitchWorld(network.switch)
        self.firewalls = {m.name: FirewallNode(network, plan, m, stage, directory) for m in plan.firewalls}
        self.guests = {m.name: NamespaceGuest(self._client(m), directory) for m in plan.clients}

    def _client(self, machine: PlannedMachine) -> Node:
        node = self.network.node(machine.name, **{nic.network: str(nic.address) for nic in machine.nics})
        set_macs(self.network, node, machine)
        if machine.public:
            node.run(f"ip addr add {machine.public}/32 dev lo")
        if machine.gateway:
            node.run(f"ip route add default via {machine.gateway}")
        self.network.start(node, [sys.executable, "-I", "-S", "-c", SERVER, "80"])
        return node

    def up(self) -> None:
        """Both firewalls booted at once, and the first one master."""
        boots = [threading.Thread(target=node.boot) for node in self.firewalls.values()]
        for boot in boots:
            boot.start()
        for boot in boots:
            boot.join()
        if self.stage.reaches(Stage.VIPS):
            count = len(self.topology.carp.vips)
            until(lambda: self.firewalls[self.topology.master].daemon.states() == ["MASTER"] * count)

    def kill(self, node: str) -> None:
        self.firewalls[node].kill()

    def start(self, node: str) -> None:
        self.firewalls[node].start()

    def carp_off(self, node: str) -> None:
        self.firewalls[node].carp_off()

    def carp_on(self, node: str) -> None:
        self.firewalls[node].carp_on()

    def maintenance(self, node: str, enter: bool) -> None:
        firewall = self.firewalls[node]
        for vip in firewall.settings.vips:
            firewall.daemon.ask("vhid", nic=vip.nic, vhid=vip.vhid, advskew=254 if enter else vip.advskew)

    def demote(self, node: str, by: int) -> None:
        self.firewalls[node].daemon.sysctl("demotion", by)

    def set_link(self, node: str, network: str, up: bool) -> None:
        change = self.network.plug if up else self.network.unplug
        change(self.firewalls[node].node, network)

    def reboot(self, node: str) -> None:
        self.kill(node)
        self.start(node)

    def halt(self, node: str) -> None:
        self.kill(node)

    def pause(self, node: str) -> None:
        raise NotImplementedError("a namespace has no clock of its own that could stand still")

    def resume(self, node: str) -> None:
        raise NotImplementedError

    def delay(self, node: str, network: str, seconds: float) -> None:
        raise NotImplementedError("needs QEMU")

    secrets = SECRETS
    consoles: ClassVar[dict[str, Path]] = {}

    def settings(self, node: str, salt: str) -> tuple[Line, ...]:
        return self.firewalls[node].listing(salt)

    def edit(self, node: str, changes: Sequence[Edit]) -> None:
        firewall = self.firewalls[node]
        firewall.kept = firewall.xml
        firewall.obey(apply_edits(firewall.xml, changes))
        self._forget(firewall)

    def restore(self, node: str) -> None:
        firewall = self.firewalls[node]
        firewall.obey(firewall.kept)
        self._forget(firewall)

    def states(self, node: str, words: Sequence[str]) -> Sequence[int]:
        table = self.firewalls[node].node.run("conntrack -L")
        return [self._count(table, *word.split(":")) for word in words]

    @staticmethod
    def _count(table: str, source: str, number: str) -> int:
        return sum(
            f"src={source} " in line and (f"sport={number} " in line or f"id={number} " in line)
            for line in table.splitlines()
        )

    def log(self, node: str) -> str:
        return time.strftime("%Y %b %d %H:%M:%S\n") + self.firewalls[node].daemon.log()

    def _forget(self, firewall: FirewallNode) -> None:
        """The nodes' own connections on the sync network: what `pfctl -k` does."""
        network = self.topology.sync.network
        one, other = (each.addresses[network] for each in self.topology.firewalls.values())
        for source, destination in ((one, other), (other, one)):
            firewall.node.run(f"conntrack -D -s {source} -d {destination}", check=False)


def set_macs(network: Network, node: Node, machine: PlannedMachine) -> None:
    for nic in machine.nics:
        run(f"ip -n {node.namespace} link set {node.cables[nic.network]} address {nic.mac}")

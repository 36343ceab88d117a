"""Small networks of namespaces: bridges as switches, veth pairs as cables, processes inside."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

_NUMBERS = count(1)


def run(command: str, check: bool = True) -> str:
    """Standard output of one command line without a shell."""
    done = subprocess.run(command.split(), capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise AssertionError(f"{command}\n{done.stdout}{done.stderr}")
    return done.stdout


def until(condition: Callable[[], bool], seconds: float = 20.0, step: float = 0.02) -> float:
    """Wait for the condition; seconds it took. AssertionError after `seconds`."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, f"not within {seconds} s: {condition}"
        time.sleep(step)
    return time.monotonic() - start


@dataclass
class Node:
    """One namespace. `cables` maps a network's name to this node's device on it."""

    name: str
    namespace: str
    switch: str
    cables: dict[str, str] = field(default_factory=dict)

    def run(self, command: str, check: bool = True) -> str:
        return run(f"ip netns exec {self.namespace} {command}", check)

    def start(self, command: list[str], **options: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["ip", "netns", "exec", self.namespace, *command], **options)  # type: ignore[call-overload,no-any-return]

    def sysctl(self, name: str, value: object) -> None:
        # ip netns exec remounts /sys, not /proc/sys/net: that one follows the process's namespace by itself.
        self.run(f"sysctl -qw {name}={value}")

    def port(self, network: str) -> str:
        """Name of the switch's end of the cable."""
        return f"{self.name}-{network}"

    def send_frame(self, network: str, frame: bytes) -> None:
        """Put a whole Ethernet frame on the cable, whatever its source MAC."""
        code = "import socket,sys;s=socket.socket(17,3);s.bind((sys.argv[1],0));s.send(bytes.fromhex(sys.argv[2]))"
        command = [sys.executable, "-S", "-c", code, self.cables[network], frame.hex()]
        assert self.start(command).wait() == 0

    def mac(self, network: str) -> str:
        return self.run(f"cat /sys/class/net/{self.cables[network]}/address").strip()


class Network:
    """Namespaces of one test, all gone with `close`. One more namespace holds the switches."""

    def __init__(self) -> None:
        self.prefix = f"dp{os.getpid()}x{next(_NUMBERS)}"
        self.nodes: dict[str, Node] = {}
        self.processes: list[subprocess.Popen[bytes]] = []
        self.switch = self._namespace("sw")
        for setting in ("bridge-nf-call-iptables", "bridge-nf-call-ip6tables", "bridge-nf-call-arptables"):
            run(f"ip netns exec {self.switch} sysctl -qw net.bridge.{setting}=0", check=False)

    def _namespace(self, name: str) -> str:
        namespace = f"{self.prefix}-{name}"
        run(f"ip netns add {namespace}")
        for scope in ("all", "default"):
            run(f"ip netns exec {namespace} sysctl -qw net.ipv6.conf.{scope}.disable_ipv6=1", check=False)
        run(f"ip -n {namespace} link set lo up")
        return namespace

    def segment(self, name: str) -> None:
        bridge = "type bridge stp_state 0 forward_delay 0 mcast_snooping 0"
        run(f"ip -n {self.switch} link add br-{name} {bridge}")
        run(f"ip -n {self.switch} link set br-{name} up")

    def node(self, name: str, **addresses: str) -> Node:
        """A node with one device per keyword: `lan="172.17.1.254/24"`; devices are vtnet0, vtnet1, … in that order."""
        node = self.nodes[name] = Node(name, self._namespace(name), self.switch)
        for network, address in addresses.items():
            self.plug_in(node, network, address)
        return node

    def plug_in(self, node: Node, network: str, address: str) -> None:
        """One more device of the node, on that segment; an empty address gives none."""
        device = node.cables[network] = f"vtnet{len(node.cables)}"
        port = node.port(network)
        run(f"ip -n {self.switch} link add {port} type veth peer name {device} netns {node.namespace}")
        run(f"ip -n {self.switch} link set {port} master br-{network} up")
        run(f"ip -n {node.namespace} link set {device} up")
        if address:
            run(f"ip -n {node.namespace} addr add {address} brd + dev {device}")

    def unplug_for_good(self, node: Node, network: str) -> None:
        """Take the device out of the node."""
        run(f"ip -n {node.namespace} link del {node.cables.pop(network)}")

    def unplug(self, node: Node, network: str) -> None:
        run(f"ip -n {self.switch} link set {node.port(network)} down")

    def plug(self, node: Node, network: str) -> None:
        run(f"ip -n {self.switch} link set {node.port(network)} up")

    def switch_table(self, segment: str) -> dict[str, str]:
        """MAC -> port, as the bridge has learned it."""
        lines = run(f"ip netns exec {self.switch} bridge fdb show br br-{segment}").splitlines()
        return {words[0]: words[2] for line in lines if "permanent" not in (words := line.split())}

    def start(self, node: Node, command: list[str], log: Path | None = None) -> subprocess.Popen[bytes]:
        """A process that ends with the network."""
        output = log.open("ab") if log else subprocess.DEVNULL
        process = node.start(command, stdout=output, stderr=subprocess.STDOUT if log else output)
        self.processes.append(process)
        return process

    def start_in_switch(self, command: list[str], log: Path) -> subprocess.Popen[bytes]:
        """A process where the segments' bridges are; it ends with the network."""
        with log.open("wb") as output:
            full = ["ip", "netns", "exec", self.switch, *command]
            self.processes.append(subprocess.Popen(full, stdout=output, stderr=subprocess.STDOUT))
        return self.processes[-1]

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        for node in self.nodes.values():
            self.kill_all(node)
        for namespace in [node.namespace for node in self.nodes.values()] + [self.switch]:
            run(f"ip netns del {namespace}", check=False)

    @staticmethod
    def kill_all(node: Node) -> None:
        """kill -9 to every process in the node's namespace."""
        for pid in run(f"ip netns pids {node.namespace}", check=False).split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)

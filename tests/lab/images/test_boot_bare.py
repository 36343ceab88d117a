"""The images, built where they are not, booted by plain QEMU: no libvirt, no lab, a card that leads nowhere."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.host.images import GuestImage, ensure, overlay, verify

pytestmark = [pytest.mark.lab, pytest.mark.slow]

LIMIT = 240.0
"""Seconds for anything; a guest is ready after 3 s on a computer that does nothing else."""


@dataclass
class Guest:
    """A guest of plain QEMU, emulated. log: every byte of its serial line."""

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def log(self) -> str:
        return (self.folder / "serial").read_text(errors="replace")

    def wait_for(self, text: str) -> None:
        end = time.monotonic() + LIMIT
        while text not in self.log:
            assert self.process.poll() is None, f"QEMU ended; {self.log[-2000:]}"
            assert time.monotonic() < end, f"no {text!r} within {LIMIT:.0f} s; {self.log[-2000:]}"
            time.sleep(0.1)

    def type(self, line: str) -> None:
        self._talk("console", f"{line}\r".encode())

    def press_power_button(self) -> None:
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(str(self.folder / "monitor"))
            monitor.sendall(b'{"execute":"qmp_capabilities"}{"execute":"system_powerdown"}')
            monitor.settimeout(LIMIT)
            monitor.recv(4096)
            self.process.wait(LIMIT)

    def ask_agent(self, command: str, **arguments: object) -> Any:
        """One command of the guest agent; asked until somebody listens in the guest."""
        request = json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n"
        with socket.socket(socket.AF_UNIX) as agent:
            agent.connect(str(self.folder / "agent"))
            agent.settimeout(LIMIT)
            agent.sendall(request)
            return json.loads(agent.makefile().readline())["return"]

    def _talk(self, name: str, data: bytes) -> None:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(self.folder / name))
            line.sendall(data)
            time.sleep(0.2)


@contextmanager
def booted(image: GuestImage, folder: Path, parameters: str = "") -> Iterator[Guest]:
    overlay(image.disk, folder / "disk.qcow2")
    command = [
        "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-machine", "pc", "-accel", "tcg,tb-size=64", "-cpu", "max", "-m", str(image.memory_mib),
        "-kernel", str(image.kernel), "-initrd", str(image.initrd),
        "-append", f"{image.parameters('tcg')} {parameters}",
        "-drive", f"file={folder}/disk.qcow2,if=virtio,cache=unsafe",
        "-netdev", "hubport,id=nowhere,hubid=0", "-device", "virtio-net-pci,netdev=nowhere",
        "-chardev", f"socket,id=console,path={folder}/console,server=on,wait=off,logfile={folder}/serial",
        "-serial", "chardev:console",
        "-device", "virtio-serial-pci",
        "-chardev", f"socket,id=agent,path={folder}/agent,server=on,wait=off",
        "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
        "-qmp", f"unix:{folder}/monitor,server=on,wait=off",
    ]  # fmt: skip
    (folder / "serial").touch()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        try:
            yield Guest(process, folder)
        finally:
            process.kill()


def test_client_gets_ready_serves_answers_its_agent_and_its_power_button(tmp_path: Path) -> None:
    image = ensure("client")
    assert verify("client").recipe_hash == image.recipe_hash
    words = "uranus.name=web uranus.role=web uranus.addr=172.17.3.10/24 uranus.gw=172.17.3.252"
    with booted(image, tmp_path, words) as guest:
        guest.wait_for("URANUS-READY web")
        pid = guest.ask_agent(
            "guest-exec",
            path="/bin/sh",
            arg=["-c", "ip -4 -o address show eth0; ip route; curl -s http://172.17.3.10/; hostname; "
                 "cat /sys/devices/system/clocksource/clocksource0/current_clocksource; "
                 "command -v ping traceroute curl tcpdump iperf3 ssh nc bash ps"],
            **{"capture-output": True},
        )["pid"]  # fmt: skip
        status: dict[str, Any] = {}
        while not status.get("exited"):
            status = guest.ask_agent("guest-exec-status", pid=pid)

        said = base64.b64decode(status["out-data"]).decode()
        assert "inet 172.17.3.10/24" in said
        assert "default via 172.17.3.252" in said
        assert "<title>web</title>" in said
        assert "acpi_pm" in said
        assert status["exitcode"] == 0, said
        guest.type("echo on the $(echo line)")
        guest.wait_for("\non the line")
        guest.press_power_button()
        assert "Power down" in guest.log


def test_internet_serves_leases_for_the_cards_it_knows(tmp_path: Path) -> None:
    words = (
        "uranus.name=internet uranus.role=internet uranus.addr=192.168.1.1/24 uranus.public=203.0.113.10 "
        "uranus.dhcp=52:54:00:00:00:01,192.168.1.168;52:54:00:00:00:02,192.168.1.169"
    )
    with booted(ensure("client"), tmp_path, words) as guest:
        guest.wait_for("URANUS-READY internet")
        guest.type("grep static_lease /run/udhcpd.conf; curl -s http://203.0.113.10/; pidof udhcpd && echo serving")
        guest.wait_for("\nserving")
        assert "static_lease 52:54:00:00:00:02 192.168.1.169" in guest.log
        assert "<title>internet</title>" in guest.log


def test_standin_without_a_configuration_reaches_its_menu(tmp_path: Path) -> None:
    with booted(ensure("standin"), tmp_path) as guest:
        guest.wait_for("Enter an option:")
        assert "Traceback" not in guest.log
        guest.type("8")
        guest.wait_for("/root")
        guest.type(
            "for word in nft conntrackd conntrack ip tcpdump; do command -v $word; done; lsmod | grep -c nft_ct; uname -n"
        )
        guest.wait_for("/usr/sbin/conntrackd")

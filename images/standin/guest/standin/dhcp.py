"""The DHCP client of one interface: busybox udhcpc, which leaves its lease in a file and wakes the stand-in."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

from standin.facts import Lease
from standin.places import Places

SCRIPT = Path(__file__).with_name("udhcpc.sh")
# Seconds between two DISCOVERs: a server that boots beside us is found soon after it is up.
RETRY = 1


def start(places: Places, nic: str, hostname: str) -> None:
    """Start the client of `nic` unless it runs; it stays for renewals. Process 1 gets SIGHUP when the lease changes."""
    if _running(places, nic):
        return
    lease = places.lease(nic)
    lease.parent.mkdir(parents=True, exist_ok=True)
    lease.unlink(missing_ok=True)
    argv = ["busybox", "udhcpc", "-f", "-i", nic, "-s", str(SCRIPT), "-t", "3", "-T", str(RETRY), "-A", str(RETRY)]
    argv += ["-x", f"hostname:{hostname}"]
    environment = {**os.environ, "STANDIN_LEASE": str(lease)}
    with Path(os.devnull).open("r+b") as nowhere:
        client = subprocess.Popen(argv, env=environment, stdin=nowhere, stdout=nowhere, stderr=nowhere)
    _pid_file(places, nic).write_text(f"{client.pid}\n")


def stop(places: Places, nic: str) -> None:
    """End the client of `nic`, if there is one; its lease is forgotten."""
    pid = _running(places, nic)
    if pid:
        os.kill(pid, signal.SIGKILL)
    places.lease(nic).unlink(missing_ok=True)
    _pid_file(places, nic).unlink(missing_ok=True)


def _pid_file(places: Places, nic: str) -> Path:
    return places.run / f"udhcpc.{nic}.pid"


def _running(places: Places, nic: str) -> int:
    """Process id of the client of `nic`, 0 for none."""
    try:
        pid = int(_pid_file(places, nic).read_text())
        return pid if b"udhcpc" in Path(f"/proc/{pid}/cmdline").read_bytes() else 0
    except (OSError, ValueError):
        return 0


def read_lease(path: Path) -> Lease | None:
    """The lease in a file of `name=value` lines, or None when there is none (yet)."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return None
    return parse_lease(dict(line.split("=", 1) for line in text.splitlines() if "=" in line))


def parse_lease(values: Mapping[str, str]) -> Lease | None:
    """`ip`, `mask` (prefix length), `router` and `dns` (several, space-separated), as udhcpc names them."""
    if not values.get("ip"):
        return None
    routers = values.get("router", "").split()
    return Lease(
        address=IPv4Interface(f"{values['ip']}/{values.get('mask') or '24'}"),
        router=IPv4Address(routers[0]) if routers else None,
        dns=tuple(IPv4Address(each) for each in values.get("dns", "").split()),
    )

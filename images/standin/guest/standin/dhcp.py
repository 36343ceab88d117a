"""The DHCP client of one interface: busybox udhcpc, which leaves its lease in a file and wakes the stand-in."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

from standin.facts import Lease
from standin.places import Places

SCRIPT = Path(__file__).with_name("udhcpc.sh")
# Seconds between two DISCOVERs: a server that boots beside us is found soon after it is up.
RETRY = 1


def start(places: Places, nic: str, hostname: str) -> subprocess.Popen[bytes]:
    """Start the client of `nic`; it stays for renewals. Process STANDIN_PID gets SIGHUP at every change of the lease."""
    lease = places.lease(nic)
    lease.parent.mkdir(parents=True, exist_ok=True)
    lease.unlink(missing_ok=True)
    argv = ["busybox", "udhcpc", "-f", "-i", nic, "-s", str(SCRIPT), "-t", "3", "-T", str(RETRY), "-A", str(RETRY)]
    argv += ["-x", f"hostname:{hostname}"]
    environment = {**os.environ, "STANDIN_LEASE": str(lease), "STANDIN_PID": str(os.getpid())}
    with Path(os.devnull).open("wb") as nowhere:
        return subprocess.Popen(argv, env=environment, stdin=subprocess.DEVNULL, stdout=nowhere, stderr=nowhere)


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

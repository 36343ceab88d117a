"""`lab.status --quick`, without asking anybody: machines from libvirt, masters from what the bridges last saw of each virtual MAC.

It has to be quick, so it reads the lab's record as plain JSON and imports little.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab.commands import present
from lab.commands.record import Record, existing
from lab.errors import LabError
from lab.host.bridge_tables import Learnt, learnt, links_of
from lab.host.libvirtd import PrivateLibvirt
from lab.paths import LabPaths

SILENT_AFTER = 3.0
"""A master counts as fallen silent after that many advertisement intervals and the skew: the backup's own law (lab.carp.law)."""

STATES = {1: "running", 2: "running", 3: "paused", 4: "running", 5: "off", 6: "crashed", 7: "paused"}
"""virDomainState -> the words of lab.machines.machine."""


NOBODY = "nobody"
HINT = "Without --quick the adverts themselves are listened to and the firewalls asked, which takes a few seconds."


@dataclass(frozen=True)
class Glance:
    """machines: name -> state. masters: VHID -> who was last seen with its virtual MAC, and seconds since; silent ones left out.

    masters is None where the tables cannot be read: no guest runs, or not as this user.
    """

    record: Record
    topology: Mapping[str, Any]
    machines: dict[str, str]
    masters: dict[int, tuple[str, float]] | None

    @property
    def firewalls(self) -> tuple[str, ...]:
        return tuple(self.topology["firewalls"])

    @property
    def vips(self) -> list[Mapping[str, Any]]:
        return list(self.topology["carp"]["vips"]) if self.record.stage.value != "bare" else []

    @property
    def ok(self) -> bool:
        """Every machine runs, and the first firewall is master of every VHID."""
        first = self.firewalls[0]
        return set(self.machines.values()) == {"running"} and all(
            (self.masters or {}).get(vip["vhid"], ("", 0.0))[0] == first for vip in self.vips
        )


def run(name: str | None, json: bool) -> int:
    """The command. Exit code 0 when all machines run and the first firewall is master of everything."""

    def body() -> int:
        paths, _ = existing(name)
        if paths.pending.exists():
            _bring_to_end(name)
        seen = glance(name)
        if seen.masters is None and "running" in seen.machines.values():
            return _listen(name, json)
        if json:
            present.as_json(as_data(seen))
        else:
            print(as_text(seen))
        return 0 if seen.ok else 1

    return present.run(body, json)


def _listen(name: str | None, json: bool) -> int:
    """The slow way, where the quick one is barred."""
    from lab.commands import status

    return status.run(name, json)


def _bring_to_end(name: str | None) -> None:
    """A save or restore is under way, or was broken off: half a second of imports that a quick look does without."""
    from lab.commands.session import opened

    with opened(name):
        pass


def glance(name: str | None) -> Glance:
    """Look. Raises LabError where there is no lab, or it does not run."""
    paths, record = existing(name)
    topology = json.loads(record.topology)
    states = _states(paths)
    names = (*topology["firewalls"], *topology["machines"])
    machines = {machine: states.get(machine, "absent") for machine in names}
    return Glance(record, topology, machines, _masters(paths, topology))


def _states(paths: LabPaths) -> dict[str, str]:
    if not PrivateLibvirt(paths).running():
        raise not_running(paths)
    connection = PrivateLibvirt(paths).connect()
    try:
        return {domain.name(): STATES.get(domain.state()[0], "off") for domain in connection.listAllDomains()}
    finally:
        connection.close()


def not_running(paths: LabPaths) -> LabError:
    """What to raise where a lab's libvirtd does not answer."""
    return LabError(
        f"Lab {paths.name} does not run",
        expected=f"its libvirtd at {paths.libvirt_socket}",
        seen="nothing listens there",
        cure=f"`./inv lab.up --name {paths.name}` brings it back, `./inv lab.down --name {paths.name}` removes it",
    )


def _masters(paths: LabPaths, topology: Mapping[str, Any]) -> dict[int, tuple[str, float]] | None:
    links = links_of(paths)
    if links is None:
        return None
    owners = {tap: node for node in topology["firewalls"] for tap in _taps(paths, node)}
    carp = topology["carp"]
    found = {}
    for vip in carp["vips"]:
        mac = bytes((0, 0, 0x5E, 0, 1, vip["vhid"]))
        seen = next((row for row in learnt(links, f"br-{vip['network']}") if row.mac == mac), None)
        if seen and seen.port in owners and seen.age <= _silent(seen, owners[seen.port], topology):
            found[int(vip["vhid"])] = (owners[seen.port], seen.age)
    return found


def _silent(seen: Learnt, node: str, topology: Mapping[str, Any]) -> float:
    base, skew = topology["carp"]["advbase"], topology["firewalls"][node]["advskew"]
    return float(SILENT_AFTER * base + skew / 256)


def _taps(paths: LabPaths, node: str) -> list[str]:
    try:
        tree = ET.fromstring(paths.domain_xml(node).read_text())
    except (OSError, ET.ParseError):
        return []
    return [target.get("dev", "") for target in tree.findall("./devices/interface/target")]


def as_data(seen: Glance) -> dict[str, Any]:
    """As JSON, in the form of lab.commands.status; what was not asked is null or empty."""
    kinds = dict.fromkeys(seen.firewalls, ("firewall", "firewall"))
    kinds |= {name: ("client", str(machine["role"])) for name, machine in seen.topology["machines"].items()}
    return {
        "ok": seen.ok,
        "name": seen.record.name,
        "topology": seen.topology["name"],
        "firewall": seen.record.firewall,
        "stage": seen.record.stage.value,
        "machines": {
            name: {"kind": kinds[name][0], "role": kinds[name][1], "state": state}
            for name, state in seen.machines.items()
        },
        "vhids": [_vhid(seen, vip) for vip in seen.vips],
        "firewalls": {},
    }


def _vhid(seen: Glance, vip: Mapping[str, Any]) -> dict[str, Any]:
    master, age = (seen.masters or {}).get(vip["vhid"], (None, None))
    others = [node for node in seen.firewalls if node != master and seen.machines[node] == "running"]
    return {
        "vhid": vip["vhid"],
        "network": vip["network"],
        "address": str(vip["address"]),
        "masters": [master] if master else [],
        "master": master,
        "backup": others[0] if master and others else None,
        "seen_ago": age,
        "advbase": None,
        "advskew": None,
        "own_word": {},
    }


def as_text(seen: Glance) -> str:
    """For a person."""
    data = as_data(seen)
    machines = [[name, row["role"], row["state"]] for name, row in data["machines"].items()]
    parts = [present.table(f"lab {data['name']}, stage {data['stage']}", ["machine", "role", "state"], machines)]
    rows = [
        [str(row["vhid"]), row["network"], row["address"], row["master"] or NOBODY, _ago(row), row["backup"] or ""]
        for row in data["vhids"]
    ]
    columns = ["VHID", "network", "VIP", "master by the wire", "seen", "backup"]
    parts += [present.table("CARP", columns, rows)] if rows else []
    return "\n\n".join([*parts, HINT])


def _ago(row: Mapping[str, Any]) -> str:
    return "" if row["seen_ago"] is None else f"{row['seen_ago']:.1f} s ago"

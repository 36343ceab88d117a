"""`lab.status`, at once and without asking anybody: machines from libvirt, masters from the adverts that the kernel wrote down.

It has to be quick, so it reads the lab's record as plain JSON and imports little. Where the adverts of the last seconds leave a
doubt (nobody, or two on one VHID), it waits for the next ones before it says so.
"""

from __future__ import annotations

import json
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab.commands import present
from lab.commands.record import Record, existing
from lab.errors import LabError
from lab.host.advert_watch import Heard, heard
from lab.host.libvirtd import PrivateLibvirt
from lab.paths import LabPaths

SILENT_AFTER = 3.0
"""A master counts as fallen silent after that many advertisement intervals and the skew: the backup's own law (lab.carp.law)."""

LATE = 0.5
"""Seconds an advert may come late from a guest that waits for a processor."""

STATES = {1: "running", 2: "running", 3: "paused", 4: "running", 5: "off", 6: "crashed", 7: "paused"}
"""virDomainState -> the words of lab.machines.machine."""

NOBODY = "nobody"
AND = " and "
AGO = "{seconds:.1f} s ago"
HINT = "--full listens to the adverts and asks each firewall for its own word, which takes a few seconds."

Group = tuple[str, int]
"""Network and VHID."""

Ports = Mapping[str, tuple[str, str]]
"""Tap -> firewall and network."""


@dataclass(frozen=True)
class Glance:
    """machines: name -> state. masters: who advertises for each group, and seconds since; those fallen silent left out.

    masters is None where it cannot be known: the lab's namespace or its rule is not there, or this user may not look.
    """

    record: Record
    topology: Mapping[str, Any]
    machines: dict[str, str]
    masters: dict[Group, dict[str, float]] | None

    @property
    def firewalls(self) -> tuple[str, ...]:
        return tuple(self.topology["firewalls"])

    @property
    def vips(self) -> list[Mapping[str, Any]]:
        return _vips(self.record, self.topology)

    def of(self, vip: Mapping[str, Any]) -> dict[str, float]:
        """Who is master of this one."""
        return (self.masters or {}).get((vip["network"], vip["vhid"]), {})

    @property
    def ok(self) -> bool:
        """Every machine runs, and the first firewall alone is master of every VHID."""
        first = [self.firewalls[0]]
        return set(self.machines.values()) == {"running"} and all(list(self.of(vip)) == first for vip in self.vips)


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
    states, ports = _machines(paths, topology)
    names = (*topology["firewalls"], *topology["machines"])
    machines = {machine: states.get(machine, "absent") for machine in names}
    return Glance(record, topology, machines, _masters(paths, topology, _vips(record, topology), ports))


def _vips(record: Record, topology: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(topology["carp"]["vips"]) if record.stage.value != "bare" else []


def _machines(paths: LabPaths, topology: Mapping[str, Any]) -> tuple[dict[str, str], Ports]:
    """Every machine's state, and where the cards of the firewalls that run are plugged in."""
    if not PrivateLibvirt(paths).running():
        raise not_running(paths)
    connection = PrivateLibvirt(paths).connect()
    try:
        domains = {domain.name(): domain for domain in connection.listAllDomains()}
        states = {name: STATES.get(domain.state()[0], "off") for name, domain in domains.items()}
        ports: dict[str, tuple[str, str]] = {}
        for node in topology["firewalls"]:
            if states.get(node) == "running":
                ports |= {tap: (node, network) for tap, network in plugged(domains[node].XMLDesc())}
        return states, ports
    finally:
        connection.close()


def plugged(domain: str) -> list[tuple[str, str]]:
    """Taps of a domain, with the network each is on."""
    found = []
    for card in ET.fromstring(domain).findall("./devices/interface"):
        tap, bridge = card.find("target"), card.find("source")
        if tap is not None and bridge is not None:
            found.append((tap.get("dev", ""), bridge.get("bridge", "").removeprefix("br-")))
    return found


def not_running(paths: LabPaths) -> LabError:
    """What to raise where a lab's libvirtd does not answer."""
    return LabError(
        f"Lab {paths.name} does not run",
        expected=f"its libvirtd at {paths.libvirt_socket}",
        seen="nothing listens there",
        cure=f"`./inv lab.up --name {paths.name}` brings it back, `./inv lab.down --name {paths.name}` removes it",
    )


def _masters(
    paths: LabPaths, topology: Mapping[str, Any], vips: list[Mapping[str, Any]], ports: Ports
) -> dict[Group, dict[str, float]] | None:
    base = topology["carp"]["advbase"]
    patience = {
        node: SILENT_AFTER * base + firewall["advskew"] / 256 for node, firewall in topology["firewalls"].items()
    }
    seen = heard(paths)
    if seen is None:
        return None
    found = advertisers(seen, ports, patience)
    if ports and any(len(found.get((vip["network"], vip["vhid"]), ())) != 1 for vip in vips):
        # The longest interval that a living master can have, whatever its skew and demotion.
        interval = base + 1.0 + LATE
        time.sleep(interval)
        found = advertisers(heard(paths) or (), ports, dict.fromkeys(patience, interval))
    return found


def advertisers(seen: tuple[Heard, ...], ports: Ports, patience: Mapping[str, float]) -> dict[Group, dict[str, float]]:
    """Who was heard within the patience with it, per group. patience: firewall -> seconds."""
    found: dict[Group, dict[str, float]] = {}
    for one in seen:
        node, network = ports.get(one.port, ("", ""))
        if node and one.age <= patience[node]:
            found.setdefault((network, one.vhid), {})[node] = one.age
    return found


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
    masters = seen.of(vip)
    master = next(iter(masters)) if len(masters) == 1 else None
    others = [node for node in seen.firewalls if node != master and seen.machines[node] == "running"]
    return {
        "vhid": vip["vhid"],
        "network": vip["network"],
        "address": str(vip["address"]),
        "masters": list(masters),
        "master": master,
        "backup": others[0] if master and others else None,
        "seen_ago": min(masters.values(), default=None),
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
        [
            str(row["vhid"]),
            row["network"],
            row["address"],
            AND.join(row["masters"]) or NOBODY,
            _ago(row),
            row["backup"] or "",
        ]
        for row in data["vhids"]
    ]
    columns = ["VHID", "network", "VIP", "master by the wire", "seen", "backup"]
    parts += [present.table("CARP", columns, rows)] if rows else []
    return "\n\n".join([*parts, HINT])


def _ago(row: Mapping[str, Any]) -> str:
    return "" if row["seen_ago"] is None else AGO.format(seconds=row["seen_ago"])

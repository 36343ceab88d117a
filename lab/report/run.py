"""A saved run: the directory that `lab.failover --report` writes, and the same read back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.experiment import pcap, pcapng
from lab.experiment.pcap import Frame
from lab.experiment.report import to_json, to_text
from lab.experiment.result import FailoverReport
from lab.report.decode import decode
from lab.report.packets import ARP, Packet, packets
from lab.topology.model import Topology
from lab.topology.plan import bridge_name

JSON_FILE, TEXT_FILE, FRAMES_FILE, SETTING_FILE = "failover.json", "failover.txt", "failover.pcapng", "lab.json"

NOT_A_RUN = "{directory} holds no saved run"
NOT_A_RUN_EXPECTED = "{json} and {setting} as `lab.failover --report` writes them"
NOT_A_RUN_CURE = "`./inv lab.failover --report DIR` writes one"

DESCRIPTION = "{network}: {subnet}"
NODE_NAME, VIP_NAME = "{node}.{network}", "vip{vhid}.{network}"
FILE_NOTE = """{topology} at stage {stage}: {fault}
Zero of the run's clock (the fault): {zero:.6f} s since the epoch.
CARP shares IP protocol 112 with VRRP. To see it decoded:
tshark -o ip.try_heuristic_first:TRUE -r {file} -Y carp
Wireshark: Analyze > Decode As... > IP protocol 112 > CARP"""


@dataclass(frozen=True)
class Setting:
    """Where a run was made. firewall: standin or pfsense. slowness: measured, 1.0 is hardware virtualisation."""

    topology: Topology
    firewall: str
    accelerator: str = ""
    slowness: float = 1.0


@dataclass(frozen=True)
class SavedRun:
    """frames: each once, link is the network's name; empty where none were kept."""

    report: FailoverReport
    setting: Setting
    frames: tuple[Frame, ...] = ()

    @property
    def topology(self) -> Topology:
        return self.setting.topology

    @property
    def packets(self) -> tuple[Packet, ...]:
        """Adverts and announcements, in order of time."""
        return packets(self.topology, self.frames, self.report.fault_at)


def collected(report: FailoverReport, setting: Setting, captured: Path | None = None) -> SavedRun:
    """A run just made. captured: directory of a capture; each frame once, since what crosses a port crosses its bridge too."""
    frames: list[Frame] = []
    for network in setting.topology.networks if captured else ():
        path = (captured or Path()) / f"{bridge_name(network)}.pcap"
        frames += pcap.read(path, network) if path.exists() else []
    return SavedRun(report, setting, tuple(sorted(frames)))


def save(run: SavedRun, directory: Path) -> tuple[Path, ...]:
    """Everything that `load` needs, and the text. Returns the files."""
    directory.mkdir(parents=True, exist_ok=True)
    files = [directory / JSON_FILE, directory / TEXT_FILE, directory / SETTING_FILE]
    files[0].write_text(json.dumps(to_json(run.report), indent=1) + "\n")
    files[1].write_text(to_text(run.report) + "\n")
    files[2].write_text(json.dumps(_setting_json(run.setting), indent=1) + "\n")
    if run.frames:
        pcapng.write(directory / FRAMES_FILE, _links(run.topology), run.frames, _notes(run))
        files.append(directory / FRAMES_FILE)
    return tuple(files)


def load(directory: Path) -> SavedRun:
    """Raises LabError where there is no saved run."""
    try:
        report = decode(FailoverReport, json.loads((directory / JSON_FILE).read_text()))
        setting = _setting(json.loads((directory / SETTING_FILE).read_text()))
    except (OSError, ValueError) as error:
        raise LabError(
            NOT_A_RUN.format(directory=directory),
            expected=NOT_A_RUN_EXPECTED.format(json=JSON_FILE, setting=SETTING_FILE),
            seen=str(error),
            cure=NOT_A_RUN_CURE,
        ) from error
    path = directory / FRAMES_FILE
    return SavedRun(report, setting, tuple(pcapng.read(path)) if path.exists() else ())


def _setting_json(setting: Setting) -> dict[str, Any]:
    """Without a password: a topology file may carry one."""
    topology = setting.topology.model_dump(mode="json", by_alias=True, exclude={"carp": {"password"}})
    rest = asdict(setting)
    return {"topology": topology, **{key: rest[key] for key in ("firewall", "accelerator", "slowness")}}


def _setting(data: Mapping[str, Any]) -> Setting:
    return Setting(
        topology=Topology.model_validate(data["topology"]),
        firewall=str(data.get("firewall", "")),
        accelerator=str(data.get("accelerator", "")),
        slowness=float(data.get("slowness", 1.0)),
    )


def _links(topology: Topology) -> list[pcapng.Link]:
    return [
        pcapng.Link(name, name, DESCRIPTION.format(network=name.upper(), subnet=network.subnet))
        for name, network in topology.networks.items()
    ]


def _notes(run: SavedRun) -> pcapng.Notes:
    report = run.report
    said = FILE_NOTE.format(
        topology=report.topology, stage=report.stage, fault=report.fault, zero=report.fault_at, file=FRAMES_FILE
    )
    return pcapng.Notes(said, _comments(run.packets), _names(run.topology))


def _comments(found: Iterable[Packet]) -> dict[tuple[int, str], str]:
    return {(one.time, one.network): one.note for one in found if one.note and one.kind != ARP}


def _names(topology: Topology) -> dict[IPv4Address, str]:
    nodes = {
        address: NODE_NAME.format(node=node, network=network)
        for node, firewall in topology.firewalls.items()
        for network, address in firewall.addresses.items()
    }
    vips = {vip.address: VIP_NAME.format(vhid=vip.vhid, network=vip.network) for vip in topology.carp.vips}
    machines = {machine.address: name for name, machine in topology.machines.items()}
    return {**nodes, **vips, **machines}

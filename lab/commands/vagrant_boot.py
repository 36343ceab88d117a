"""The machines of a lab booted by Vagrant: all at once by `vagrant up`, then handed over to the same code as any other lab."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from lab.commands.boot import CLIENT_SECONDS, Booter, wait_ready
from lab.commands.record import read_record
from lab.console.log import ConsoleLog
from lab.events import Event, Phase
from lab.host.boxes import box_of, boxes_home, pack, register, vagrant_box
from lab.host.fatdisk import write_config_disk
from lab.host.images import GuestImage
from lab.host.world import World
from lab.machines.machine import MachineState
from lab.machines.vagrant_folder import VagrantFolder
from lab.paths import LabPaths, project_root
from lab.progress import telling
from lab.render.config_xml import config_xml
from lab.render.domain_xml import Accelerator
from lab.render.vagrantfile import network_name, vagrantfile
from lab.topology.plan import Kind, Plan, PlannedMachine, bridge_name

UP_SECONDS = 240.0
"""Limit for `vagrant up` beside the boot of a client: Vagrant's own start, copies of the boxes, ssh."""


def _render(place: Path, plan: Plan, images: Mapping[str, GuestImage], firewall: str, accelerator: Accelerator) -> None:
    """Put the Vagrantfile into a folder that has config/NAME.xml already, and make the disks of them."""
    template = (project_root() / "Vagrantfile.j2").read_text()
    boxes = {name: vagrant_box(image, accelerator) for name, image in images.items()}
    (place / "Vagrantfile").write_text(vagrantfile(plan, template, boxes[firewall], boxes["client"], accelerator))
    for node in plan.firewalls:
        write_config_disk(place / f"config/{node.name}.img", (place / f"config/{node.name}.xml").read_bytes())


def clean(paths: LabPaths) -> None:
    """Vagrant does not go on where a killed `up` ended: a lab that was never ready begins anew. Does nothing where nothing is."""
    record = read_record(paths)
    if record is not None and not record.ready:
        World(paths).destroy()
        shutil.rmtree(VagrantFolder(paths).root, ignore_errors=True)
        shutil.rmtree(paths.root / "marks", ignore_errors=True)


@dataclass(frozen=True)
class VagrantBooter(Booter):
    """As Booter. consoles: of the machines that are being booted, opened before power on."""

    consoles: dict[str, ConsoleLog] = field(default_factory=dict)

    def begin(self) -> None:
        """Start what does not run, by `vagrant up`. Raises LabError."""
        for machine in self.plan.machines:
            state = self.machines.get(machine.name).state()
            running = state is MachineState.RUNNING
            if state is MachineState.ABSENT:  # Vagrant's own `destroy` took the disk as well
                self._configured_mark(machine.name).unlink(missing_ok=True)
            if running and self._ready_mark(machine.name).exists():
                continue
            if running:  # a boot that nobody saw the end of
                self.machines.get(machine.name).kill()
            self._ready_mark(machine.name).unlink(missing_ok=True)
            self.consoles[machine.name] = ConsoleLog(self.paths.console_log(machine.name))
        if not self.consoles:
            return
        folder = VagrantFolder(self.paths)
        with telling(self.listener, "lab", "boxes"):
            boxes = [box_of(image) for image in self.images.values()]
            with ThreadPoolExecutor(len(boxes)) as pool:
                list(pool.map(lambda box: register(box, pack(box, boxes_home())), boxes))
        with telling(self.listener, "lab", "Vagrantfile"):
            self.write_folder()
        with telling(self.listener, "lab", "vagrant up"):
            folder.up(CLIENT_SECONDS * self.record.slowness + UP_SECONDS)

    def bring_up(self, machine: PlannedMachine) -> None:
        """Wait until a machine that Vagrant started is ready."""
        if machine.name not in self.consoles:
            self.listener(Event(machine.name, "already up", Phase.NOTE))
            return
        first = not self._configured_mark(machine.name).exists()
        with telling(self.listener, machine.name, "boot"):
            console = self.consoles[machine.name]
            wait_ready(self.machines, self.paths, self.record, machine, console, with_config=first)
        if first and machine.kind is Kind.FIREWALL:
            with telling(self.listener, machine.name, "take the config.xml disk away"):
                self._detach(machine)
        self._configured_mark(machine.name).touch()
        self._ready_mark(machine.name).touch()

    def write_folder(self) -> None:
        """Make the folder where it is not, and join its networks to the lab's bridges. A folder that is there is the user's to change."""
        folder = VagrantFolder(self.paths)
        self.paths.console_log("x").parent.mkdir(parents=True, exist_ok=True)
        if not (folder.root / "Vagrantfile").exists():
            (folder.root / "config").mkdir(mode=0o700, parents=True, exist_ok=True)
            for node in self.plan.firewalls:
                path = folder.root / "config" / f"{node.name}.xml"
                path.touch(mode=0o600)
                now = int(time.time())
                path.write_text(config_xml(self.plan, node.name, self.record.stage, self.secrets, revision_time=now))
            kind: Accelerator = "kvm" if self.record.accelerator == "kvm" else "tcg"
            _render(folder.root, self.plan, self.images, self.record.firewall, kind)
        folder.write_script()
        topology = self.plan.topology
        folder.wire({network_name(topology, network): bridge_name(network) for network in topology.networks})

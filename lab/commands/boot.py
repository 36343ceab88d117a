"""One machine from nothing to ready: overlay, configuration disk, domain, power, and the line on its console that says so."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

from lab.commands.boot_spec import boot_spec
from lab.commands.record import Record
from lab.commands.session import firewall_of
from lab.console.log import ConsoleLog, Mark
from lab.events import Event, Listener, Phase
from lab.host.fatdisk import write_config_disk
from lab.host.images import GuestImage, overlay
from lab.machines.machine import Machines, MachineState
from lab.paths import LabPaths
from lab.progress import telling
from lab.render.config_xml import config_xml
from lab.render.domain_xml import Accelerator, domain_xml
from lab.topology.plan import Kind, Plan, PlannedMachine
from lab.topology.secrets import Secrets

CONFIG_TARGET = "vdb"
CLIENT_SECONDS = 60.0
"""Limit from power on to ready for a client, on the reference machine without acceleration."""


@dataclass(frozen=True)
class Booter:
    """What every machine's boot needs to know."""

    paths: LabPaths
    record: Record
    plan: Plan
    machines: Machines
    images: dict[str, GuestImage]
    secrets: Secrets
    listener: Listener

    def begin(self) -> None:
        """What is done for all machines together, before `bring_up` of each. Nothing here: see VagrantBooter."""

    def bring_up(self, machine: PlannedMachine) -> None:
        """Make one machine ready, whatever state it is in; a machine that is ready already is left alone."""
        ready = self._ready_mark(machine.name)
        running = self.machines.get(machine.name).state() is MachineState.RUNNING
        if running and ready.exists():
            self.listener(Event(machine.name, "already up", Phase.NOTE))
            return
        if running:  # a boot that nobody saw the end of
            self.machines.get(machine.name).kill()
        first = not self._configured_mark(machine.name).exists()
        ready.unlink(missing_ok=True)
        with telling(self.listener, machine.name, "prepare"):
            if first:
                self._prepare(machine)
            self.machines.define(machine.name, self._domain(machine, with_config=first))
        console = ConsoleLog(self.paths.console_log(machine.name))
        with telling(self.listener, machine.name, "boot"):
            self.machines.get(machine.name).start()
            wait_ready(self.machines, self.paths, self.record, machine, console, with_config=first)
        if first and machine.kind is Kind.FIREWALL:
            with telling(self.listener, machine.name, "take the config.xml disk away"):
                self._detach(machine)
        self._configured_mark(machine.name).touch()
        ready.touch()

    def _prepare(self, machine: PlannedMachine) -> None:
        for path in (
            self.paths.disk(machine.name),
            self.paths.config_xml(machine.name),
            self.paths.console_log(machine.name),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
        target = self.paths.disk(machine.name)
        target.unlink(missing_ok=True)
        overlay(self._image(machine).disk, target)
        if machine.kind is Kind.FIREWALL:
            text = config_xml(self.plan, machine.name, self.record.stage, self.secrets, revision_time=int(time.time()))
            path = self.paths.config_xml(machine.name)
            path.touch(mode=0o600)
            path.write_text(text)
            write_config_disk(self.paths.config_disk(machine.name), text.encode())

    def _domain(self, machine: PlannedMachine, with_config: bool) -> str:
        kind: Accelerator = "kvm" if self.record.accelerator == "kvm" else "tcg"
        firewall = machine.kind is Kind.FIREWALL
        boot = boot_spec(self.paths, self.plan, machine, self._image(machine), kind, with_config and firewall)
        text = domain_xml(machine, boot)
        path = self.paths.domain_xml(machine.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return text

    def _detach(self, machine: PlannedMachine) -> None:
        """The disk would be read again at every boot, and undo what was configured since (pfSense rc.ecl)."""
        if not self.machines.get(machine.name).detach_disk(CONFIG_TARGET):
            note = "the running guest keeps it until its next power off"
            self.listener(Event(machine.name, "config.xml disk", Phase.NOTE, detail=note))
            return
        self.paths.config_disk(machine.name).unlink(missing_ok=True)

    def _image(self, machine: PlannedMachine) -> GuestImage:
        return self.images["client" if machine.kind is Kind.CLIENT else self.record.firewall]

    def _ready_mark(self, name: str) -> Path:
        return self._mark(name, "ready")

    def _configured_mark(self, name: str) -> Path:
        """There once the machine's disk holds its configuration: its disk is kept from then on."""
        return self._mark(name, "configured")

    def _mark(self, name: str, word: str) -> Path:
        directory = self.paths.root / "marks"
        directory.mkdir(parents=True, exist_ok=True)
        return directory / f"{name}.{word}"


def wait_ready(
    machines: Machines,
    paths: LabPaths,
    record: Record,
    machine: PlannedMachine,
    console: ConsoleLog,
    with_config: bool = False,
) -> None:
    """Wait for the line that says a machine is ready, on a console log opened before power on. Raises LabError."""

    def alive() -> bool:
        return machines.get(machine.name).state() is MachineState.RUNNING

    if machine.kind is Kind.FIREWALL:
        firewall_of(paths, record, machine.name).wait_booted(console, alive, with_config)
        return
    mark = Mark("its ready line", re.compile(rb"URANUS-READY " + machine.name.encode()))
    console.wait_for(mark, CLIENT_SECONDS * record.slowness, alive)

"""A lab that is up (or half up), opened: its plan, its world, its machines, its firewalls and clients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lab.appliances.appliance import appliance
from lab.appliances.firewall import Firewall
from lab.appliances.xmlrpc import XmlRpc
from lab.commands import present
from lab.commands.glance import not_running
from lab.commands.record import Record, existing
from lab.errors import LabError
from lab.events import Event, Listener, Phase, silent
from lab.expect.paths import GUI_PORT
from lab.host.door import Door
from lab.host.libvirtd import PrivateLibvirt
from lab.host.lock import locked
from lab.host.passwords import passwords_of
from lab.host.pins import Pins
from lab.host.wires import Wires
from lab.host.world import World
from lab.machines.checkpoint import Cut
from lab.machines.checkpoint_store import Store
from lab.machines.libvirt_machines import LibvirtMachines
from lab.machines.machine import Machine
from lab.paths import LabPaths
from lab.render.config.system import ADMIN
from lab.topology.plan import Kind, Plan, PlannedMachine, bridge_name, make_plan
from lab.topology.spare import spare_addresses


@dataclass(frozen=True)
class Session:
    """One open lab. machines talks to the lab's own libvirtd."""

    paths: LabPaths
    record: Record
    plan: Plan
    machines: LibvirtMachines

    @property
    def world(self) -> World:
        return World(self.paths)

    def cut(self, listener: Listener = silent) -> Cut:
        """What saves and restores this lab."""
        return Cut(self.machines, Wires(self.world), Store(self.paths), listener)

    def firewall(self, name: str) -> Firewall:
        """Raises LabError where `name` is not a firewall of this lab."""
        if self.planned(name).kind is not Kind.FIREWALL:
            raise LabError(
                f"{name} is not a firewall",
                expected=", ".join(machine.name for machine in self.plan.firewalls),
                seen=name,
            )
        return firewall_of(self.paths, self.record, name)

    def door(self, name: str) -> Door:
        """A way to a firewall's web interface: from LAN, where pfSense's anti-lockout rule lets it in at every stage."""
        self.firewall(name)
        topology = self.plan.topology
        address = topology.firewalls[name].addresses[topology.lan]
        return Door(self.world, bridge_name(topology.lan), spare_addresses(topology, topology.lan), address, GUI_PORT)

    @contextmanager
    def xmlrpc(self, name: str) -> Iterator[XmlRpc]:
        """A firewall's XML-RPC, for the time of a `with`. Raises LabError."""
        secrets = passwords_of(self.paths.secrets, self.plan.topology)
        firewall, pins = self.firewall(name), Pins(self.paths.pins)
        with self.door(name) as door:
            yield XmlRpc(
                node=name,
                dial=door.dial,
                trust=lambda certificate: pins.check(name, certificate),
                user=ADMIN,
                password=secrets.admin,
                seconds=firewall.reload_limit,
                secrets=str(self.paths.secrets),
            )

    def machine(self, name: str) -> Machine:
        return self.machines.get(self.planned(name).name)

    def planned(self, name: str) -> PlannedMachine:
        """Raises LabError for a name that is not in the lab."""
        try:
            return self.plan.machine(name)
        except KeyError:
            raise LabError(
                f"There is no machine called {name} in lab {self.paths.name}",
                expected=", ".join(machine.name for machine in self.plan.machines),
                seen=name,
            ) from None


def firewall_of(paths: LabPaths, record: Record, name: str) -> Firewall:
    return Firewall(
        name=name,
        appliance=appliance(record.firewall),
        socket=paths.console_socket(name),
        log=paths.console_log(name),
        slowness=record.slowness,
    )


@contextmanager
def opened(name: str | None) -> Iterator[Session]:
    """The lab a command means, for the time of a `with`. Raises LabError where there is none, or it does not run."""
    paths, record = existing(name)
    daemon = PrivateLibvirt(paths)
    if not daemon.running():
        raise not_running(paths)
    machines = LibvirtMachines(daemon.connect(), paths.libvirt / "log" / "qemu")
    try:
        session = Session(paths, record, make_plan(record.model()), machines)
        if paths.pending.exists():
            _bring_to_end(session)
        yield session
    finally:
        machines.close()


def _bring_to_end(session: Session) -> None:
    """A save or a restore is under way: wait for it, or, where its command was killed, bring it to its end."""
    listener = present.Progress(session.paths.log)
    with locked(session.paths, "ending what was broken off", listener=listener):
        done = session.cut().recover()
    if done:
        listener(Event("lab", "a save or restore", Phase.NOTE, detail=done))

"""Guests of a libvirtd: the lab's own, or one that was named."""

from __future__ import annotations

import contextlib
import json
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import libvirt
import libvirt_qemu

from lab.errors import LabError
from lab.events import Event, Listener, Phase, silent
from lab.host import qcow2
from lab.host.deadline import Deadline, wait_until
from lab.machines import snapshots
from lab.machines.agent import Agent, AgentSilent, QemuAgent
from lab.machines.machine import Machine, MachineState
from lab.topology.plan import tap_name

LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE
CONFIG = libvirt.VIR_DOMAIN_AFFECT_CONFIG
INACTIVE = libvirt.VIR_DOMAIN_XML_INACTIVE

STATES = {
    libvirt.VIR_DOMAIN_RUNNING: MachineState.RUNNING,
    libvirt.VIR_DOMAIN_BLOCKED: MachineState.RUNNING,
    libvirt.VIR_DOMAIN_SHUTDOWN: MachineState.RUNNING,
    libvirt.VIR_DOMAIN_PAUSED: MachineState.PAUSED,
    libvirt.VIR_DOMAIN_PMSUSPENDED: MachineState.PAUSED,
    libvirt.VIR_DOMAIN_SHUTOFF: MachineState.OFF,
    libvirt.VIR_DOMAIN_CRASHED: MachineState.CRASHED,
}

AGENT_SILENT = (libvirt.VIR_ERR_AGENT_UNRESPONSIVE, libvirt.VIR_ERR_OPERATION_INVALID)
"""Codes of libvirt when nobody listens: no agent connected, or the guest is off."""

SYSTEM_DISK = "vda"
"""Target of the disk every guest has; what is kept of a guest is kept in it."""

DISK_XML = """\
<disk type='file' device='disk'><driver name='qemu' type='raw' cache='unsafe'/>\
<source file={image}/><target dev={target} bus='virtio'/></disk>"""

DELAY_NAME = "uranus-delay-{network}"
FAILED = "{machine}: {verb} failed"
UNKNOWN = "No such machine: {machine}"
UNKNOWN_CURE = "Run lab.up: it makes what is missing."
NO_CARD = "{machine} has no card on network {network}"
NO_CONSOLE = "{machine} has no serial line on a socket"


@contextlib.contextmanager
def _explained(machine: str, verb: str, log: Path | None = None) -> Iterator[None]:
    """libvirt's errors as ours."""
    try:
        yield
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            raise LabError(UNKNOWN.format(machine=machine), cure=UNKNOWN_CURE) from error
        raise LabError(
            FAILED.format(machine=machine, verb=verb), seen=str(error), log=str(log) if log else ""
        ) from error


class LibvirtMachine:
    """One domain. Holds no state of its own: the domain is looked up at each verb, for it may come and go."""

    def __init__(self, connection: Any, name: str, log: Path | None = None) -> None:
        self._connection = connection
        self._name = name
        self._log = log

    @property
    def name(self) -> str:
        return self._name

    @property
    def console_socket(self) -> Path:
        source = self._tree(INACTIVE).find("./devices/serial[@type='unix']/source")
        if source is None or not source.get("path"):
            raise LabError(NO_CONSOLE.format(machine=self._name))
        return Path(source.get("path", ""))

    @property
    def agent(self) -> Agent:
        return QemuAgent(self._name, self._tell_agent)

    def state(self) -> MachineState:
        try:
            code, _ = self._connection.lookupByName(self._name).state()
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                return MachineState.ABSENT
            raise LabError(FAILED.format(machine=self._name, verb="state"), seen=str(error)) from error
        return STATES.get(code, MachineState.OFF)

    def start(self) -> bool:
        with self._domain("start") as domain:
            if self.state() is MachineState.PAUSED:
                domain.resume()
                return True
            self._prepare_logs()
            try:
                domain.create()
            except libvirt.libvirtError as error:
                # It runs already.
                if error.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID or not domain.isActive():
                    raise
                return False
            return True

    def kill(self) -> None:
        with self._domain("kill") as domain, _unless_off():
            domain.destroy()

    def shutdown(self, seconds: float) -> None:
        with self._domain("shutdown") as domain, _unless_off():
            domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)
        wait_until(
            lambda: self.state() in (MachineState.OFF, MachineState.ABSENT),
            Deadline.after(seconds),
            f"{self._name} off",
            seen=lambda: self.state().value,
        )

    def pause(self) -> None:
        with self._domain("pause") as domain:
            if self.state() is MachineState.RUNNING:
                domain.suspend()

    def set_link(self, network: str, up: bool) -> None:
        with self._domain("set_link") as domain:
            for flags, xml_flags in _scopes(domain):
                card = self._card(network, xml_flags)
                for old in card.findall("link"):
                    card.remove(old)
                ET.SubElement(card, "link", state="up" if up else "down")
                domain.updateDeviceFlags(ET.tostring(card, encoding="unicode"), flags)

    def link(self, network: str) -> bool:
        link = self._card(network, 0).find("link")
        return link is None or link.get("state") != "down"

    def delay(self, network: str, seconds: float) -> None:
        name = DELAY_NAME.format(network=network)
        # libvirt calls the back end of card `net1` `hostnet1`.
        alias = self._card(network, 0).find("alias")
        card = alias.get("name", "") if alias is not None else ""
        with self._domain("delay") as domain:
            # Deleting what is not there is refused, and no harm.
            _monitor(domain, "object-del", {"id": name})
            if seconds:
                given = {"qom-type": "filter-buffer", "id": name, "netdev": f"host{card}", "queue": "all"}
                answer = _monitor(domain, "object-add", {**given, "interval": round(seconds * 1e6)})
                if "error" in answer:
                    raise LabError(FAILED.format(machine=self._name, verb="delay"), seen=json.dumps(answer["error"]))

    def links(self) -> Mapping[str, bool]:
        found = {}
        for card in self._tree(0).findall("./devices/interface"):
            source, link = card.find("source"), card.find("link")
            if source is not None:
                plugged = link is None or link.get("state") != "down"
                found[source.get("bridge", "").removeprefix("br-")] = plugged
        return found

    def attach_disk(self, image: Path, target: str) -> None:
        xml = DISK_XML.format(image=quoteattr(str(image)), target=quoteattr(target))
        with self._domain("attach_disk") as domain:
            for flags, xml_flags in _scopes(domain):
                if self._disk(target, xml_flags) is None:
                    domain.attachDeviceFlags(xml, flags)

    def detach_disk(self, target: str, seconds: float = 10.0) -> bool:
        with self._domain("detach_disk") as domain:
            disk = self._disk(target, INACTIVE)
            if disk is not None:
                domain.detachDeviceFlags(ET.tostring(disk, encoding="unicode"), CONFIG)
            disk = self._disk(target, 0)
            if disk is None:
                return True
            with contextlib.suppress(libvirt.libvirtError):  # a second request while the first is pending
                domain.detachDeviceFlags(ET.tostring(disk, encoding="unicode"), LIVE)
            try:
                wait_until(lambda: self._disk(target, 0) is None, Deadline.after(seconds), target)
            except LabError:
                return False
            return True

    def disks(self) -> Mapping[str, Path]:
        found = {}
        for disk in self._tree(0).findall("./devices/disk"):
            target, source = disk.find("target"), disk.find("source")
            if target is not None and source is not None and source.get("file"):
                found[target.get("dev", "")] = Path(source.get("file", ""))
        return found

    def description(self, running: bool) -> str:
        with self._domain("describe") as domain:
            return str(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_MIGRATABLE if running else INACTIVE))

    def start_paused(self, description: str) -> None:
        self._prepare_logs()
        with _explained(self._name, "start", self._log):
            self._connection.createXML(description, libvirt.VIR_DOMAIN_START_PAUSED)

    def keep(self, tag: str) -> None:
        with self._domain("keep its state") as domain:
            snapshots.take(domain, self._system_disk(), tag)

    def revert(self, tag: str) -> None:
        with self._domain("take its state back") as domain:
            snapshots.revert(domain, self._system_disk(), tag)

    def forget(self, tag: str) -> None:
        with self._domain("forget a state") as domain:
            snapshots.forget(domain, self._system_disk(), tag)

    def kept(self) -> Mapping[str, Path]:
        disk = self._system_disk()
        return {snapshot.tag: disk for snapshot in qcow2.snapshots(disk)}

    def _system_disk(self) -> Path:
        return self.disks()[SYSTEM_DISK]

    @contextlib.contextmanager
    def _domain(self, verb: str) -> Iterator[Any]:
        with _explained(self._name, verb, self._log):
            yield self._connection.lookupByName(self._name)

    def _tree(self, flags: int) -> ET.Element:
        with self._domain("describe") as domain:
            return ET.fromstring(domain.XMLDesc(flags))

    def _prepare_logs(self) -> None:
        """Make the log files before libvirt does: it takes them for root either way, but leaves them readable.

        Nobody but the caller gets as far as these files: the lab's directory is closed to others.
        """
        serial = self._tree(INACTIVE).find("./devices/serial/log")
        wanted = [Path(serial.get("file", ""))] if serial is not None and serial.get("file") else []
        for log in [*wanted, *([self._log] if self._log else [])]:
            if log.parent.is_dir() and not log.exists():
                log.touch()
                log.chmod(0o644)

    def _card(self, network: str, flags: int) -> ET.Element:
        """The interface element on a network: by its bridge, or by its tap where Vagrant named a libvirt network instead."""
        for card in self._tree(flags).findall("./devices/interface"):
            source, tap = card.find("source"), card.find("target")
            if source is not None and source.get("bridge") == f"br-{network}":
                return card
            if tap is not None and tap.get("dev") == tap_name(self._name, network):
                return card
        raise LabError(NO_CARD.format(machine=self._name, network=network))

    def _disk(self, target: str, flags: int) -> ET.Element | None:
        for disk in self._tree(flags).findall("./devices/disk"):
            place = disk.find("target")
            if place is not None and place.get("dev") == target:
                return disk
        return None

    def _tell_agent(self, message: str, seconds: int) -> str:
        with _explained(self._name, "guest agent"):
            domain = self._connection.lookupByName(self._name)
            try:
                return str(libvirt_qemu.qemuAgentCommand(domain, message, seconds, 0))
            except libvirt.libvirtError as error:
                if error.get_error_code() in AGENT_SILENT:
                    raise AgentSilent(str(error)) from error
                raise


def _monitor(domain: Any, command: str, arguments: dict[str, object]) -> Any:
    """One QMP command past libvirt, and its answer."""
    return json.loads(
        libvirt_qemu.qemuMonitorCommand(domain, json.dumps({"execute": command, "arguments": arguments}), 0)
    )


@contextlib.contextmanager
def _unless_off() -> Iterator[None]:
    """Powering off what is off already is no error."""
    try:
        yield
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID:
            raise


def _scopes(domain: Any) -> Iterator[tuple[int, int]]:
    """(flag to change with, flag to read with): the running guest if it runs, and what its next boot will be."""
    if domain.isActive():
        yield LIVE, 0
    if domain.isPersistent():
        yield CONFIG, INACTIVE


class LibvirtMachines:
    """All domains of one connection. logs: directory of QEMU's own logs, shown in errors."""

    def __init__(self, connection: Any, logs: Path | None = None) -> None:
        self._connection = connection
        self._logs = logs

    def define(self, name: str, xml: str) -> Machine:
        tree = ET.fromstring(xml)
        with _explained(name, "define"):
            with contextlib.suppress(libvirt.libvirtError):
                # libvirt refuses a known name under a new uuid; the one it has stays.
                known = self._connection.lookupByName(name).UUIDString()
                for old in tree.findall("uuid"):
                    tree.remove(old)
                ET.SubElement(tree, "uuid").text = known
            self._connection.defineXML(ET.tostring(tree, encoding="unicode"))
        return self.get(name)

    def get(self, name: str) -> Machine:
        return LibvirtMachine(self._connection, name, self._logs / f"{name}.log" if self._logs else None)

    def states(self) -> Mapping[str, MachineState]:
        with _explained("lab", "list"):
            domains = self._connection.listAllDomains()
        found = {}
        for domain in domains:
            with contextlib.suppress(libvirt.libvirtError):  # gone since it was listed
                found[domain.name()] = STATES.get(domain.state()[0], MachineState.OFF)
        return dict(sorted(found.items()))

    def start_all(self, names: Iterable[str], listener: Listener = silent) -> None:
        self._each(names, "start", lambda machine: machine.start(), listener)

    def kill_all(self, names: Iterable[str] | None = None, listener: Listener = silent) -> None:
        chosen = self.states() if names is None else names
        self._each(chosen, "kill", lambda machine: machine.kill(), listener)

    def undefine(self, name: str) -> None:
        if self.get(name).state() is MachineState.ABSENT:
            return
        self.get(name).kill()
        with _explained(name, "undefine"):
            domain = self._connection.lookupByName(name)
            domain.undefineFlags(
                libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
                | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
                | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
            )

    @property
    def emulator(self) -> int:
        """QEMU's version as libvirt counts it: 7.2.22 is 7002022."""
        with _explained("lab", "version"):
            return int(self._connection.getVersion())

    def close(self) -> None:
        with contextlib.suppress(libvirt.libvirtError):
            self._connection.close()

    def _each(self, names: Iterable[str], step: str, verb: Callable[[Machine], object], listener: Listener) -> None:
        """One verb on many machines, a thread each; all are tried, the first failure is raised at the end."""

        turn = threading.Lock()

        def tell(event: Event) -> None:
            with turn:
                listener(event)

        def one(name: str) -> None:
            begun = time.monotonic()
            tell(Event(name, step, Phase.STARTED))
            try:
                verb(self.get(name))
            except LabError as error:
                tell(Event(name, step, Phase.FAILED, time.monotonic() - begun, error.problem.summary))
                raise
            tell(Event(name, step, Phase.DONE, time.monotonic() - begun))

        chosen = list(names)
        if not chosen:
            return
        with ThreadPoolExecutor(len(chosen)) as pool:
            failures = [future.exception() for future in [pool.submit(one, name) for name in chosen]]
        for failure in failures:
            if failure is not None:
                raise failure

"""One guest as libvirt wants it: a headless `pc` machine with virtio disks and cards in fixed PCI slots.

Slots on bus 0: 0x03 the agent's channel, 0x04 the disk, 0x05 the config.xml disk, 0x06 entropy, 0x07 an installer's stick, 0x10 and up the
cards (the plan's). Fixed, so that a disk more or less never renumbers a guest's cards.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lxml import etree

from lab.topology.plan import Kind, Nic, PlannedMachine

CHANNEL_SLOT = 0x03
DISK_SLOT = 0x04
CONFIG_SLOT = 0x05
ENTROPY_SLOT = 0x06
SATA_SLOT = 0x07

AGENT_CHANNEL = "org.qemu.guest_agent.0"
TRANSLATION_CACHE_MIB = {Kind.FIREWALL: 128, Kind.CLIENT: 64}
"""QEMU's store of translated code. When it is full everything is thrown away and translated again, which freezes the guest for
a good part of a second: with 32 MiB that happened 14 times from the start of a firewall to the end of one failover."""

UUID_SPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "uranus-lab.home.arpa")

Accelerator = Literal["tcg", "kvm"]


@dataclass(frozen=True)
class BootSpec:
    """How one guest is started; the plan says what it is.

    accelerator: `tcg` emulates, `kvm` needs a /dev/kvm that was seen to work.
    memory_mib:  the guest's memory, MiB.
    disk:        its own qcow2 file; None for a guest that lives in its initrd.
    kernel, initrd, cmdline: direct boot; all None: the disk's own boot loader.
    config_disk: raw disk with config.xml on it, or None.
    console_socket, console_log: the serial line, and the file every byte of it is appended to.
    agent_socket: of the guest agent, or None for a guest without one.
    entropy:     give the guest the host's random numbers.
    stick:       qcow2 overlay over an install medium, booted first where there is no kernel. stick_bus: `sata` or `ide`.
    restart:     what a reboot does: start again, or (False) end the guest.
    """

    accelerator: Accelerator
    memory_mib: int
    console_socket: Path
    console_log: Path
    disk: Path | None = None
    config_disk: Path | None = None
    kernel: Path | None = None
    initrd: Path | None = None
    cmdline: str | None = None
    agent_socket: Path | None = None
    cpus: int = 1
    entropy: bool = False
    stick: Path | None = None
    stick_bus: str = "sata"
    restart: bool = True


def domain_xml(machine: PlannedMachine, boot: BootSpec) -> str:
    """The domain's definition. Deterministic, its UUID too, so that defining it again changes nothing."""
    domain = etree.Element("domain", type="kvm" if boot.accelerator == "kvm" else "qemu")
    _text(domain, "name", machine.name)
    _text(domain, "uuid", domain_uuid(machine))
    _text(domain, "title", " ".join(machine.title.split()))
    _text(domain, "memory", boot.memory_mib, unit="MiB")
    _text(domain, "vcpu", boot.cpus)
    domain.append(_os(boot))
    domain.append(_features(machine, boot))
    _cpu(domain, boot)
    etree.SubElement(domain, "clock", offset="utc")
    _text(domain, "on_poweroff", "destroy")
    _text(domain, "on_reboot", "restart" if boot.restart else "destroy")
    _text(domain, "on_crash", "destroy")
    domain.append(_devices(machine, boot))
    etree.indent(domain)
    return f"{etree.tostring(domain, encoding='unicode')}\n"


def domain_uuid(machine: PlannedMachine) -> str:
    """From the machine's name and its first card, where it has one."""
    return str(uuid.uuid5(UUID_SPACE, f"{machine.name} {machine.nics[0].mac if machine.nics else ''}"))


def _os(boot: BootSpec) -> etree._Element:
    os = etree.Element("os")
    _text(os, "type", "hvm", arch="x86_64", machine="pc")
    if boot.kernel is None:
        if boot.stick is None:
            etree.SubElement(os, "boot", dev="hd")
        return os
    _text(os, "kernel", boot.kernel)
    if boot.initrd is not None:
        _text(os, "initrd", boot.initrd)
    if boot.cmdline:
        _text(os, "cmdline", boot.cmdline)
    return os


def _features(machine: PlannedMachine, boot: BootSpec) -> etree._Element:
    features = etree.Element("features")
    etree.SubElement(features, "acpi")
    etree.SubElement(features, "apic")
    if boot.accelerator == "tcg":
        tcg = etree.SubElement(features, "tcg")
        _text(tcg, "tb-cache", TRANSLATION_CACHE_MIB[machine.kind], unit="MiB")
    return features


def _cpu(domain: etree._Element, boot: BootSpec) -> None:
    if boot.accelerator == "kvm":
        etree.SubElement(domain, "cpu", mode="host-passthrough", check="none", migratable="on")
    else:
        etree.SubElement(domain, "cpu", mode="maximum", check="none", migratable="on")


def _devices(machine: PlannedMachine, boot: BootSpec) -> etree._Element:
    devices = etree.Element("devices")
    if boot.disk is not None:
        devices.append(_disk(boot.disk, "qcow2", "vda", "system", DISK_SLOT))
    if boot.stick is not None:
        _stick(devices, boot.stick, boot.stick_bus, first=boot.kernel is None)
    if boot.config_disk is not None:
        devices.append(_disk(boot.config_disk, "raw", "vdb", "config", CONFIG_SLOT))
    etree.SubElement(devices, "controller", type="usb", model="none")
    for nic in machine.nics:
        devices.append(_interface(nic))
    devices.append(_console(boot))
    if boot.agent_socket is not None:
        controller = etree.SubElement(devices, "controller", type="virtio-serial", index="0")
        controller.append(_address(CHANNEL_SLOT))
        devices.append(_channel(boot.agent_socket))
    if boot.entropy:
        entropy = etree.SubElement(devices, "rng", model="virtio")
        _text(entropy, "backend", "/dev/urandom", model="random")
        entropy.append(_address(ENTROPY_SLOT))
    etree.SubElement(devices, "memballoon", model="none")
    return devices


def _disk(path: Path, form: str, target: str, serial: str, slot: int) -> etree._Element:
    """cache=unsafe: a guest's flush need not reach the platter, the host's memory outlives the guest."""
    disk = etree.Element("disk", type="file", device="disk")
    etree.SubElement(disk, "driver", name="qemu", type=form, cache="unsafe", discard="unmap")
    etree.SubElement(disk, "source", file=str(path))
    etree.SubElement(disk, "target", dev=target, bus="virtio")
    _text(disk, "serial", serial)
    disk.append(_address(slot))
    return disk


def _stick(devices: etree._Element, path: Path, bus: str, first: bool) -> None:
    """SATA: over USB 3 the stick throws read errors in FreeBSD (seen with 2.7.2 by others). IDE is the machine's own."""
    if bus == "sata":
        controller = etree.SubElement(devices, "controller", type="sata", index="0")
        controller.append(_address(SATA_SLOT))
    disk = etree.SubElement(devices, "disk", type="file", device="disk")
    etree.SubElement(disk, "driver", name="qemu", type="qcow2", cache="unsafe")
    etree.SubElement(disk, "source", file=str(path))
    etree.SubElement(disk, "target", dev="sda" if bus == "sata" else "hda", bus=bus)
    if first:
        etree.SubElement(disk, "boot", order="1")
    _text(disk, "serial", "stick")
    etree.SubElement(disk, "address", type="drive", controller="0", bus="0", target="0", unit="0")


def _interface(nic: Nic) -> etree._Element:
    """driver qemu: the same path for frames on every host, with /dev/vhost-net or without."""
    interface = etree.Element("interface", type="bridge")
    etree.SubElement(interface, "mac", address=nic.mac)
    etree.SubElement(interface, "source", bridge=nic.bridge)
    etree.SubElement(interface, "target", dev=nic.tap)
    etree.SubElement(interface, "model", type="virtio")
    etree.SubElement(interface, "driver", name="qemu")
    interface.append(_address(nic.slot))
    return interface


def _console(boot: BootSpec) -> etree._Element:
    serial = etree.Element("serial", type="unix")
    etree.SubElement(serial, "source", mode="bind", path=str(boot.console_socket))
    etree.SubElement(serial, "log", file=str(boot.console_log), append="on")
    target = etree.SubElement(serial, "target", type="isa-serial", port="0")
    etree.SubElement(target, "model", name="isa-serial")
    return serial


def _channel(path: Path) -> etree._Element:
    channel = etree.Element("channel", type="unix")
    etree.SubElement(channel, "source", mode="bind", path=str(path))
    etree.SubElement(channel, "target", type="virtio", name=AGENT_CHANNEL)
    etree.SubElement(channel, "address", type="virtio-serial", controller="0", bus="0", port="1")
    return channel


def _address(slot: int) -> etree._Element:
    return etree.Element("address", type="pci", domain="0x0000", bus="0x00", slot=f"0x{slot:02x}", function="0x0")


def _text(parent: etree._Element, tag: str, text: object, **attributes: str) -> None:
    etree.SubElement(parent, tag, attributes).text = str(text)

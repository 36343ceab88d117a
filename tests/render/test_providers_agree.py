"""One plan, two providers: the domain XML and the Vagrantfile describe the same machines, the card of `vagrant ssh` apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path

import pytest
from lxml import etree

from lab.host.fatdisk import SECTOR, SECTORS, START
from lab.render.cmdline import client_parameters
from lab.render.domain_xml import BootSpec, domain_xml
from lab.render.vagrantfile import CONFIG_DISK_SIZE, MANAGEMENT_CARD, Box, vagrantfile
from lab.topology.plan import Kind, Plan, PlannedMachine
from tests.golden_files import assert_golden
from tests.render.plans import TOPOLOGIES, plan

TEMPLATE = (TOPOLOGIES.parent / "Vagrantfile.j2").read_text()
COMMON = "console=ttyS0 quiet"
FIREWALL, CLIENT = Box("uranus/standin", 192, "0.1", COMMON), Box("uranus/client", 128, "0.2", COMMON)


@dataclass(frozen=True)
class Described:
    """One machine as a provider describes it. cards: MAC, slot, tap. disks: target. cmdline: kernel parameters."""

    name: str
    title: str
    memory_mib: int
    cpus: int
    cards: tuple[tuple[str, str, str], ...]
    disks: tuple[str, ...]
    cmdline: str

    def __str__(self) -> str:
        cards = "".join(f"\n  card {mac} slot {slot} tap {tap}" for mac, slot, tap in self.cards)
        head = f"{self.name} ({self.title}): {self.memory_mib} MiB, {self.cpus} cpu, disks {' '.join(self.disks)}"
        return f"{head}{cards}\n  {self.cmdline}\n"


def boot(machine: PlannedMachine, lab: Plan) -> BootSpec:
    firewall = machine.kind is Kind.FIREWALL
    return BootSpec(
        accelerator="tcg",
        memory_mib=(FIREWALL if firewall else CLIENT).memory_mib,
        console_socket=Path("/s"),
        console_log=Path("/l"),
        disk=Path("/d"),
        config_disk=Path("/c") if firewall else None,
        kernel=Path("/k"),
        initrd=Path("/i"),
        cmdline=" ".join(filter(None, (COMMON, client_parameters(lab, machine)))),
        agent_socket=None if firewall else Path("/a"),
    )


def by_libvirt(lab: Plan) -> list[Described]:
    found = []
    for machine in lab.machines:
        tree = etree.fromstring(domain_xml(machine, boot(machine, lab)))
        cards = tuple(
            (
                card.find("mac").get("address"),
                card.find("address").get("slot"),
                card.find("target").get("dev"),
            )
            for card in tree.findall("devices/interface")
        )
        disks = tuple(target.get("dev") for target in tree.findall("devices/disk/target"))
        found.append(
            Described(
                tree.findtext("name"), tree.findtext("title"), int(tree.findtext("memory")), int(tree.findtext("vcpu")),
                cards, disks, tree.findtext("os/cmdline"),
            )
        )  # fmt: skip
    return found


def by_vagrant(lab: Plan) -> list[Described]:
    text = vagrantfile(lab, TEMPLATE, FIREWALL, CLIENT, "tcg")
    (cpus,) = re.findall(r"libvirt\.cpus = (\d+)", text)
    (common,) = set(re.findall(r'_KERNEL = "(.*)"', text))
    found = []
    sections = re.split(r'config\.vm\.define "([\w-]+)" do', text)[1:]
    for name, section in zip(sections[::2], sections[1::2], strict=True):
        cmdline = re.search(r'libvirt\.cmd_line = "(.*)"', section)
        own = re.sub(r"#\{\w+_KERNEL\}", common, cmdline[1]) if cmdline else common
        cards = re.findall(r'plug node, "\w+", mac: "([0-9a-f:]+)", slot: "(0x[0-9a-f]+)", tap: "([\w-]+)"', section)
        found.append(
            Described(
                name,
                re.findall(r'libvirt\.title = "(.*)"', section)[0],
                int(re.findall(r"libvirt\.memory = (\d+)", section)[0]),
                int(cpus),
                tuple(cards),
                ("vda", *re.findall(r'storage :file, device: "(\w+)"', section)),
                own.removesuffix(f" uranus.ssh={MANAGEMENT_CARD}"),
            )
        )
    return found


@pytest.mark.parametrize("name", ["uranus", "uranus-recommended"])
def test_both_providers_describe_the_same_machines(name: str) -> None:
    lab = plan(name)
    assert by_vagrant(lab) == by_libvirt(lab)
    assert_golden(f"vagrant/machines-{name}.txt", "".join(map(str, by_vagrant(lab))))


def test_addresses_are_the_plans() -> None:
    lab = plan("uranus")
    said = {one.name: re.search(r"uranus\.addr=(\S+)", one.cmdline) for one in by_vagrant(lab)}
    assert {name: IPv4Interface(found[1]) for name, found in said.items() if found} == {
        machine.name: machine.nics[0].address for machine in lab.clients
    }


def test_the_config_disk_has_the_size_it_is_made_with() -> None:
    assert f"{(START + SECTORS) * SECTOR >> 20}M" == CONFIG_DISK_SIZE

"""Domain XML: golden files, libvirt's own schema, slots."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from lab.render.cmdline import client_parameters
from lab.render.domain_xml import Accelerator, BootSpec, domain_uuid, domain_xml
from lab.topology.plan import PlannedMachine
from tests.golden_files import assert_golden
from tests.render.plans import plan

SCHEMA = Path("/usr/share/libvirt/schemas/domain.rng")
LAB = Path("/var/lab")
MACHINES = [machine.name for machine in plan("uranus").machines]


def boot(machine: PlannedMachine, accelerator: Accelerator = "tcg") -> BootSpec:
    common = BootSpec(
        accelerator=accelerator,
        memory_mib=192,
        console_socket=LAB / "console" / f"{machine.name}.sock",
        console_log=LAB / "console" / f"{machine.name}.log",
        kernel=LAB / "vmlinuz",
        initrd=LAB / "initrd",
        cmdline=" ".join(filter(None, ("console=ttyS0 quiet", client_parameters(plan("uranus"), machine)))),
    )
    if machine.kind == "firewall":
        return replace(common, disk=LAB / f"{machine.name}.qcow2", config_disk=LAB / f"{machine.name}.img")
    return replace(common, agent_socket=LAB / "console" / f"{machine.name}.agent")


def rendered(name: str, **changes: object) -> str:
    machine = plan("uranus").machine(name)
    return domain_xml(machine, replace(boot(machine), **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", MACHINES)
def test_golden(name: str) -> None:
    assert_golden(f"domain/{name}.xml", rendered(name))


def test_golden_kvm_from_its_own_disk() -> None:
    nothing = {"kernel": None, "initrd": None, "cmdline": None}
    assert_golden("domain/master-kvm-disk.xml", rendered("master", accelerator="kvm", **nothing, entropy=True))


@pytest.mark.skipif(not SCHEMA.exists(), reason="libvirt's schemas are not installed")
def test_libvirt_schema_takes_every_machine() -> None:
    schema = etree.RelaxNG(etree.parse(SCHEMA))
    for name in MACHINES:
        for changes in (
            {},
            {"accelerator": "kvm"},
            {"kernel": None, "entropy": True},
            {"disk": None, "config_disk": None},
            {"stick": LAB / "stick.qcow2", "stick_bus": "ide"},
            {"stick": LAB / "stick.qcow2", "kernel": None, "restart": False},
        ):
            schema.assertValid(etree.fromstring(rendered(name, **changes)))
    assert not schema.validate(etree.fromstring(rendered("client").replace("tb-cache", "tbcache")))


@pytest.mark.parametrize("name", MACHINES)
def test_no_two_devices_share_a_pci_slot(name: str) -> None:
    root = etree.fromstring(rendered(name, entropy=True))
    slots = Counter(address.get("slot") for address in root.iterfind(".//address[@type='pci']"))
    assert max(slots.values()) == 1
    assert min(int(str(slot), 16) for slot in slots) > 2  # 0 host bridge, 1 PIIX, 2 kept for a screen


def test_cards_keep_their_order_and_slots_whatever_else_is_plugged() -> None:
    def cards(text: str) -> list[tuple[str | None, str | None]]:
        found = etree.fromstring(text).iterfind("devices/interface")
        return [(card.find("mac").get("address"), card.find("address").get("slot")) for card in found]  # type: ignore[union-attr]

    assert cards(rendered("master")) == cards(rendered("master", config_disk=None, disk=None, entropy=True))
    assert [slot for _, slot in cards(rendered("master"))] == ["0x10", "0x11", "0x12", "0x13", "0x14"]


def test_defining_again_is_the_same_machine_and_machines_differ() -> None:
    uuids = {domain_uuid(machine) for machine in plan("uranus").machines}
    assert len(uuids) == len(MACHINES)
    assert domain_uuid(plan("uranus").machine("master")) == domain_uuid(plan("uranus-recommended").machine("master"))


def test_the_console_log_is_appended_to() -> None:
    log = etree.fromstring(rendered("client")).find("devices/serial/log")
    assert log is not None
    assert log.get("append") == "on"


def test_client_parameters() -> None:
    uranus = plan("uranus")
    found = {machine.name: client_parameters(uranus, machine) for machine in uranus.machines}
    assert found == {
        "master": "",
        "backup": "",
        "client": "uranus.name=client uranus.role=client uranus.addr=172.17.1.10/24 uranus.gw=172.17.1.252",
        "server": "uranus.name=server uranus.role=server uranus.addr=172.17.2.10/24 uranus.gw=172.17.2.252",
        "web": "uranus.name=web uranus.role=web uranus.addr=172.17.3.10/24 uranus.gw=172.17.3.252",
        "internet": "uranus.name=internet uranus.role=internet uranus.addr=192.168.1.1/24 uranus.public=203.0.113.10 "
        "uranus.dhcp=52:54:00:17:00:00,192.168.1.168;52:54:00:17:01:00,192.168.1.169",
    }


def test_no_reservations_where_the_wan_is_static() -> None:
    recommended = plan("uranus-recommended")
    assert "dhcp" not in client_parameters(recommended, recommended.machine("internet"))


def test_a_stick_is_a_sata_disk_and_an_ide_one_where_its_kernel_knows_no_sata() -> None:
    def stick(**changes: object) -> tuple[str | None, str | None, bool]:
        root = etree.fromstring(rendered("master", stick=LAB / "stick.qcow2", **changes))
        (disk,) = root.xpath(".//disk[serial='stick']")
        target = disk.find("target")
        return target.get("bus"), target.get("dev"), root.find(".//controller[@type='sata']") is not None

    assert stick() == ("sata", "sda", True)
    assert stick(stick_bus="ide") == ("ide", "hda", False)

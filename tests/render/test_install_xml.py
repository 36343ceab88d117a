"""The installer's guest: the stick over SATA and first, the empty disk on virtio, no cards, and a reboot that ends it."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from lab.render.domain_xml import BootSpec, domain_xml
from lab.topology.plan import Kind, PlannedMachine
from tests.golden_files import assert_golden

SCHEMA = Path("/usr/share/libvirt/schemas/domain.rng")
MACHINE = PlannedMachine("installer", Kind.FIREWALL, "firewall", "installer", "pfsense installer", (), None)


def test_the_installers_guest() -> None:
    folder = Path("/lab")
    boot = BootSpec(
        accelerator="tcg",
        memory_mib=1024,
        console_socket=folder / "console.sock",
        console_log=folder / "console.log",
        disk=folder / "disk.qcow2",
        stick=folder / "stick.qcow2",
        restart=False,
    )
    text = domain_xml(MACHINE, boot)
    assert_golden("domain/installer.xml", text)
    if SCHEMA.exists():
        schema = etree.RelaxNG(etree.parse(str(SCHEMA)))
        assert schema.validate(etree.fromstring(text)), schema.error_log

"""Vagrant up to the power button: a real vagrant-libvirt makes the machines of a lab whose bridges are missing, so that none starts.

What it made is compared with our own provider's domains; then everything goes again.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libvirt
import pytest
from lxml import etree

from lab.commands.boot import boot_spec
from lab.commands.record import VAGRANT, Record
from lab.commands.vagrant_boot import VagrantBooter
from lab.errors import LabError
from lab.events import silent
from lab.host.boxes import box_of, boxes_home, pack, register
from lab.host.fatdisk import read_config_disk
from lab.host.images import GuestImage
from lab.host.libvirtd import PrivateLibvirt
from lab.host.passwords import passwords_of
from lab.host.preflight import VAGRANT_PARTS, installed
from lab.host.world import World
from lab.machines.libvirt_machines import LibvirtMachines
from lab.machines.machine import MachineState
from lab.machines.vagrant_folder import VagrantFolder
from lab.paths import LabPaths
from lab.render.domain_xml import domain_xml
from lab.render.vagrantfile import MANAGEMENT_SLOT
from lab.topology.plan import Kind, Plan
from lab.topology.stage import Stage
from tests.render.plans import plan, topology

pytestmark = [
    pytest.mark.wire,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not all(installed(part.what) for part in VAGRANT_PARTS),
        reason="Vagrant is not installed: `./inv test` installs it",
    ),
]


@dataclass(frozen=True)
class Made:
    """A lab whose machines Vagrant has made. images: no real ones, for nothing boots them."""

    booter: VagrantBooter
    images: dict[str, GuestImage]
    connection: libvirt.virConnect

    @property
    def folder(self) -> VagrantFolder:
        return VagrantFolder(self.booter.paths)

    @property
    def plan(self) -> Plan:
        return self.booter.plan

    def volumes(self) -> set[str]:
        return {volume.name() for volume in self.connection.storagePoolLookupByName("default").listAllVolumes()}

    def networks(self) -> set[str]:
        return {network.name() for network in self.connection.listAllNetworks()}

    def vagrant(self, *words: str) -> str:
        """The script in the folder, as the user calls it."""
        done = subprocess.run(
            ["./vagrant", *words], cwd=self.folder.root, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def image(name: str, digit: str, memory_mib: int, place: Path) -> GuestImage:
    """Nothing in it: a box is checked, copied and plugged in all the same."""
    for file in ("kernel", "initrd"):
        (place / f"{name}.{file}").write_bytes(b"none")
    disk = place / f"{name}.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(disk), "1M"], check=True)
    return GuestImage(name, digit * 64, disk, place / f"{name}.kernel", place / f"{name}.initrd", "quiet", memory_mib)


@pytest.fixture(scope="module")
def made(state_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    place = tmp_path_factory.mktemp("images")
    paths = LabPaths(state_home / "vdry")
    world, daemon = World(paths), PrivateLibvirt(paths)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("URANUS_CACHE", str(place / "cache"))
        images = {"standin": image("standin", "1", 192, place), "client": image("client", "2", 128, place)}
        world.create([])
        try:
            daemon.start(kvm=False)
            model = topology("uranus")
            record = Record(
                "vdry", model.model_dump_json(by_alias=True), "standin", VAGRANT, Stage.RULES, "tcg", 1.0, {}, ""
            )
            machines = LibvirtMachines(daemon.connect())
            secrets = passwords_of(paths.secrets, model)
            booter = VagrantBooter(paths, record, plan("uranus"), machines, images, secrets, silent)
            for one in images.values():
                register(box_of(one), pack(box_of(one), boxes_home()))
            booter.write_folder()
            with pytest.raises(LabError) as caught:
                VagrantFolder(paths).run("up", "--no-destroy-on-error", seconds=300)
            # Every machine failed for the missing bridge, and for nothing before it.
            seen = caught.value.problem.seen
            assert seen.count("br-") == len(booter.plan.machines), seen
            yield Made(booter, images, daemon.connect())
        finally:
            world.destroy()


def devices(xml: str) -> dict[str, object]:
    """What both providers have to agree on; the card of `vagrant ssh` apart."""
    tree = etree.fromstring(xml)

    def slot(device: etree._Element) -> str:
        return device.find("address").get("slot")

    cards = [
        (card.find("mac").get("address"), card.find("target").get("dev"), card.find("model").get("type"), slot(card))
        for card in tree.iterfind(".//interface")
        if int(slot(card), 16) != MANAGEMENT_SLOT
    ]
    return {
        "name": tree.findtext("name"),
        "title": tree.findtext("title"),
        "type": tree.get("type"),
        "machine": tree.find("os/type").get("machine").split("-")[0],
        "memory": int(tree.findtext("memory")) >> (10 if tree.find("memory").get("unit") == "KiB" else 0),
        "cpus": tree.findtext("vcpu"),
        "cpu": tree.find("cpu").get("mode"),
        "features": sorted(feature.tag for feature in tree.find("features") if feature.tag != "tcg"),
        "cmdline": tree.findtext("os/cmdline").removesuffix(" uranus.ssh=eth1"),
        "disks": {disk.find("target").get("dev"): (disk.find("target").get("bus"), slot(disk)) for disk in tree.iterfind(".//disk")},
        "cards": sorted(cards),
    }  # fmt: skip


def test_they_are_the_machines_of_our_own_provider(made: Made) -> None:
    for machine in made.plan.machines:
        firewall = machine.kind is Kind.FIREWALL
        chosen = made.images["standin" if firewall else "client"]
        boot = boot_spec(made.booter.paths, made.plan, machine, chosen, "tcg", with_config=firewall)
        seen = made.connection.lookupByName(machine.name).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        assert devices(seen) == devices(domain_xml(machine, boot))
        slots = [address.get("slot") for address in etree.fromstring(seen).iterfind(".//interface/address")]
        assert slots.count(f"0x{MANAGEMENT_SLOT:02x}") == (0 if firewall else 1)


def test_each_firewall_has_its_own_configuration_on_the_second_disk(made: Made) -> None:
    for node in made.plan.firewalls:
        volume = made.booter.paths.libvirt / "lib" / "images" / f"{node.name}-vdb.raw"
        assert read_config_disk(volume) == (made.folder.root / "config" / f"{node.name}.xml").read_bytes()


def test_a_cable_is_found_by_its_network(made: Made) -> None:
    machine = made.booter.machines.get("master")
    assert machine.state() is MachineState.OFF
    machine.set_link("dmz", False)
    assert not machine.link("dmz")
    assert machine.link("lan")
    machine.set_link("dmz", True)


def test_vagrants_own_commands_and_no_orphan_after_destroy(made: Made) -> None:
    assert made.folder.states() == dict.fromkeys((machine.name for machine in made.plan.machines), "poweroff")
    before = made.networks()
    assert "uranus-vagrant" in before
    made.vagrant("destroy", "-f")
    assert made.connection.listAllDomains() == []
    # The lab's own networks stand as its bridges do; the configuration disks and the boxes wait for the next `up`.
    assert made.networks() == before - {"uranus-vagrant"}
    assert not [name for name in made.volumes() if not name.endswith(("-vdb.raw", "_box.img"))]
    assert "not created" in made.vagrant("status")

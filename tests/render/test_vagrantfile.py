"""Vagrantfile: golden file, and agreement with the domain XML: both come from one plan."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lab.host.boxes import settings
from lab.render.vagrantfile import MANAGEMENT_SLOT, Box, ruby_text, vagrantfile
from tests.golden_files import assert_golden
from tests.render.plans import TOPOLOGIES, plan

TEMPLATE = (TOPOLOGIES.parent / "Vagrantfile.j2").read_text()
FIREWALL = Box("uranus/standin", 192, "0.1", "console=ttyS0 quiet")
CLIENT = Box("uranus/client", 160, "0.2", "console=ttyS0 quiet")
PLUG = re.compile(r'plug node, "(\w+)", mac: "([0-9a-f:]+)", slot: "(0x[0-9a-f]+)", tap: "([\w-]+)"')


def rendered(name: str = "uranus") -> str:
    return vagrantfile(plan(name), TEMPLATE, FIREWALL, CLIENT, "tcg")


def test_golden() -> None:
    assert_golden("vagrant/Vagrantfile", rendered())
    own_loader = vagrantfile(plan("uranus-recommended"), TEMPLATE, Box("mine/pfsense", 1024), CLIENT, "kvm")
    assert_golden("vagrant/Vagrantfile.kvm", own_loader)


@pytest.mark.parametrize("name", ["uranus", "uranus-recommended"])
def test_cards_are_the_plans(name: str) -> None:
    sections = re.split(r'config\.vm\.define "([\w-]+)" do', rendered(name))[1:]
    found = {machine: PLUG.findall(text) for machine, text in zip(sections[::2], sections[1::2], strict=True)}
    assert found == {
        machine.name: [(nic.network, nic.mac, f"0x{nic.slot:02x}", nic.tap) for nic in machine.nics]
        for machine in plan(name).machines
    }


def test_firewalls_have_no_management_card_and_clients_have_it_last() -> None:
    text = rendered()
    assert text.count("mgmt_attach = false") == 2
    assert text.count(f'management_network_pci_slot = "0x{MANAGEMENT_SLOT:02x}"') == 1
    assert text.count("uranus.ssh=eth1") == 4
    assert max(nic.slot for machine in plan("uranus").machines for nic in machine.nics) < MANAGEMENT_SLOT


def test_text_cannot_leave_its_quotes() -> None:
    assert ruby_text('a"b#{exit}\\') == '"a\\"b\\#{exit}\\\\"'


@pytest.mark.skipif(shutil.which("ruby") is None, reason="ruby is not installed")
def test_ruby_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "Vagrantfile"
    path.write_text(rendered())
    subprocess.run(["ruby", "-c", str(path)], check=True, capture_output=True)


@pytest.mark.skipif(shutil.which("vagrant") is None, reason="Vagrant is not installed")
def test_vagrant_validates_it(tmp_path: Path) -> None:
    (tmp_path / "Vagrantfile").write_text(rendered())
    done = subprocess.run(
        ["vagrant", "validate"], cwd=tmp_path, env={**os.environ, **settings(tmp_path / "home")}, text=True,
        stdin=subprocess.DEVNULL, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr

"""What `lab.up` refuses of a provider, before it makes anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.commands.up import Request, bring_up
from lab.errors import LabError, Problem
from lab.events import silent
from lab.host import preflight
from lab.paths import LabPaths
from tests.render.plans import topology


def refusal(tmp_path: Path, provider: str, firewall: str = "standin") -> Problem:
    paths = LabPaths(tmp_path / "states" / "one")
    with pytest.raises(LabError) as caught:
        bring_up(Request("uranus", firewall, None, provider, "rules"), topology("uranus"), paths, silent)
    assert not paths.root.exists()
    return caught.value.problem


def test_an_unknown_provider_names_the_known_ones(tmp_path: Path) -> None:
    assert refusal(tmp_path, "docker").expected == "libvirt or vagrant"


def test_there_is_no_box_of_a_real_pfsense(tmp_path: Path) -> None:
    assert refusal(tmp_path, "vagrant", "pfsense").summary == "There is no Vagrant box of pfsense"


def test_without_vagrant_one_command_installs_all_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "installed", lambda what: "vagrant" not in what)
    assert "apt-get install vagrant vagrant-libvirt" in refusal(tmp_path, "vagrant").cure

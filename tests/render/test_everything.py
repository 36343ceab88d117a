"""Everything at once: complete, deterministic, and for any topology that loads."""

from __future__ import annotations

from pathlib import Path

import bcrypt

from lab.render.domain_xml import BootSpec
from lab.render.everything import SAMPLE_SECRETS, Rendering, render_everything
from lab.topology.plan import Plan
from lab.topology.stage import Stage
from tests.render.plans import REVISION_TIME, plan
from tests.render.test_vagrantfile import CLIENT, FIREWALL, TEMPLATE


def rendering(which: Plan) -> Rendering:
    boots = {
        machine.name: BootSpec("tcg", 192, Path(f"/lab/{machine.name}.sock"), Path(f"/lab/{machine.name}.log"))
        for machine in which.machines
    }
    return Rendering(Stage.RULES, SAMPLE_SECRETS, REVISION_TIME, boots, TEMPLATE, FIREWALL, CLIENT)


def test_all_files_are_there_and_the_same_each_time() -> None:
    uranus = plan("uranus")
    found = render_everything(uranus, rendering(uranus))
    machines = [f"domains/{machine.name}.xml" for machine in uranus.machines]
    configs = ["config/master.xml", "config/backup.xml"]
    assert sorted(found) == sorted([*machines, *configs, "Vagrantfile", "diagram.txt", "diagram.svg", "addresses.md"])
    assert all(text.endswith("\n") for text in found.values())
    assert found == render_everything(uranus, rendering(uranus))


def test_the_sample_hash_is_that_of_the_sample_password() -> None:
    assert bcrypt.checkpw(SAMPLE_SECRETS.admin.encode(), SAMPLE_SECRETS.admin_bcrypt.encode())

"""The whole path of a real pfSense, taken by the stand-in, unattended: medium, installer, golden disk, first boot, menu, push, sync."""

from __future__ import annotations

import re

import pytest

from tests.lab.conftest import inv

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(1800)]

RUNS = 3


def test_from_the_medium_to_a_synchronised_pair_three_times_in_a_row() -> None:
    built = inv("image.build", "--firewall", "standin", "--from-installer", "--force", "--repeat", str(RUNS))
    assert built.code == 0, built.err[-6000:]
    rows = re.findall(r"install +([\d.]+) s   first boot +([\d.]+) s   push +([\d.]+) s   sync +([\d.]+) s", built.out)
    assert len(rows) == RUNS, built.out
    # Each run began at the medium: none took the installed disk of the one before.
    assert all(float(install) > 0 for install, *_ in rows)
    print(built.out)
    labs = inv("lab.list", "--json")
    assert not [lab for lab in labs.json.get("labs", []) if lab["name"].startswith("installed")]

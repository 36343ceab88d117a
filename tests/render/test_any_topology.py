"""config.xml of any valid topology: takes the checker, is pfSense's own layout; ten of them are kept as golden files."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from lab.config.check import check
from lab.config.tree import parse
from lab.config.write import fresh
from lab.render.config_xml import config_xml
from lab.topology.checks import check as check_topology
from lab.topology.model import Topology
from lab.topology.plan import make_plan
from lab.topology.stage import Stage
from tests.golden_files import GOLDEN, assert_golden
from tests.render.plans import REVISION_TIME, SECRETS
from tests.render.valid_topologies import valid_topologies

KEPT = 10
FOLDER = GOLDEN / "generated"
"""Topologies that hypothesis drew once. Remove the folder and run with URANUS_GOLDEN=write to draw others."""


def rendered(topology: Topology) -> dict[str, str]:
    """`stage-NODE` -> file, nodes as first and second."""
    plan = make_plan(topology)
    return {
        f"{stage.value}-{word}": config_xml(plan, node, stage, SECRETS, revision_time=REVISION_TIME)
        for stage in Stage
        for word, node in zip(("first", "second"), topology.firewalls, strict=True)
    }


@given(valid_topologies())
# No shrinking: a whole topology takes minutes to become small, and any that fails tells enough.
@settings(
    max_examples=10,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_stage_of_both_nodes_passes_the_checker(topology: Topology) -> None:
    for name, text in rendered(topology).items():
        assert [str(defect) for defect in check(text.encode())] == [], name
        assert fresh(parse(text.encode()).root) == text


def draw_again() -> None:
    """Ten topologies as JSON."""
    found: list[Topology] = []

    @given(valid_topologies())
    @settings(max_examples=200, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def draw(topology: Topology) -> None:
        found.append(topology)

    draw()
    FOLDER.mkdir(parents=True)
    wanted = [each for each in found if each.carp.vips and each.rules]
    for number, topology in enumerate(wanted[:: len(wanted) // KEPT][:KEPT], 1):
        path = FOLDER / f"{number:02}" / "topology.json"
        path.parent.mkdir()
        path.write_text(topology.model_dump_json(indent=1, by_alias=True, exclude_defaults=True) + "\n")


@pytest.mark.parametrize("number", range(1, KEPT + 1))
def test_golden(number: int) -> None:
    import os

    if not FOLDER.exists() and os.environ.get("URANUS_GOLDEN") == "write":
        draw_again()
    name = f"generated/{number:02}"
    topology = Topology.model_validate(json.loads((GOLDEN / name / "topology.json").read_text()))
    assert not list(check_topology(topology))
    files = rendered(topology)
    for stage in (Stage.BARE, Stage.RULES):
        for word in ("first", "second"):
            assert_golden(f"{name}/{stage.value}-{word}.xml", files[f"{stage.value}-{word}"])

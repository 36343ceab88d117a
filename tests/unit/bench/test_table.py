"""What the benches' results become, and the topologies that one of them grows."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from bench.growth import topology
from bench.table import page, plot
from lab.topology.lint import refusals
from lab.topology.load import parse_topology

RESULT = {
    "bench": "resets",
    "taken": "2026-11-22",
    "machine": "2 cores",
    "settings": {"resets": 3},
    "spreads": [
        {"what": "lab.reset: proved", "unit": "s", "values": [3.0, 2.0, 4.0]},
        {"what": "a & b", "unit": "ratio", "values": [0.2]},
        {"what": "memory", "unit": "MiB", "values": [1400.0]},
    ],
}


def test_every_measurement_has_its_line() -> None:
    text = page([RESULT])
    assert "| lab.reset: proved | s | 3 | 2.00 | 3.00 | 4.00 |" in text
    assert "| memory | MiB | 1 | 1400.00 | 1400.00 | 1400.00 |" in text


def test_the_plot_is_svg_with_a_point_per_time_and_ratio() -> None:
    tree = ET.fromstring(plot([RESULT]))
    assert len(tree.findall(".//{*}circle")) == 2
    assert len(tree.findall(".//{*}line[@class='goal']")) == 1


@pytest.mark.parametrize("count", [2, 4, 8, 12])
def test_a_grown_topology_is_one_that_lab_up_takes(count: int) -> None:
    grown = parse_topology(topology(count), "grown.yaml")
    assert len(grown.machines) == count
    assert not refusals(grown)

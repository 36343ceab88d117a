"""Plans of the shipped topologies, and secrets that never change."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from lab.topology.load import load_topology
from lab.topology.model import Topology
from lab.topology.plan import Plan, make_plan
from lab.topology.secrets import Secrets

TOPOLOGIES = Path(__file__).resolve().parents[2] / "topologies"
SECRETS = Secrets(
    admin="Admin-pass.1",
    admin_bcrypt="$2b$04$J1q0nEOIYHvsVyRIaKjMCewmrEKvt7/eCWbR7ejHW0gjprE4RPQWe",
    carp="carp-pass-of-19-chr",
)
REVISION_TIME = 1_700_000_000


@cache
def topology(name: str) -> Topology:
    return load_topology(name, TOPOLOGIES)


@cache
def plan(name: str) -> Plan:
    return make_plan(topology(name))

"""The CARP daemon between namespaces: election, take-over, the whole group moves, control."""

from __future__ import annotations

import pytest

from tests.wire.firewalls import Pair
from tests.wire.namespaces import until

pytestmark = pytest.mark.wire

ALL_MASTER, ALL_BACKUP = ["MASTER", "MASTER"], ["BACKUP", "BACKUP"]


def test_cable_of_one_interface_moves_every_vhid_and_returns(pair: Pair) -> None:
    pair.network.unplug(pair.a.node, "srv")
    until(lambda: pair.b.states() == ALL_MASTER)
    assert pair.a.states() == ["BACKUP", "INIT"]
    assert pair.a.status()["demotion"] == 240
    pair.network.plug(pair.a.node, "srv")
    until(lambda: pair.a.states() == ALL_MASTER and pair.b.states() == ALL_BACKUP)
    assert pair.a.status()["demotion"] == 0

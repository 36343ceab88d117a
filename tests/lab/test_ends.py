"""Every way a lab may end, or fail to begin, leaves nothing behind."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest

from tests.lab.conftest import inv, start

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]


@pytest.mark.parametrize("moment", [0.4, 2.5, 9.0])
def test_killed_in_the_middle_then_down_leaves_nothing(state_home: Path, moment: float) -> None:
    up = start("lab.up", "--name", "torn")
    time.sleep(moment + random.random())
    up.send_signal(signal.SIGKILL)
    up.communicate()
    down = inv("lab.down", "--all")
    assert down.code == 0, down.err
    assert not (state_home / "torn").exists()


def test_the_document_to_the_letter_is_refused_with_the_reason(state_home: Path) -> None:
    up = inv("lab.up", "--topology", "uranus-as-written")
    assert up.code == 1
    assert "192.168.1.168" in up.err
    assert not (state_home / "uranus-as-written").exists()


def test_an_unknown_topology_names_the_known_ones() -> None:
    up = inv("lab.up", "--topology", "neptune")
    assert up.code == 1
    assert "uranus-recommended" in up.err


def test_down_without_a_lab_is_no_error() -> None:
    assert inv("lab.down", "--all").code == 0

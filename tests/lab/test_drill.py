"""Six faults on the topology with a virtual WAN address; the default lab's six are in test_default_lab."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.conftest import drilled, inv

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

SIX = ("kill", "carp-off", "demotion", "unplug wan", "freeze", "return-early")


@pytest.fixture(scope="module")
def recommended(state_home: Path) -> Iterator[str]:
    up = inv("lab.up", "--name", "rec", "--topology", "uranus-recommended")
    assert up.code == 0, up.err[-6000:]
    yield "rec"
    down = inv("lab.down", "--name", "rec", "--purge")
    assert down.code == 0, down.err[-3000:]
    assert not (state_home / "rec").exists()


def test_six_faults_with_a_virtual_wan_address(recommended: str, tmp_path: Path) -> None:
    card = drilled(recommended, SIX, tmp_path)
    assert [score["fault"].split()[0] for score in card["scores"]] == [words.split()[0] for words in SIX]
    report = json.loads((tmp_path / "01-kill-master" / "failover.json").read_text())
    fates = {one["id"]: one["fate"] for one in report["streams"]}
    assert len(fates) == 3
    assert "lost" not in fates.values(), "with a virtual WAN address no stream is lost, not even to the internet"


def test_a_network_is_captured_until_told_to_stop(recommended: str, tmp_path: Path) -> None:
    file = tmp_path / "lan.pcapng"
    done = inv(
        "lab.capture", "lan", "--file", str(file), "--seconds", "4", "--filter", "proto 112", "--name", recommended
    )
    assert done.code == 0, done.err
    assert file.read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"
    assert file.stat().st_size > 3 * 70
    assert "none dropped" in done.err or "0 dropped" in done.err

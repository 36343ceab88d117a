"""A machine that stood still notices it by its RTC, once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standin.stood_still import TOLERANCE, StoodStill


class Machine:
    """Its own clock and its RTC, which counts whole seconds."""

    def __init__(self, file: Path, at: float = 1_700_000_000.3) -> None:
        self.file, self.own, self.real = file, 7.0, at
        self.goes_on(0.0)

    def goes_on(self, seconds: float, stands: float = 0.0) -> None:
        self.own += seconds
        self.real += seconds + stands
        self.file.write_text(f"{int(self.real)}\n")

    def watch(self) -> StoodStill:
        return StoodStill(self.file, lambda: self.own)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "since_epoch")


def test_a_stop_is_noticed_once(machine: Machine) -> None:
    watch = machine.watch()
    machine.goes_on(1.0, stands=60.0)
    now = watch.noticed()
    assert now is not None
    assert abs(now - machine.real) <= 0.5
    machine.goes_on(1.0)
    assert not watch.noticed()
    machine.goes_on(1.0, stands=5.0)
    assert watch.noticed()


def test_short_stops_add_up(machine: Machine) -> None:
    watch = machine.watch()
    seen = []
    for _ in range(6):
        machine.goes_on(3.0, stands=0.7)
        seen.append(watch.noticed() is not None)
    assert not seen[0]
    assert 1 <= sum(seen) <= 3


@given(at=st.floats(0, 1), looks=st.lists(st.floats(0.01, 5), max_size=20))
def test_a_clock_that_runs_is_left_alone(
    tmp_path_factory: pytest.TempPathFactory, at: float, looks: list[float]
) -> None:
    machine = Machine(tmp_path_factory.mktemp("rtc") / "since_epoch", 1_700_000_000 + at)
    watch = machine.watch()
    for seconds in looks:
        machine.goes_on(seconds)
        assert not watch.noticed()
    machine.goes_on(1.0, stands=TOLERANCE + 1)
    assert watch.noticed()


def test_without_an_rtc_nothing_is_known(tmp_path: Path) -> None:
    watch = StoodStill(tmp_path / "none")
    assert not watch.noticed()
    (tmp_path / "none").write_text("1700000000\n")
    assert not watch.noticed()

"""Whose clock is set over the console after a restore, and with what."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lab.appliances.appliance import PFSENSE, STANDIN, Appliance
from lab.appliances.firewall import Firewall
from lab.console.command_line import Output
from lab.errors import LabError

NOWHERE = Path("/nowhere")


def typed(monkeypatch: pytest.MonkeyPatch, kind: Appliance, code: int = 0) -> list[str]:
    """What one set_clock() types."""
    commands: list[str] = []

    def run(self: Firewall, command: str, purpose: str = "exec") -> Output:
        commands.append(command)
        return Output("date: not allowed", code)

    monkeypatch.setattr(Firewall, "run", run)
    Firewall("master", kind, NOWHERE, NOWHERE).set_clock()
    return commands


def test_pfsense_is_told_the_time_over_its_console(monkeypatch: pytest.MonkeyPatch) -> None:
    (command,) = typed(monkeypatch, PFSENSE)
    *words, epoch = command.split()
    assert words == ["date", "-u", "-f", "%s"]
    assert abs(int(epoch) - time.time()) < 5


def test_one_that_does_not_take_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LabError, match="master did not take the time of day"):
        typed(monkeypatch, PFSENSE, code=1)


def test_the_stand_in_follows_its_rtc_and_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert typed(monkeypatch, STANDIN) == []

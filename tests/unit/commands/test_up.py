"""What `lab.up` says and asks for before it begins anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.commands import up
from lab.commands.admission import needed
from lab.errors import LabError
from lab.events import Event, Listener
from lab.host import preflight
from lab.host.accelerator import Accelerator
from lab.host.images import base_path, load_manifest
from lab.paths import LabPaths, project_root
from lab.topology.load import load_topology

REQUEST = up.Request("uranus", "standin", None, "libvirt", "rules")
MEMORY = needed([192, 192, 128, 128, 128, 128]).memory_mib


class NoWorld:
    """A world that was never made."""

    def __init__(self, paths: LabPaths) -> None:
        pass

    def exists(self) -> bool:
        return False

    def destroy(self) -> None:
        pass


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Event]:
    """What is told up to the first build, on a machine without an image."""
    monkeypatch.setenv("URANUS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(up, "World", NoWorld)
    monkeypatch.setattr(up, "accelerator", lambda _: Accelerator("tcg", "a test", 1.0))
    monkeypatch.setattr(preflight, "check", lambda **_: None)

    def ensure(name: str, listener: Listener) -> None:
        raise LabError("the first build")

    monkeypatch.setattr(up, "ensure", ensure)
    return []


def bring_up(tmp_path: Path, events: list[Event]) -> None:
    topology = load_topology("uranus", project_root() / "topologies")
    up.bring_up(REQUEST, topology, LabPaths(tmp_path / "uranus"), events.append)


def test_the_first_run_tells_its_time_disk_and_memory_before_it_builds(tmp_path: Path, events: list[Event]) -> None:
    with pytest.raises(LabError, match="the first build"):
        bring_up(tmp_path, events)
    told = next(event.detail for event in events if event.step == "first run")
    for word in ("standin and client", "min", "MiB to download", "MiB of disk", f"{MEMORY} MiB of memory"):
        assert word in told


def test_a_base_that_is_there_makes_it_no_first_run(tmp_path: Path, events: list[Event]) -> None:
    for name in ("standin", "client"):
        base = base_path(load_manifest(name))
        base.parent.mkdir(parents=True, exist_ok=True)
        base.touch()
    with pytest.raises(LabError, match="the first build"):
        bring_up(tmp_path, events)
    assert not [event for event in events if event.step == "first run"]


def test_too_little_memory_is_told_before_anything_is_built(
    tmp_path: Path, events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(mib: int, rooms: object) -> None:
        assert mib == MEMORY
        raise LabError("not enough memory")

    monkeypatch.setattr(preflight, "check", check)
    with pytest.raises(LabError, match="not enough memory"):
        bring_up(tmp_path, events)
    assert not [event for event in events if event.step == "first run"]

"""The External Configuration Locator, without disks."""

from __future__ import annotations

from pathlib import Path

import pytest
from standin import ecl
from standin.config_store import change, install
from standin.places import Places
from standin.settings_xml import read
from standin.terminal import Speaker
from standin.tree import set_flag

from tests.golden_files import GOLDEN

GOOD = (GOLDEN / "standin" / "uranus-master.xml").read_bytes()


class Paper:
    """A terminal that keeps what was written."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def read_line(self) -> str | None:
        return None


@pytest.mark.parametrize(
    ("data", "ok"),
    [
        (GOOD, True),
        (GOOD.replace(b"<pfsense>", b" <pfsense>"), False),
        (GOOD.replace(b"<pfsense>\n", b"<pfsense>\r\n"), False),
        (GOOD.replace(b"?>\n", b"?>\n<!-- mine -->\n"), False),
        (GOOD.replace(b"</pfsense>", b""), False),
        (b"<pfsense></pfsense>", False),
        (b"", False),
    ],
    ids=["good", "indented", "CR", "comment on line 2", "not well-formed", "one line", "empty"],
)
def test_which_files_are_taken(data: bytes, ok: bool) -> None:
    assert ecl.acceptable(data) is ok


def test_only_partitions_of_other_disks_are_tried(tmp_path: Path) -> None:
    for disk, parts in {
        "vda": ["vda1"],
        "vdb": ["vdb1", "vdb2"],
        "vdc": [],
        "sr0": ["sr0p1"],
        "loop0": ["loop0p1"],
    }.items():
        for part in parts:
            (tmp_path / disk / part).mkdir(parents=True)
            (tmp_path / disk / part / "partition").touch()
        (tmp_path / disk / "queue").mkdir(parents=True)
    assert ecl.other_slices(tmp_path, "vda") == ["vdb1", "vdb2"]


def locate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disks: dict[str, dict[str, bytes]]
) -> tuple[Places, str, bool]:
    """Run the locator where `mount` puts a disk's files into the mount point."""
    places, paper = Places(tmp_path), Paper()

    def attempt(argv: list[str], text: str = "") -> tuple[int, str]:
        if argv[1] == "umount":
            for file in sorted(places.mount_point.rglob("*"), reverse=True):
                file.rmdir() if file.is_dir() else file.unlink()
            return 0, ""
        files = disks.get(Path(argv[5]).name)
        for name, data in (files or {}).items():
            (places.mount_point / name).parent.mkdir(exist_ok=True)
            (places.mount_point / name).write_bytes(data)
        return (0 if files is not None else 255), ""

    monkeypatch.setattr(ecl, "attempt", attempt)
    from lab.console.catalogue.text import PFSENSE

    found = ecl.locate(places, Speaker(paper, PFSENSE).say, ["vdb1", "vdc1"])
    return places, paper.text, found


def test_a_found_file_becomes_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places, text, found = locate(tmp_path, monkeypatch, {"vdc1": {"config/config.xml": GOOD}})
    assert found
    assert places.config.read_bytes() == GOOD
    assert text == (
        "External config loader 1.0 is now starting... vdb1 vdc1 -> found config.xml\n"
        "Backing up old configuration...\n"
        "Restoring [vdc1] /tmp/mnt/cf/config/config.xml...\n"
        "Cleaning up...\n"
    )


def test_the_old_configuration_is_kept_and_the_wizard_switched_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = Places(tmp_path)
    install(places, b"old")
    places.wizard_flag.touch()
    _, text, _ = locate(tmp_path, monkeypatch, {"vdb1": {"config.xml": GOOD}})
    assert [each.read_bytes() for each in places.backups.iterdir()] == [b"old"]
    assert "First boot after install, setting flag for package sync and disabling wizard...\n" in text
    assert not places.wizard_flag.exists()
    assert places.package_flag.exists()


def test_a_bad_file_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places, text, found = locate(tmp_path, monkeypatch, {"vdb1": {"config.xml": b"<pfsense/>"}, "vdc1": {}})
    assert not found
    assert not places.config.exists()
    assert text == "External config loader 1.0 is now starting... vdb1 vdc1\n"


def test_a_change_is_stamped_and_can_be_taken_again_by_the_locator(tmp_path: Path) -> None:
    places = Places(tmp_path)
    install(places, GOOD)
    change(places, lambda root: set_flag(root, "virtualip_carp_maintenancemode", True), "Enter CARP maintenance mode")
    data = places.config.read_bytes()
    assert ecl.acceptable(data)
    assert read(data).maintenance
    assert b"Enter CARP maintenance mode" in data
    change(places, lambda root: set_flag(root, "virtualip_carp_maintenancemode", False), "Leave CARP maintenance mode")
    assert read(places.config.read_bytes()) == read(GOOD)

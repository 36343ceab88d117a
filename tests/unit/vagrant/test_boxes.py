"""Boxes: what is in them, and that what is described is what was packed."""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.host import boxes, preflight
from lab.host.images import GuestImage, described

QCOW2 = b"QFI\xfb" + (3).to_bytes(4, "big") + bytes(16) + (5 << 29).to_bytes(8, "big") + b"the rest"


@pytest.fixture
def box(tmp_path: Path) -> boxes.GuestBox:
    files = {"disk.qcow2": QCOW2, "kernel": b"kernel", "initrd": b"initrd"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    return boxes.box_of(
        GuestImage(
            name="client",
            recipe_hash="00000010" + 56 * "f",
            disk=tmp_path / "disk.qcow2",
            kernel=tmp_path / "kernel",
            initrd=tmp_path / "initrd",
            cmdline="console=ttyS0",
            memory_mib=128,
        )
    )


def test_a_box_holds_disk_kernel_and_initrd(box: boxes.GuestBox, tmp_path: Path) -> None:
    boxes.pack(box, tmp_path / "boxes")
    with tarfile.open(box.file(tmp_path / "boxes")) as tar:
        found = {entry.name: tar.extractfile(entry) for entry in tar}
        contents = {name: file.read() for name, file in found.items() if file}
    assert (contents["box.img"], contents["kernel"], contents["initrd"]) == (QCOW2, b"kernel", b"initrd")
    # 2.5 GiB: a guest's disk holds all of it
    assert json.loads(contents["metadata.json"]) == {"provider": "libvirt", "format": "qcow2", "virtual_size": 3}
    assert 'libvirt.cmd_line = "console=ttyS0"' in contents["Vagrantfile"].decode()


def test_the_catalogue_names_the_version_and_the_checksum(box: boxes.GuestBox, tmp_path: Path) -> None:
    catalogue = json.loads(boxes.pack(box, tmp_path / "boxes").read_text())
    assert catalogue["name"] == "uranus/client"
    (version,) = catalogue["versions"]
    assert version["version"] == box.version == "0.16"
    (provider,) = version["providers"]
    file = tmp_path / "boxes" / provider["url"]
    assert provider["checksum"] == hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_same_image_gives_the_same_box_and_an_older_one_goes(box: boxes.GuestBox, tmp_path: Path) -> None:
    folder = tmp_path / "boxes"
    first = boxes.pack(box, folder).read_text()
    before = box.file(folder).read_bytes()
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "uranus-client-0.15.box").touch()
    assert boxes.pack(box, folder).read_text() == first
    assert box.file(folder).read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["uranus-client-0.16.box", "uranus-client-0.16.json"]


def test_prune_leaves_what_is_current_or_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("URANUS_CACHE", str(tmp_path / "cache"))
    current = boxes.box_of(described("client"))
    packed = {f"uranus-client-{version}.box" for version in ("0.1", current.version)}
    for name in packed:
        boxes.boxes_home().mkdir(parents=True, exist_ok=True)
        (boxes.boxes_home() / name).touch()
    registered = boxes.vagrant_home() / "boxes" / "uranus-VAGRANTSLASH-client"
    for version in ("0.1", "0.2", current.version):
        (registered / version / "libvirt").mkdir(parents=True)
    (registered / "metadata_url").touch()
    folder = tmp_path / "states" / "lab" / "vagrant"
    folder.mkdir(parents=True)
    (folder / "Vagrantfile").write_text('node.vm.box_version = "0.2"')
    boxes.prune(tmp_path / "states")
    assert {path.name for path in boxes.boxes_home().iterdir()} == {f"uranus-client-{current.version}.box"}
    assert {path.name for path in registered.iterdir()} == {"0.2", current.version, "metadata_url"}


def test_without_vagrant_the_cure_is_said(box: boxes.GuestBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "installed", lambda what: what != "vagrant")
    with pytest.raises(LabError) as caught:
        boxes.register(box, tmp_path / "x.json")
    assert caught.value.problem.cure == "apt-get install vagrant"

"""The cache of images: built once, checked before use, never half there, never taken from under a lab."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections import namedtuple
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.events import Event, Phase
from lab.host import image_cache, images
from lab.host.image_build import Request
from lab.host.image_cache import backing_file, check, file_sha256, installed, read_record, users


class FakeBuilder:
    """Stands for the program that builds: writes three small files."""

    def __init__(self) -> None:
        self.built: list[Request] = []
        self.failure: BaseException | None = None
        self.begun = threading.Event()
        self.may_end = threading.Event()
        self.may_end.set()

    def __call__(self, request: Request, listener: object) -> None:
        self.built.append(request)
        self.begun.set()
        assert self.may_end.wait(30)
        for file in images.FILES:
            (Path(request.out) / file).write_bytes(file.encode() * 100)
        if self.failure:
            raise self.failure


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeBuilder:
    monkeypatch.setenv("URANUS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("URANUS_STATE", str(tmp_path / "state"))
    fake = FakeBuilder()
    monkeypatch.setattr(images, "_run", fake)
    monkeypatch.setattr(images, "authenticate", lambda: None)
    return fake


def test_built_once_then_found(builder: FakeBuilder) -> None:
    first = images.ensure("client")
    assert images.ensure("client") == first
    assert len(builder.built) == 1
    assert first.disk.parent.name == f"client-{first.recipe_hash[:12]}"
    assert [image.path for image in installed()] == [first.disk.parent]
    record = json.loads((first.disk.parent / "image.json").read_text())
    assert record["files"]["kernel"] == {"sha256": file_sha256(first.kernel), "size": first.kernel.stat().st_size}
    assert record["recipe_hash"] == first.recipe_hash


def test_force_builds_again_with_fresh_packages(builder: FakeBuilder) -> None:
    images.ensure("client")
    images.ensure("client", force=True)
    assert [request.fresh for request in builder.built] == [False, True]
    assert not list(image_cache.leftovers(image_cache.images_home()))


@pytest.mark.parametrize("file", images.FILES)
def test_a_changed_file_is_named_and_not_used(builder: FakeBuilder, file: str) -> None:
    path = images.ensure("client").disk.parent / file
    content = bytearray(path.read_bytes())
    content[7] ^= 1
    path.write_bytes(content)
    with pytest.raises(LabError) as caught:
        images.ensure("client")
    assert str(path) in caught.value.problem.expected
    assert caught.value.problem.cure == "./inv image.build --force"
    assert images.ensure("client", force=True).disk.exists()


def test_a_truncated_and_a_missing_file(builder: FakeBuilder) -> None:
    image = images.ensure("client")
    os.truncate(image.initrd, 5)
    with pytest.raises(LabError, match="damaged"):
        images.ensure("client")
    image.initrd.unlink()
    with pytest.raises(LabError, match="damaged"):
        images.ensure("client")


def test_an_unreadable_record_has_its_cure(builder: FakeBuilder) -> None:
    image = images.ensure("client")
    for text in ("", "{}", "[]", '{"name": "client", "recipe_hash": "", "built": "", "files": {"disk.qcow2": 3}}'):
        (image.disk.parent / "image.json").write_text(text)
        with pytest.raises(LabError) as caught:
            images.ensure("client")
        assert caught.value.problem.cure == "./inv image.build --force"


def test_bytes_are_read_once_unless_a_file_changed(builder: FakeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    image = images.ensure("client")
    read: list[Path] = []

    def counting(path: Path) -> str:
        read.append(path)
        return file_sha256(path)

    monkeypatch.setattr(image_cache, "file_sha256", counting)
    images.ensure("client")
    assert read == []
    os.utime(image.kernel, ns=(1, 1))
    images.ensure("client")
    assert read == [image.kernel]
    read.clear()
    images.ensure("client")
    assert read == []
    images.verify("client")
    assert sorted(read) == sorted([image.disk, image.initrd, image.kernel])


def test_verify_sees_a_change_that_hides_its_traces(builder: FakeBuilder) -> None:
    image = images.ensure("client")
    before = image.kernel.stat()
    with image.kernel.open("r+b") as file:
        file.write(b"X")
    os.utime(image.kernel, ns=(before.st_atime_ns, before.st_mtime_ns))
    check(read_record(image.disk.parent))
    with pytest.raises(LabError, match="damaged"):
        images.verify("client")


def test_verify_of_an_image_that_is_not_built(builder: FakeBuilder) -> None:
    with pytest.raises(LabError) as caught:
        images.verify("client")
    assert caught.value.problem.cure == "./inv image.build"


def test_a_failed_build_leaves_nothing(builder: FakeBuilder) -> None:
    builder.failure = LabError("no network")
    with pytest.raises(LabError, match="no network"):
        images.ensure("client")
    home = image_cache.images_home()
    assert [path.name for path in home.iterdir() if path.is_dir()] == []
    builder.failure = None
    assert images.ensure("client").disk.exists()


def test_a_recipe_that_changes_meanwhile_is_not_passed_off_as_the_old_one(
    builder: FakeBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = iter(["a" * 64, "b" * 64])
    monkeypatch.setattr(images, "recipe_hash", lambda _: next(hashes))
    with pytest.raises(LabError, match="changed while"):
        images.ensure("client")
    assert installed() == []


def test_what_a_killed_build_left_is_removed_by_the_next(builder: FakeBuilder) -> None:
    home = image_cache.images_home()
    mine, other = home / ".build-client-abc", home / ".build-standin-abc"
    for path in (mine, other):
        (path / "work").mkdir(parents=True)
    images.ensure("client")
    assert not mine.exists()
    assert other.exists()


def test_two_builds_at_once_are_one(builder: FakeBuilder) -> None:
    builder.may_end.clear()
    seen: list[Event] = []
    waiting = threading.Event()

    def listener(event: Event) -> None:
        seen.append(event)
        if event.step == "wait":
            waiting.set()

    first = threading.Thread(target=images.ensure, args=("client",))
    first.start()
    assert builder.begun.wait(30)
    second = threading.Thread(target=images.ensure, args=("client", listener))
    second.start()
    assert waiting.wait(30)
    builder.may_end.set()
    first.join(30)
    second.join(30)
    assert len(builder.built) == 1
    assert [(event.phase, str(os.getpid()) in event.detail) for event in seen] == [(Phase.NOTE, True)]


def test_no_space_says_how_much_is_missing(builder: FakeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 100 << 20))
    with pytest.raises(LabError) as caught:
        images.ensure("client")
    needed = images.load_manifest("client").estimate.build_mib
    assert f"{needed - 100} MiB are missing" in caught.value.problem.seen
    assert builder.built == []


def test_a_missing_program_names_its_package(builder: FakeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda program, path: None if program == "mke2fs" else program)
    with pytest.raises(LabError) as caught:
        images.ensure("client")
    assert caught.value.problem.cure == "apt-get install e2fsprogs"


@pytest.fixture
def lab_disk(builder: FakeBuilder, tmp_path: Path) -> Path:
    """A lab `exam` with a disk on the client's image."""
    image = images.ensure("client")
    image.disk.unlink()
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", image.disk, "1M"], check=True)
    image_cache.write_record(image.disk.parent, "client", image.recipe_hash, images.FILES)
    disk = tmp_path / "state" / "exam" / "disks" / "client.qcow2"
    disk.parent.mkdir(parents=True)
    images.overlay(image.disk, disk)
    return disk


def test_an_image_in_use_is_not_replaced(builder: FakeBuilder, lab_disk: Path) -> None:
    assert backing_file(lab_disk) == str(images.ensure("client").disk)
    assert users(images.ensure("client").disk.parent) == ["exam"]
    with pytest.raises(LabError) as caught:
        images.ensure("client", force=True)
    assert "exam" in caught.value.problem.seen
    lab_disk.unlink()
    images.ensure("client", force=True)


def test_overlay_without_a_golden_disk(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="disk"):
        images.overlay(tmp_path / "none.qcow2", tmp_path / "new.qcow2")


def test_prune_takes_what_nobody_needs(builder: FakeBuilder, lab_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    current = images.ensure("client").disk.parent
    home = current.parent
    # The image the lab stands on, and one nobody stands on, both of recipes that are no more.
    used, unused = home / "client-aaaaaaaaaaaa", home / "client-bbbbbbbbbbbb"
    shutil.copytree(current, unused)
    current.rename(used)
    subprocess.run(["qemu-img", "rebase", "-u", "-F", "qcow2", "-b", used / "disk.qcow2", lab_disk], check=True)
    images.ensure("client")
    (home / "base-client-000000000000.tar").write_bytes(b"x" * 10000)
    kept = images.base_path(images.load_manifest("client"))
    kept.write_bytes(b"base")
    (home / ".build-client-dead" / "work").mkdir(parents=True)
    assert images.prune() >= 10000
    left = sorted(path.name for path in home.iterdir() if path.suffix != ".lock")
    assert left == sorted([current.name, used.name, kept.name])


def test_prune_spares_a_build_at_work(builder: FakeBuilder) -> None:
    builder.may_end.clear()
    building = threading.Thread(target=images.ensure, args=("client",))
    building.start()
    assert builder.begun.wait(30)
    images.prune()
    builder.may_end.set()
    building.join(30)
    assert len(installed()) == 1


def test_a_build_ends_with_the_one_who_asked(tmp_path: Path) -> None:
    """The leash: stdin of the building program closes, and it ends with all it started."""
    program = (
        "import threading, time, subprocess, sys;"
        "from lab.host.image_build import _leash;"
        "threading.Thread(target=_leash, daemon=True).start();"
        "print('at work', flush=True); time.sleep(60)"
    )
    build = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert build.stdin is not None
    assert build.stdout is not None
    assert build.stdout.readline() == b"at work\n"
    build.stdin.close()
    assert build.wait(30) == 1
    build.stdout.close()

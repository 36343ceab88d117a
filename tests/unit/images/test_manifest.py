"""Recipes: what a manifest may say, and when the hash of a recipe changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import LabError
from lab.host.image_manifest import base_hash, copied_files, image_names, load_manifest, recipe_hash

MANIFEST = """
suite = "bookworm"
memory_mib = 128
disk_mib = 256
cmdline = ["console=ttyS0"]
[packages]
busybox-static = "all"
[modules]
initramfs = ["virtio_blk"]
boot = []
later = []
available = []
[estimate]
seconds = 1
download_mib = 1
build_mib = 1
disk_mib = 1
[[copy]]
from = "program"
to = "/usr/lib/program"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one image, `small`."""
    for path, text in {
        "images/small/manifest.toml": MANIFEST,
        "images/small/rootfs/sbin/init": "#!/bin/sh\n",
        "images/initramfs/init": "#!/bin/busybox sh\n",
        "program/main.py": "print(1)\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_the_images_of_this_project_load_and_every_package_has_a_reason() -> None:
    assert {"client", "standin"} <= set(image_names())
    for name in image_names():
        manifest = load_manifest(name)
        assert all(len(reason) > 3 for reason in manifest.packages.values())
        assert len(recipe_hash(name)) == 64
        assert manifest.memory_mib <= 256
        assert "clocksource=acpi_pm" in manifest.cmdline
        assert "console=ttyS0" in manifest.cmdline


def test_hash_is_the_same_anywhere_and_whenever(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    first = recipe_hash("small", checkout)
    for path in checkout.rglob("*"):
        if path.is_file():
            path.touch()
    (checkout / "program" / "__pycache__").mkdir()
    (checkout / "program" / "__pycache__" / "main.cpython-311.pyc.1402").write_bytes(b"code")
    (checkout / "program" / "stray.pyc").write_bytes(b"code")
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "checkout"
    checkout.rename(elsewhere)
    assert recipe_hash("small", elsewhere) == first


@pytest.mark.parametrize(
    "path", ["images/small/manifest.toml", "images/small/rootfs/sbin/init", "images/initramfs/init", "program/main.py"]
)
def test_hash_changes_with_every_file_that_goes_in(checkout: Path, path: str) -> None:
    first = recipe_hash("small", checkout)
    (checkout / path).write_text((checkout / path).read_text() + "# more\n")
    assert recipe_hash("small", checkout) != first


def test_hash_changes_with_a_new_file_a_new_name_and_the_executable_bit(checkout: Path) -> None:
    seen = {recipe_hash("small", checkout)}
    (checkout / "program" / "more.py").write_text("")
    seen.add(recipe_hash("small", checkout))
    (checkout / "program" / "more.py").rename(checkout / "program" / "other.py")
    seen.add(recipe_hash("small", checkout))
    (checkout / "program" / "other.py").chmod(0o755)
    seen.add(recipe_hash("small", checkout))
    assert len(seen) == 4


def test_base_depends_on_packages_and_not_on_our_files(checkout: Path) -> None:
    first = base_hash(load_manifest("small", checkout))
    (checkout / "program" / "main.py").write_text("print(2)\n")
    assert base_hash(load_manifest("small", checkout)) == first
    path = checkout / "images/small/manifest.toml"
    path.write_text(path.read_text().replace("[modules]", 'curl = "pages"\n[modules]'))
    assert base_hash(load_manifest("small", checkout)) != first


def test_copies_land_where_the_manifest_says(checkout: Path) -> None:
    files = [
        target for copy in load_manifest("small", checkout).copies if copy.target for _, target in copied_files(copy)
    ]
    assert files == ["/sbin/init", "/usr/lib/program/main.py"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('suite = "bookworm"', "", "suite"),
        ("memory_mib = 128", "memory_mib = 'much'", "much"),
        ("later = []", "sometimes = []", "sometimes"),
        ("seconds = 1", "hours = 1", "hours"),
        ("disk_mib = 256", "disk_mib = 256\nsurprise = 1", "surprise"),
        ("[packages]", "[packages", "line"),
    ],
)
def test_a_broken_manifest_is_a_lab_error_that_names_what(checkout: Path, old: str, new: str, said: str) -> None:
    path = checkout / "images/small/manifest.toml"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(LabError) as caught:
        load_manifest("small", checkout)
    assert said in caught.value.problem.seen
    assert caught.value.problem.log == str(path)


def test_an_unknown_image_and_a_missing_file(checkout: Path) -> None:
    with pytest.raises(LabError) as caught:
        load_manifest("large", checkout)
    assert "small" in caught.value.problem.expected
    (checkout / "program" / "main.py").unlink()
    (checkout / "program").rmdir()
    with pytest.raises(LabError) as caught:
        recipe_hash("small", checkout)
    assert str(checkout / "program") in caught.value.problem.seen

"""What a guest image is made of: images/NAME/manifest.toml and the files it names."""

from __future__ import annotations

import hashlib
import stat
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.paths import project_root

RECIPE_FORMAT = 1
"""Part of every recipe hash: raise it when the builder makes something else of the same recipe."""

UNKNOWN = "No such guest image: {name}"
KNOWN = "one of: {names}"
BROKEN = "images/{name}/manifest.toml cannot be used"
NO_FILE = "images/{name}/manifest.toml names a file that is not there"


@dataclass(frozen=True)
class Estimate:
    """What the first build costs. seconds on a 2-core machine; MiB to download, to build in, and to keep."""

    seconds: int
    download_mib: int
    build_mib: int
    disk_mib: int


@dataclass(frozen=True)
class Modules:
    """Kernel modules by name; what they depend on comes along.

    initramfs: loaded before there is a disk. boot: what ready waits for. later: loaded after that. available: on the disk only.
    medium: loaded by the initramfs where the disk is a stick that is booted as an installer.
    """

    initramfs: tuple[str, ...]
    boot: tuple[str, ...]
    later: tuple[str, ...]
    available: tuple[str, ...]
    medium: tuple[str, ...] = ()


@dataclass(frozen=True)
class Copy:
    """One file or folder of the checkout, and where it goes in the guest (a path from its root)."""

    source: Path
    target: str


@dataclass(frozen=True)
class Manifest:
    """One image's recipe.

    packages:  Debian packages, each with the reason why it is there; dependencies come along, recommendations do not.
    disk_mib:  size of the guest's root file system.
    memory_mib: what the guest runs in.
    cmdline:   kernel parameters every guest of this image gets; cmdline_tcg: more of them where the CPU is emulated.
    python:    whether the Python code in the guest is compiled when the image is made.
    """

    name: str
    suite: str
    memory_mib: int
    disk_mib: int
    cmdline: tuple[str, ...]
    cmdline_tcg: tuple[str, ...]
    packages: dict[str, str]
    modules: Modules
    copies: tuple[Copy, ...]
    python: bool
    estimate: Estimate
    path: Path


def image_names(root: Path | None = None) -> list[str]:
    """Every image that has a recipe, sorted."""
    return sorted(path.parent.name for path in ((root or project_root()) / "images").glob("*/manifest.toml"))


def load_manifest(name: str, root: Path | None = None) -> Manifest:
    """The recipe of an image. root: the checkout. Raises LabError: no such image, or a manifest that makes no sense."""
    root = root or project_root()
    path = root / "images" / name / "manifest.toml"
    if name not in image_names(root):
        raise LabError(UNKNOWN.format(name=name), expected=KNOWN.format(names=", ".join(image_names(root))))
    try:
        return _manifest(name, root, path, tomllib.loads(path.read_text()))
    except (KeyError, TypeError, ValueError) as error:
        seen = f"{type(error).__name__}: {error}"
        raise LabError(BROKEN.format(name=name), seen=seen, log=str(path)) from error


def _manifest(name: str, root: Path, path: Path, data: dict[str, Any]) -> Manifest:
    copies = [Copy(root / "images" / "initramfs", "")]
    if (path.parent / "rootfs").is_dir():
        copies.append(Copy(path.parent / "rootfs", "/"))
    copies += [Copy(root / item["from"], item["to"]) for item in data.pop("copy", [])]
    manifest = Manifest(
        name=name,
        suite=str(data.pop("suite")),
        memory_mib=int(data.pop("memory_mib")),
        disk_mib=int(data.pop("disk_mib")),
        cmdline=tuple(data.pop("cmdline")),
        cmdline_tcg=tuple(data.pop("cmdline_tcg", [])),
        packages=dict(data.pop("packages")),
        modules=Modules(**{key: tuple(names) for key, names in data.pop("modules").items()}),
        copies=tuple(copies),
        python=bool(data.pop("python", False)),
        estimate=Estimate(**data.pop("estimate")),
        path=path,
    )
    if data:
        raise ValueError(f"unknown keys: {', '.join(sorted(data))}")
    return manifest


def copied_files(copy: Copy) -> Iterator[tuple[Path, str]]:
    """Every file of one copy and its path in the guest, sorted; byte code and caches are left out."""
    if not copy.source.is_dir():
        yield copy.source, copy.target
        return
    for path in sorted(copy.source.rglob("*")):
        inner = path.relative_to(copy.source)
        if (path.is_file() or path.is_symlink()) and "__pycache__" not in inner.parts and path.suffix != ".pyc":
            yield path, f"{copy.target.rstrip('/')}/{inner}"


def recipe_hash(name: str, root: Path | None = None) -> str:
    """SHA-256, as hex, over the manifest and every file that goes into the image: path, executable bit, content.

    Raises LabError.
    """
    manifest = load_manifest(name, root)
    digest = hashlib.sha256(f"format {RECIPE_FORMAT}\n".encode())
    digest.update(manifest.path.read_bytes())
    for copy in manifest.copies:
        if not copy.source.exists():
            raise LabError(NO_FILE.format(name=name), seen=str(copy.source), log=str(manifest.path))
        for source, target in copied_files(copy):
            executable = "x" if source.lstat().st_mode & stat.S_IXUSR else "-"
            content = str(source.readlink()).encode() if source.is_symlink() else source.read_bytes()
            digest.update(f"{target}\0{executable}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def base_hash(manifest: Manifest) -> str:
    """SHA-256 over what decides the Debian system underneath: suite and packages. Much less often new than the recipe."""
    parts = (f"format {RECIPE_FORMAT}", manifest.suite, *sorted(manifest.packages))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()

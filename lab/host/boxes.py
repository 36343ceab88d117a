"""Guest images as Vagrant boxes: packed from the image cache, described by a catalogue with the version and the checksum.

A box boots as the image does: kernel and initrd lie in it, beside the disk, and its own Vagrantfile names them.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.host import preflight
from lab.host.image_cache import file_sha256
from lab.host.images import GuestImage, described, image_names
from lab.paths import cache_home, state_home
from lab.render.domain_xml import Accelerator
from lab.render.vagrantfile import Box

PROVIDER = "libvirt"
GIB = 1 << 30
COMPRESSION = 1
"""Of gzip: most of the gain for a tenth of the time."""

VERSION = re.compile(r'box_version = "([0-9.]+)"')
"""In a Vagrantfile."""

NOT_ADDED = "Vagrant did not take the box {name}"
NOT_ADDED_CURE = "Remove the box's files there, then try again: they are packed anew."

VAGRANTFILE = """\
# What every machine of this box has in common. It boots without a boot loader: QEMU loads kernel and initrd.
Vagrant.configure("2") do |config|
  config.vm.guest = :linux
  config.vm.box_check_update = false
  config.vm.synced_folder ".", "/vagrant", disabled: true
  config.ssh.username = "root" # the only account; Vagrant's own key opens it
  config.ssh.insert_key = false
  config.ssh.sudo_command = "%c"
  config.vm.provider :libvirt do |libvirt|
    libvirt.kernel = File.expand_path("kernel", __dir__)
    libvirt.initrd = File.expand_path("initrd", __dir__)
    libvirt.cmd_line = "{cmdline}"
    libvirt.memory = {memory}
    libvirt.machine_type = "pc"
    libvirt.graphics_type = "none"
  end
end
"""


@dataclass(frozen=True)
class GuestBox:
    """One image as a box. version: made from the image's recipe, so that a Vagrantfile gets the very image it was made for."""

    name: str
    version: str
    image: GuestImage

    @property
    def stem(self) -> str:
        """Of its files: the box `STEM.box`, and `STEM.json` for `vagrant box add`."""
        return f"{self.name.replace('/', '-')}-{self.version}"

    def file(self, folder: Path) -> Path:
        return folder / f"{self.stem}.box"

    def catalogue(self, folder: Path) -> Path:
        return folder / f"{self.stem}.json"

    def installed(self, vagrant_home: Path) -> Path:
        """Where Vagrant keeps it once it is added."""
        return vagrant_home / "boxes" / self.name.replace("/", "-VAGRANTSLASH-") / self.version / PROVIDER


def box_of(image: GuestImage) -> GuestBox:
    """The box of an image, whether it is packed or not."""
    return GuestBox(f"uranus/{image.name}", f"0.{int(image.recipe_hash[:8], 16)}", image)


def vagrant_box(image: GuestImage, accelerator: Accelerator) -> Box:
    """An image as a rendered Vagrantfile names it."""
    return Box(box_of(image).name, image.memory_mib, box_of(image).version, image.parameters(accelerator))


def boxes_home() -> Path:
    """Where boxes are packed."""
    return cache_home() / "boxes"


def vagrant_home() -> Path:
    """VAGRANT_HOME of all labs: the user's own is left alone."""
    return cache_home() / "vagrant"


def settings(home: Path | None = None) -> dict[str, str]:
    """Environment variables for Vagrant. CHECKPOINT: else it asks its maker for news at each start."""
    return {
        "VAGRANT_HOME": str(home or vagrant_home()),
        "VAGRANT_CHECKPOINT_DISABLE": "1",
        "VAGRANT_NO_COLOR": "1",
        "VAGRANT_DEFAULT_PROVIDER": PROVIDER,
    }


def register(box: GuestBox, catalogue: Path, home: Path | None = None) -> Path:
    """`vagrant box add`, where Vagrant does not have it yet; returns where it keeps it. home: a VAGRANT_HOME. Raises LabError."""
    preflight.check_programs(preflight.VAGRANT_PARTS)
    place = box.installed(home or vagrant_home())
    if not place.is_dir():
        command = ["vagrant", "box", "add", "--provider", PROVIDER, catalogue.name]
        done = subprocess.run(
            command, cwd=catalogue.parent, env={**os.environ, **settings(home)}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode or not place.is_dir():
            raise LabError(
                NOT_ADDED.format(name=box.name),
                expected=f"{shlex.join(command)} in {catalogue.parent}",
                seen=(done.stderr or done.stdout).strip(),
                cure=NOT_ADDED_CURE,
            )
    return place


def pack(box: GuestBox, folder: Path) -> Path:
    """Make the box and its catalogue in a folder, each whole or not at all; returns the catalogue. Done already: nothing to do.

    Boxes of the same image that were packed before are replaced. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target, catalogue = box.file(folder), box.catalogue(folder)
    if target.exists() and catalogue.exists():
        return catalogue
    beside = target.with_suffix(".new")
    with gzip.GzipFile(beside, "wb", COMPRESSION, mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in (("metadata.json", _metadata(box)), ("Vagrantfile", _own_vagrantfile(box))):
            _add(tar, name, len(content), io.BytesIO(content))
        for name, path in (("box.img", box.image.disk), ("kernel", box.image.kernel), ("initrd", box.image.initrd)):
            if path is not None:  # an installed disk brings its own boot loader
                with path.open("rb") as file:
                    _add(tar, name, path.stat().st_size, file)
    for old in folder.glob(f"{box.name.replace('/', '-')}-*"):
        if old != beside:
            old.unlink()
    beside.rename(target)
    catalogue.write_text(_catalogue(box, target))
    return catalogue


def prune(states: Path | None = None) -> int:
    """Remove boxes of older recipes: the packed ones, and of the registered ones those no lab boots from. Returns bytes freed."""
    current = [box_of(described(name)) for name in image_names()]
    stems = {box.stem for box in current}
    doomed = [path for path in boxes_home().glob("uranus-*") if path.stem not in stems]
    files = (states or state_home()).glob("*/vagrant/Vagrantfile")
    kept = {box.version for box in current} | {
        version for file in files for version in VERSION.findall(file.read_text())
    }
    doomed += [path for path in vagrant_home().glob("boxes/uranus-VAGRANTSLASH-*/*.*") if path.name not in kept]
    freed = 0
    for path in doomed:
        freed += sum(each.stat().st_size for each in (path, *path.rglob("*")) if each.is_file())
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return freed


def _add(tar: tarfile.TarFile, name: str, size: int, content: io.IOBase) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = size
    entry.mode = 0o644
    tar.addfile(entry, content)


def _metadata(box: GuestBox) -> bytes:
    """virtual_size in GiB, rounded up: the disk a guest gets."""
    size = -(-_virtual_size(box.image.disk) // GIB)
    return json.dumps({"provider": PROVIDER, "format": "qcow2", "virtual_size": size}).encode()


def _virtual_size(disk: Path) -> int:
    """Bytes; big-endian at offset 24 of the header. QEMU, docs/interop/qcow2.txt"""
    with disk.open("rb") as file:
        return int.from_bytes(file.read(32)[24:], "big")


def _own_vagrantfile(box: GuestBox) -> bytes:
    return VAGRANTFILE.format(cmdline=box.image.cmdline, memory=box.image.memory_mib).encode()


def _catalogue(box: GuestBox, file: Path) -> str:
    """Vagrant's box catalogue. The box is named without a folder: `vagrant box add` looks where it is called."""
    provider = {"name": PROVIDER, "url": file.name, "checksum_type": "sha256", "checksum": file_sha256(file)}
    described = {
        "name": box.name,
        "description": f"Uranus Lab, guest image {box.image.name}, recipe {box.image.recipe_hash}",
        "versions": [{"version": box.version, "providers": [provider]}],
    }
    return f"{json.dumps(described, indent=2)}\n"

"""Makes one guest image: `python -m lab.host.image_build REQUEST`, as root, in a folder that the caller made.

REQUEST is JSON, see Request. Says what it does as JSON lines on stdout: {"step", "phase", "seconds", "detail"}; a failure is
{"problem": ...} and exit code 3. Leaves disk.qcow2, kernel and initrd. stdin is a leash: when the caller dies, so does this.
Nothing of the guest is ever mounted: the file system is filled by mke2fs, the rest are plain files.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import stat
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.errors import LabError, Problem
from lab.events import Phase
from lab.host import kernel_modules
from lab.host.image_manifest import Manifest, base_hash, copied_files, load_manifest
from lab.host.image_packages import NO_SPACE_CURE, PackageCache, Runner
from lab.host.initramfs import initramfs
from lab.host.kernel_image import vmlinux
from lab.host.kernel_modules import Module, ModuleTree
from lab.host.syscalls import hide_mounts
from lab.paths import project_root

PROBLEM = 3
"""Exit code of a build that failed with a LabError."""

DISK, KERNEL, INITRD = "disk.qcow2", "kernel", "initrd"

FILE_SYSTEM_ID = "75726175-6e75-5300-8000-000000000001"
"""UUID and hash seed of the root file system: the same files give the same disk."""

BINARIES = ("bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin")
EMPTIED = ("boot", "tmp", "var/tmp", "var/cache/apt", "var/cache/debconf", "var/lib/apt/lists", "var/log")
BZIMAGE = "the kernel could not be unpacked: it is booted packed, which takes longer"
NO_MODULE = "images/{name}/manifest.toml names a kernel module that Debian's kernel does not have"
DISK_FULL = "No space left while building a guest image"
BASE_CURE = "./inv image.build --force makes it anew."
BROKE = "A guest image could not be built"


@dataclass(frozen=True)
class Request:
    """What to build. out: an empty folder; cache: where packages and base systems are kept; both on one disk.

    owner: user and group that the result belongs to. fresh: do not use a base system made earlier.
    """

    name: str
    out: str
    cache: str
    log: str
    owner: tuple[int, int]
    fresh: bool = False
    mirror: str = ""


def say(**words: object) -> None:
    print(json.dumps(words), flush=True)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Say when a part of the build begins, and how it ended."""
    say(step=name, phase=Phase.STARTED)
    began = time.monotonic()
    try:
        yield
    except BaseException:
        say(step=name, phase=Phase.FAILED, seconds=time.monotonic() - began)
        raise
    say(step=name, phase=Phase.DONE, seconds=time.monotonic() - began)


class Build:
    """One image in the making."""

    def __init__(self, request: Request) -> None:
        self.manifest: Manifest = load_manifest(request.name)
        self.out = Path(request.out)
        self.cache = Path(request.cache)
        self.fresh = request.fresh
        self.runner = Runner(Path(request.log))
        self.packages = PackageCache(
            self.cache / f"apt-{self.manifest.suite}", self.manifest.suite, self.runner, request.mirror
        )
        self.work = self.out / "work"
        self.root = self.work / "root"
        self.base = self.cache / f"base-{self.manifest.name}-{base_hash(self.manifest)[:12]}.tar"

    def run(self) -> None:
        """Raises LabError and OSError."""
        self.root.mkdir(parents=True)
        kernel = self._packages()
        self._kernel(kernel)
        with step("files of the guest"):
            self._unpack()
            self._files()
        with step("disk"):
            self._disk()

    def _packages(self) -> Path:
        """The base system and the kernel's .deb."""
        kernels = sorted((self.packages.folder / "kernel").glob("*.deb"))
        if self.base.exists() and kernels and not self.fresh:
            return kernels[-1]
        names = list(self.manifest.packages)
        with step("download packages"), self.packages.alone():
            self.packages.prepare()
            kernel = self.packages.download(
                names, lambda text: say(step="download packages", phase=Phase.NOTE, detail=text)
            )
        with step("Debian system"):
            scratch = self.work / "scratch"
            scratch.mkdir()
            unfinished = self.work / "base.tar"
            self.packages.bootstrap(names, unfinished, scratch)
            unfinished.replace(self.base)
        return kernel

    def _unpack(self) -> None:
        self.runner.run(
            ["tar", "-C", str(self.root), "--numeric-owner", "--xattrs", "--xattrs-include=*", "-xpf", str(self.base)],
            BASE_CURE,
        )
        for name in EMPTIED:
            folder = self.root / name
            for path in folder.iterdir() if folder.is_dir() else ():
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    def _kernel(self, package: Path) -> None:
        """The kernel and its modules: what the initramfs loads, and what the guest's own disk holds."""
        with step("kernel"):
            unpacked = self.work / "kernel"
            self.runner.run(["dpkg-deb", "--extract", str(package), str(unpacked)])
            packed = next((unpacked / "boot").glob("vmlinuz-*")).read_bytes()
            kernel = vmlinux(packed)
            if kernel is None:
                say(step="kernel", phase=Phase.NOTE, detail=BZIMAGE)
            (self.out / KERNEL).write_bytes(kernel or packed)

    def _files(self) -> None:
        version = next((self.work / "kernel" / "lib" / "modules").iterdir())
        tree = ModuleTree(version / "kernel")
        modules = self.manifest.modules
        try:
            first = tree.closure(modules.initramfs)
            medium = [module for module in tree.closure(modules.medium) if module not in first]
            everything = tree.closure((*modules.initramfs, *modules.boot, *modules.later, *modules.available))
        except LookupError as error:
            raise LabError(NO_MODULE.format(name=self.manifest.name), seen=str(error)) from error
        # lib is a link to usr/lib in Debian.
        target = self.root / "usr" / "lib" / "modules" / version.name
        target.mkdir(parents=True)
        kernel_modules.install(everything, tree, target)
        for list_name, names in (("boot", modules.boot), ("later", modules.later)):
            (self.root / "etc" / f"modules.{list_name}").write_text("".join(f"{name}\n" for name in names))
        for copy in self.manifest.copies:
            for source, inner in copied_files(copy):
                if copy.target:
                    self._copy(source, self.root / inner.lstrip("/"))
        self._applets()
        self._fixed()
        self._initrd(first, medium)
        if self.manifest.python:
            self._byte_code()

    def _copy(self, source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        if source.is_symlink():
            target.symlink_to(source.readlink())
            return
        shutil.copyfile(source, target)
        target.chmod(0o755 if source.stat().st_mode & stat.S_IXUSR else 0o644)

    def _applets(self) -> None:
        """Every busybox command that no package brings, by its own name."""
        applets = self.runner.output([str(self.root / "bin" / "busybox"), "--list"]).split()
        for applet in applets:
            if not any(os.path.lexists(self.root / folder / applet) for folder in BINARIES):
                (self.root / "usr" / "sbin" / applet).symlink_to("/bin/busybox")

    def _fixed(self) -> None:
        """What is one per machine on a Debian system and lies in memory here."""
        etc = self.root / "etc"
        for name, target in (("resolv.conf", "/run/resolv.conf"), ("hosts", "/run/hosts"), ("mtab", "/proc/mounts")):
            (etc / name).unlink(missing_ok=True)
            (etc / name).symlink_to(target)
        (etc / "hostname").unlink(missing_ok=True)
        for folder in ("dev", "proc", "sys", "run", "tmp"):
            (self.root / folder).mkdir(exist_ok=True)

    def _initrd(self, modules: list[Module], medium: list[Module]) -> None:
        def contents(listed: list[Module]) -> list[tuple[str, bytes]]:
            return [(module.name, kernel_modules.unsigned(module.path.read_bytes())) for module in listed]

        content = initramfs(
            (project_root() / "images" / "initramfs" / "init").read_bytes(),
            (self.root / "bin" / "busybox").read_bytes(),
            contents(modules),
            contents(medium),
        )
        (self.out / INITRD).write_bytes(content)

    def _byte_code(self) -> None:
        """By the guest's own Python. unchecked-hash: nothing is compared with its source at a start."""
        compiled = [
            "chroot",
            str(self.root),
            "python3",
            "-S",
            "-m",
            "compileall",
            "-q",
            "-f",
            "--invalidation-mode",
            "unchecked-hash",
        ]
        libraries = [f"/{path.relative_to(self.root)}" for path in (self.root / "usr" / "lib").glob("python3.*")]
        self.runner.run([*compiled, *libraries, "/usr/lib/uranus"])

    def _disk(self) -> None:
        raw = self.work / "disk.raw"
        options = f"hash_seed={FILE_SYSTEM_ID},lazy_itable_init=1,nodiscard,root_owner=0:0"
        self.runner.run(
            ["mke2fs", "-q", "-t", "ext4", "-d", str(self.root), "-L", "uranus", "-U", FILE_SYSTEM_ID, "-m", "0",
             "-J", "size=4", "-O", "^metadata_csum,^64bit,^huge_file,^resize_inode", "-E", options,
             str(raw), f"{self.manifest.disk_mib}M"],
            env={"MKE2FS_SYNC": "0"},
        )  # fmt: skip
        self.runner.run(["qemu-img", "convert", "-q", "-O", "qcow2", str(raw), str(self.out / DISK)])


def _leash() -> None:
    """Ends this process, and with its PID namespace all it started, when the caller is gone."""
    while os.read(0, 4096):
        pass
    os._exit(1)


def _give(request: Request) -> None:
    """Everything in the cache belongs to the one who asked, so that it can be removed without root."""
    cache = Path(request.cache)
    made = [Path(request.out), Path(request.log), *cache.glob("apt-*"), *cache.glob("base-*.tar")]
    for top in made:
        for path in (top, *top.rglob("*")):
            with contextlib.suppress(FileNotFoundError):
                os.chown(path, *request.owner, follow_symlinks=False)


def _problem(error: LabError | OSError) -> Problem:
    if isinstance(error, LabError):
        return error.problem
    full = isinstance(error, OSError) and error.errno == errno.ENOSPC
    return Problem(DISK_FULL if full else BROKE, seen=str(error), cure=NO_SPACE_CURE if full else "")


def main(words: str) -> int:
    """Build what the request asks for; the exit code."""
    request = Request(**json.loads(words))
    threading.Thread(target=_leash, daemon=True).start()
    try:
        hide_mounts()
        build = Build(request)
        try:
            build.run()
        finally:
            shutil.rmtree(build.work, ignore_errors=True)
            _give(request)
    except (LabError, OSError) as error:
        say(problem=asdict(_problem(error)))
        return PROBLEM
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

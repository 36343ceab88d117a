"""Guest images: found in the cache, or built into it. The one door to them for the rest of the lab."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.errors import LabError, Problem
from lab.events import Event, Listener, Phase, silent
from lab.host import image_cache, media_store
from lab.host.image_build import DISK, INITRD, KERNEL, Request
from lab.host.image_cache import Installed, check, image_path, images_home, leftovers, users
from lab.host.image_manifest import Manifest, base_hash, image_names, load_manifest, recipe_hash
from lab.host.image_packages import NO_SPACE_CURE
from lab.host.sudo import authenticate
from lab.paths import project_root

__all__ = [
    "GuestImage",
    "Installed",
    "Manifest",
    "described",
    "ensure",
    "first_builds",
    "image_names",
    "installed",
    "load_manifest",
    "overlay",
    "prune",
    "recipe_hash",
    "verify",
]

PROGRAM = "lab.host.image_build"
FILES = [DISK, KERNEL, INITRD]
MIB = 1 << 20
KEPT_VARIABLES = ("http_proxy", "https_proxy", "no_proxy")
SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"
NEEDED = {
    "mmdebstrap": "mmdebstrap",
    "mke2fs": "e2fsprogs",
    "qemu-img": "qemu-utils",
    "dpkg-deb": "dpkg",
    "apt-get": "apt",
}
"""Programs a build uses, and the Debian package of each."""

NOT_BUILT = "The guest image {name} is not built"
NOT_BUILT_CURE = "./inv image.build"
NO_PROGRAM = "Guest images cannot be built: {programs} missing"
NO_PROGRAM_CURE = "apt-get install {packages}"
NO_SPACE = "Not enough disk space to build the guest image {name}"
NO_SPACE_EXPECTED = "{needed} MiB free in {folder}"
NO_SPACE_SEEN = "{free} MiB free; {missing} MiB are missing"
IN_USE = "The guest image {name} is in use"
IN_USE_SEEN = "labs with disks on it: {labs}"
IN_USE_CURE = "End them first: ./inv lab.down --name NAME"
BROKE = "The build of the guest image {name} broke off"
BROKE_CURE = "Run the same command again: what was downloaded is kept."
CHANGED = "The files of the guest image {name} were changed while it was built"
CHANGED_CURE = "Run the same command again."
WAITING = "another build of this image is at work (process {holder}); waiting for it"
SHORT = "only our own files changed: about 10 s, nothing to download"
ESTIMATE = "first build: about {seconds} s, {download} MiB to download, {disk} MiB to keep"
OVERLAY = "A machine's disk could not be made"


@dataclass(frozen=True)
class GuestImage:
    """One image: `disk` is golden, guests get overlays on it. Booted with `kernel`, `initrd` and `cmdline`, or (None) from the disk.

    cmdline: parameters joined by spaces; a guest's own come behind. cmdline_tcg: more of them where the CPU is emulated.
    memory_mib: what its guests run in.
    """

    name: str
    recipe_hash: str
    disk: Path
    kernel: Path | None
    initrd: Path | None
    cmdline: str
    memory_mib: int
    cmdline_tcg: str = ""

    def parameters(self, accelerator: str) -> str:
        """Kernel parameters under this accelerator, `tcg` or `kvm`."""
        return f"{self.cmdline} {self.cmdline_tcg}".strip() if accelerator == "tcg" else self.cmdline


def installed() -> list[Installed]:
    """Every image in the cache, older recipes' too."""
    return image_cache.installed()


def verify(name: str) -> Installed:
    """Check every byte of an image against its record. Raises LabError: not built, damaged."""
    path = image_path(name, recipe_hash(name))
    if not path.exists():
        raise LabError(NOT_BUILT.format(name=name), expected=str(path), cure=NOT_BUILT_CURE)
    image = image_cache.read_record(path)
    check(image, thorough=True)
    return image


def ensure(name: str, listener: Listener = silent, force: bool = False) -> GuestImage:
    """The image of the recipe as it is now; built if it is not there, or if `force`.

    Raises LabError: the image is damaged, in use (with `force`), or cannot be built.
    """
    manifest = load_manifest(name)
    digest = recipe_hash(name)
    path = image_path(name, digest)
    if force or not path.exists():
        with _one_build(path, name, listener):
            # Somebody else's build may have ended while we waited.
            if force or not path.exists():
                _build(manifest, digest, path, listener, force)
    check(image_cache.read_record(path))
    return described(name)


def first_builds(names: Iterable[str]) -> list[Manifest]:
    """The recipes among these that `ensure` would have to build from nothing. Raises LabError: no such recipe."""
    recipes = [load_manifest(name) for name in names]
    return [recipe for recipe in recipes if not (_path(recipe).exists() or base_path(recipe).exists())]


def _path(recipe: Manifest) -> Path:
    return image_path(recipe.name, recipe_hash(recipe.name))


def described(name: str) -> GuestImage:
    """The image of the recipe as it is now, whether it is built or not. Raises LabError: no such recipe."""
    manifest = load_manifest(name)
    digest = recipe_hash(name)
    path = image_path(name, digest)
    return GuestImage(
        name=name,
        recipe_hash=digest,
        disk=path / DISK,
        kernel=path / KERNEL,
        initrd=path / INITRD,
        cmdline=" ".join(manifest.cmdline),
        memory_mib=manifest.memory_mib,
        cmdline_tcg=" ".join(manifest.cmdline_tcg),
    )


def overlay(golden: Path, target: Path, form: str = "qcow2") -> None:
    """Make `target`, a qcow2 disk that starts as `golden` and takes all writes. form: golden's, `qcow2` or `raw`. Raises LabError."""
    command = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", form, "-b", str(golden), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(OVERLAY, expected=str(target), seen=done.stderr.strip())


def prune() -> int:
    """Remove images of older recipes that no lab uses, base systems no recipe wants, and what killed builds left.

    Returns the bytes freed. Packages stay: with them an image can be built without a network. Raises LabError.
    """
    home = images_home()
    current = {image_path(name, recipe_hash(name)) for name in image_names()}
    current |= {image_path(medium.product, media_store.recipe(medium.medium)) for medium in media_store.stored()}
    bases = {base_path(load_manifest(name)) for name in image_names()}
    doomed = [image.path for image in installed() if image.path not in current and not users(image.path)]
    doomed += [path for path in home.glob("base-*.tar") if path not in bases]
    for name in image_names():
        with _try_lock(home / f"{name}.lock") as free:
            if free:
                doomed += [path for path in leftovers(home) if path.name.split("-")[1] == name]
    freed = sum(_size(path) for path in doomed)
    _remove(doomed)
    return freed


def base_path(manifest: Manifest) -> Path:
    """The Debian system an image starts from, kept so that a change of our own files is built in seconds."""
    return images_home() / f"base-{manifest.name}-{base_hash(manifest)[:12]}.tar"


def _size(path: Path) -> int:
    """Bytes on disk."""
    paths = [path, *path.rglob("*")] if path.is_dir() else [path]
    return sum(each.lstat().st_blocks * 512 for each in paths)


def _remove(paths: list[Path]) -> None:
    """A killed build leaves files of root's."""
    for path in paths:
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    remaining = [str(path) for path in paths if path.exists()]
    if remaining:
        authenticate()
        subprocess.run(["sudo", "-n", "--", "rm", "-rf", "--one-file-system", "--", *remaining], check=False)


@contextlib.contextmanager
def _try_lock(path: Path) -> Iterator[bool]:
    """Whether nobody is building; held until the end of the block."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True


@contextlib.contextmanager
def _one_build(path: Path, name: str, listener: Listener) -> Iterator[None]:
    """Builds of one image come one after the other. The lock ends with its process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / f"{name}.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "?"
            listener(Event(_subject(name), "wait", Phase.NOTE, detail=WAITING.format(holder=holder)))
            fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield


def _subject(name: str) -> str:
    return f"image {name}"


def _build(manifest: Manifest, digest: str, path: Path, listener: Listener, force: bool) -> None:
    """Build beside, then rename: a folder with the image's own name is always whole."""
    home = path.parent
    _preflight(manifest, path)
    _remove([left for left in leftovers(home) if left.name.split("-")[1] == manifest.name])
    listener(Event(_subject(manifest.name), "build", Phase.NOTE, detail=_estimate(manifest, force)))
    out = Path(tempfile.mkdtemp(prefix=f"{image_cache.UNFINISHED}{manifest.name}-", dir=home))
    request = Request(
        name=manifest.name,
        out=str(out),
        cache=str(home),
        log=str(home / f"{manifest.name}.log"),
        owner=(os.getuid(), os.getgid()),
        fresh=force,
        mirror=os.environ.get("URANUS_MIRROR", ""),
    )
    try:
        _run(request, listener)
        if recipe_hash(manifest.name) != digest:
            raise LabError(CHANGED.format(name=manifest.name), cure=CHANGED_CURE)
        image_cache.write_record(out, manifest.name, digest, FILES)
        out.chmod(0o755)
        _replace(path, out)
    except BaseException:
        _remove([out])
        raise


def _estimate(manifest: Manifest, force: bool) -> str:
    if base_path(manifest).exists() and not force:
        return SHORT
    cost = manifest.estimate
    return ESTIMATE.format(seconds=cost.seconds, download=cost.download_mib, disk=cost.disk_mib)


def _replace(path: Path, out: Path) -> None:
    """Two renames: in the blink between them the image is absent, never half there."""
    old = path.with_name(f"{image_cache.OLD}{path.name}")
    if path.exists():
        path.rename(old)
    out.rename(path)
    _remove([old] if old.exists() else [])


def _preflight(manifest: Manifest, path: Path) -> None:
    """Raises LabError for whatever would stop the build later."""
    found = f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"
    missing = [program for program in NEEDED if shutil.which(program, path=found) is None]
    if missing:
        packages = " ".join(sorted({NEEDED[program] for program in missing}))
        raise LabError(NO_PROGRAM.format(programs=", ".join(missing)), cure=NO_PROGRAM_CURE.format(packages=packages))
    labs = users(path)
    if labs:
        raise LabError(
            IN_USE.format(name=manifest.name), seen=IN_USE_SEEN.format(labs=", ".join(labs)), cure=IN_USE_CURE
        )
    home = path.parent
    needed = manifest.estimate.build_mib
    free = shutil.disk_usage(home).free // MIB
    if free < needed:
        raise LabError(
            NO_SPACE.format(name=manifest.name),
            expected=NO_SPACE_EXPECTED.format(needed=needed, folder=home),
            seen=NO_SPACE_SEEN.format(free=free, missing=needed - free),
            cure=NO_SPACE_CURE,
        )
    authenticate()


def _command(request: Request) -> list[str]:
    """As root, in mount and PID namespaces of its own: when its first process ends, all it started and mounted is gone."""
    program = [
        "unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--propagation", "unchanged", "--",
        sys.executable, "-B", "-m", PROGRAM, json.dumps(asdict(request)),
    ]  # fmt: skip
    if os.geteuid() == 0:
        return program
    return ["sudo", "--non-interactive", f"--preserve-env={','.join(KEPT_VARIABLES)}", "--", *program]


def _run(request: Request, listener: Listener) -> None:
    """Run the build and pass its progress on. Raises LabError: the build's own, or that it broke off."""
    environment = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"}
    problem: Problem | None = None
    last = ""
    with subprocess.Popen(
        _command(request), cwd=project_root(), env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0,
    ) as build:  # fmt: skip
        assert build.stdout is not None
        assert build.stderr is not None
        try:
            for line in build.stdout:
                words = json.loads(line)
                if "problem" in words:
                    problem = Problem(**words["problem"])
                else:
                    listener(_event(request.name, words))
            last = build.stderr.read()
        finally:
            # Letting go of the leash ends the build, if it has not ended.
            assert build.stdin is not None
            build.stdin.close()
            build.wait()
    if problem is not None:
        raise LabError(problem)
    if build.returncode:
        seen = last.strip() or f"exit code {build.returncode}"
        raise LabError(BROKE.format(name=request.name), seen=seen, log=request.log, cure=BROKE_CURE)


def _event(name: str, words: dict[str, object]) -> Event:
    return Event(
        _subject(name), str(words["step"]), Phase(str(words["phase"])),
        seconds=float(str(words.get("seconds", 0.0))), detail=str(words.get("detail", "")),
    )  # fmt: skip

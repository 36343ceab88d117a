"""Debian packages for guest images: an apt of our own, beside the system's, whose downloads survive a killed build."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError

MIRROR = "http://deb.debian.org/debian"
SECURITY_MIRROR = "http://deb.debian.org/debian-security"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
KERNEL = "linux-image-cloud-amd64"
"""Debian's kernel for virtual machines: the smallest, with virtio and netfilter."""

LOG_LINES = 12

NO_SPACE = os.strerror(errno.ENOSPC)
NO_SPACE_CURE = "Free some space (./inv image.prune), or set URANUS_CACHE to a folder on a larger disk."
FAILED = "{program} failed while building a guest image"
NETWORK_CURE = "Check the network (a proxy? http_proxy), or name another mirror: URANUS_MIRROR=http://…/debian"
NO_KEYRING = "Debian's archive keys are not on this computer"
NO_KEYRING_CURE = "apt-get install debian-archive-keyring"
NO_KERNEL = "Debian offers no kernel for the guests"
OFFLINE = "no network: using the packages downloaded before"

EXCLUDED = (
    "/usr/share/doc/*",
    "/usr/share/info/*",
    "/usr/share/man/*",
    "/usr/share/locale/*",
    "/usr/share/lintian/*",
    "/usr/share/bug/*",
    "/usr/share/bash-completion/*",
    "/usr/share/gcc/*",
    "/usr/share/gdb/*",
)
"""Only what no package's own installation looks at."""


@dataclass(frozen=True)
class Runner:
    """Runs the programs of a build; all they say goes into one log."""

    log: Path

    def run(self, command: Sequence[str], cure: str = "", env: Mapping[str, str] | None = None) -> None:
        """Raises LabError with the end of the log."""
        with self.log.open("ab") as log:
            log.write(f"$ {shlex.join(command)}\n".encode())
            log.flush()
            status = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
                env={**os.environ, "LC_ALL": "C", **(env or {})},
            ).returncode
        if status:
            tail = self.log.read_text(errors="replace").splitlines()[-LOG_LINES:]
            full = any(NO_SPACE in line for line in tail)
            raise LabError(
                FAILED.format(program=command[0]),
                seen="\n".join(tail),
                log=str(self.log),
                cure=NO_SPACE_CURE if full else cure,
            )

    def output(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> str:
        """What a short command prints; "" when it fails."""
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            env={**os.environ, "LC_ALL": "C", **(env or {})},
        ).stdout  # fmt: skip


def proxies(dump: str, env: Mapping[str, str]) -> list[str]:
    """How the host's apt reaches the network, as lines of apt.conf: its own settings, else the usual variables."""
    lines = [line for line in dump.splitlines() if re.match(r'Acquire::https?::\S+ "[^"]+";', line)]
    for scheme in ("http", "https"):
        proxy = env.get(f"{scheme}_proxy", "")
        if proxy and not any(line.startswith(f"Acquire::{scheme}::Proxy ") for line in lines):
            lines.append(f'Acquire::{scheme}::Proxy "{proxy}";')
    return lines


class PackageCache:
    """Package lists and .deb files of one suite, kept below the image cache."""

    def __init__(self, folder: Path, suite: str, runner: Runner, mirror: str = "") -> None:
        self.folder = folder
        self.suite = suite
        self.runner = runner
        self.archives = folder / "archives"
        self.lists = folder / "lists"
        self.mirror = mirror
        self.conf = folder / "apt.conf"

    @property
    def sources(self) -> list[str]:
        """Lines of sources.list."""
        signed = f"[arch=amd64 signed-by={KEYRING}]"
        main = self.mirror or MIRROR
        security = f"{self.mirror}-security" if self.mirror else SECURITY_MIRROR
        return [
            f"deb {signed} {main} {self.suite} main",
            f"deb {signed} {main} {self.suite}-updates main",
            f"deb {signed} {security} {self.suite}-security main",
        ]

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Two builds may share the cache, but not the same moment."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def prepare(self) -> None:
        """Make the folders and the settings. Raises LabError."""
        if not KEYRING.exists():
            raise LabError(NO_KEYRING, expected=str(KEYRING), cure=NO_KEYRING_CURE)
        for path in (self.archives / "partial", self.lists / "partial", self.folder / "kernel"):
            path.mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        (self.folder / "sources.list").write_text("".join(f"{line}\n" for line in self.sources))
        settings = {
            "APT::Architecture": "amd64",
            "APT::Architectures": "amd64",
            "APT::Install-Recommends": "false",
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            "Dir::Etc::Parts": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "Dir::Etc::SourceList": str(self.folder / "sources.list"),
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::State": str(self.folder),
            "Dir::State::Lists": str(self.lists),
            "Dir::State::status": str(self.folder / "status"),
            "Dir::Cache": str(self.folder),
            "Dir::Cache::Archives": str(self.archives),
            "Dir::Cache::pkgcache": "",
            "Dir::Cache::srcpkgcache": "",
        }
        lines = [f'{key} "{value}";' for key, value in settings.items()] + self.proxies()
        self.conf.write_text("".join(f"{line}\n" for line in lines))

    def proxies(self) -> list[str]:
        return proxies(self.runner.output(["apt-config", "dump"]), os.environ)

    def download(self, packages: Sequence[str], note: Callable[[str], None]) -> Path:
        """Fetch these packages, Debian's essential ones, all they depend on, and the kernel. Returns the kernel's .deb.

        Without a network the packages of an earlier build serve. Raises LabError.
        """
        env = {"APT_CONFIG": str(self.conf)}
        try:
            self.runner.run(["apt-get", "update", "--error-on=any"], NETWORK_CURE, env)
        except LabError:
            if not any(self.lists.glob("*_Packages*")):
                raise
            note(OFFLINE)
        wanted = ["?essential", *packages]
        self.runner.run(["apt-get", "install", "-y", "--download-only", *wanted], NETWORK_CURE, env)
        return self._kernel(env)

    def _kernel(self, env: Mapping[str, str]) -> Path:
        depends = self.runner.output(["apt-cache", "depends", KERNEL], env)
        found = re.search(r"Depends: (linux-image-\S+)", depends)
        if not found:
            raise LabError(NO_KERNEL, expected=KERNEL, log=str(self.runner.log), cure=NETWORK_CURE)
        package = found[1]
        version = re.search(r"Candidate: (\S+)", self.runner.output(["apt-cache", "policy", package], env))
        name = f"{package}_{version[1].replace(':', '%3a')}_amd64.deb" if version else ""
        folder = self.folder / "kernel"
        if not (folder / name).is_file():
            for old in folder.glob("*.deb"):
                old.unlink()
            download = ["env", "-C", str(folder), "apt-get", "download", package]
            self.runner.run(download, NETWORK_CURE, env)
        return next(folder.glob("*.deb"))

    def bootstrap(self, packages: Sequence[str], target: Path, scratch: Path) -> None:
        """Make a Debian system with these packages as a tar file. scratch: an empty folder on the cache's disk. Raises LabError."""
        q = shlex.quote
        hook = (
            f'mkdir -p "$1/var/cache/apt/archives/partial" "$1/var/lib/apt/lists/partial"'
            f' && cp -l {q(str(self.archives))}/*.deb "$1/var/cache/apt/archives/"'
            f' && cp {q(str(self.lists))}/*_* "$1/var/lib/apt/lists/"'
        )
        options = [*self.proxies(), 'Acquire::Languages "none";', 'APT::Sandbox::User "root";']
        command = [
            "mmdebstrap",
            "--mode=root",
            "--variant=essential",
            "--architectures=amd64",
            "--format=tar",
            f"--include={','.join(sorted(packages))}",
            f"--setup-hook={hook}",
            "--skip=update",
            *(f"--aptopt={option}" for option in options),
            *(f"--dpkgopt=path-exclude={pattern}" for pattern in EXCLUDED),
            self.suite,
            str(target),
            *self.sources,
        ]
        self.runner.run(command, NETWORK_CURE, {"TMPDIR": str(scratch)})

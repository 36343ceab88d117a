"""What a machine must have before a lab is begun on it: said in one line each, with the cure."""

from __future__ import annotations

import importlib.util
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError, Problem
from lab.host import sudo

SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where programs are looked for: a user's own PATH has no sbin on Debian, sudo's has."""

TUN = Path("/dev/net/tun")

MISSING = "{what} is missing: {why}"
INSTALL = "apt-get install {packages}"
MEMORY = "Not enough memory: {need} MiB needed, {have} MiB available, {missing} MiB missing"
MEMORY_CURE = "End another lab (lab.list, lab.down), close something, or give this machine more memory."
DISK = "Not enough disk space in {directory}: {need} MiB needed, {have} MiB free, {missing} MiB missing"
DISK_CURE = "Free some space (image.prune removes images nobody uses), or set {variable} to another disk."
NO_TUN = "/dev/net/tun is missing: guests are wired through it"
NO_TUN_CURE = "modprobe tun; in a container pass the device in (--device /dev/net/tun)."
NO_NAMESPACES = "This machine refuses new namespaces: a lab lives in one"
NO_NAMESPACES_CURE = "Run on the machine itself; in a container with CAP_SYS_ADMIN (--privileged)."
NOT_READY = "This machine is not ready for a lab: {count} things to mend"


@dataclass(frozen=True)
class Part:
    """Something a Debian package brings. what: a program, a file (with /), or a Python module (`python:NAME`)."""

    what: str
    package: str
    why: str


LAB_PARTS = (
    Part("qemu-system-x86_64", "qemu-system-x86", "it runs the guests"),
    Part("qemu-img", "qemu-utils", "it makes the guests' disks"),
    Part("libvirtd", "libvirt-daemon", "it keeps the guests"),
    Part("/usr/lib/*/libvirt/connection-driver/libvirt_driver_qemu.so", "libvirt-daemon-driver-qemu", "libvirt's QEMU driver"),
    Part("python:libvirt", "python3-libvirt", "the lab talks to libvirt through it"),
    Part("ip", "iproute2", "it makes the networks"),
    Part("nft", "nftables", "it cuts and disturbs wires"),
    Part("tcpdump", "tcpdump", "it records the wires"),
    Part("mformat", "mtools", "it makes the disk a firewall reads its config.xml from"),
)  # fmt: skip

IMAGE_PARTS = (Part("mmdebstrap", "mmdebstrap", "it builds the Debian guests' images"),)

VAGRANT_PARTS = (
    Part("vagrant", "vagrant", "it boots labs of the provider vagrant"),
    Part("/usr/share/rubygems-integration/all/specifications/vagrant-libvirt-*", "vagrant-libvirt", "Vagrant's way to libvirt"),
    Part("dnsmasq", "dnsmasq-base", "it gives the machines addresses for `vagrant ssh`"),
    Part("iptables", "iptables", "libvirt closes that network with it"),
    Part("/usr/lib/*/libvirt/connection-driver/libvirt_driver_network.so", "libvirt-daemon-driver-network", "libvirt's networks"),
    Part("/usr/lib/*/libvirt/connection-driver/libvirt_driver_storage.so", "libvirt-daemon-driver-storage", "libvirt's disks"),
)  # fmt: skip


@dataclass(frozen=True)
class Room:
    """Disk space wanted. variable: the environment variable that moves the directory elsewhere."""

    directory: Path
    mib: int
    variable: str = "URANUS_STATE"


def installed(what: str) -> bool:
    """Whether a Part is there."""
    if what.startswith("python:"):
        return importlib.util.find_spec(what.removeprefix("python:")) is not None
    if "/" in what:
        return any(True for _ in Path("/").glob(what.lstrip("/")))
    return shutil.which(what, path=SEARCH) is not None


def missing_parts(parts: Iterable[Part], look: Callable[[str], bool] = installed) -> list[Problem]:
    """A problem for each part that is not there."""
    return [
        Problem(MISSING.format(what=part.what, why=part.why), cure=INSTALL.format(packages=part.package))
        for part in parts
        if not look(part.what)
    ]


def available_mib(meminfo: Path = Path("/proc/meminfo"), group: Path = Path("/sys/fs/cgroup")) -> int:
    """Memory that programs can still get without swapping, MiB; within this container's limit where there is one."""
    rows = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
    free = int(rows["MemAvailable"].split()[0]) // 1024
    try:
        limit, used = (int((group / name).read_text()) for name in ("memory.max", "memory.current"))
    except (OSError, ValueError):  # no cgroup v2, or no limit ("max")
        return free
    return min(free, max(0, limit - used) >> 20)


def memory(mib: int, available: Callable[[], int] = available_mib) -> list[Problem]:
    """A problem when fewer than `mib` MiB of memory are available."""
    have = available()
    return [] if have >= mib else [Problem(MEMORY.format(need=mib, have=have, missing=mib - have), cure=MEMORY_CURE)]


def free_mib(directory: Path) -> int:
    """Free space where a directory is, or would be, MiB."""
    while not directory.exists():
        directory = directory.parent
    return shutil.disk_usage(directory).free >> 20


def disk(room: Room, free: Callable[[Path], int] = free_mib) -> list[Problem]:
    """A problem when a directory has not the room wanted."""
    have = free(room.directory)
    if have >= room.mib:
        return []
    told = DISK.format(directory=room.directory, need=room.mib, have=have, missing=room.mib - have)
    return [Problem(told, cure=DISK_CURE.format(variable=room.variable))]


def tun(device: Path = TUN) -> list[Problem]:
    """A problem without the tap device."""
    try:
        there = stat.S_ISCHR(device.stat().st_mode)
    except OSError:
        there = False
    return [] if there else [Problem(NO_TUN, cure=NO_TUN_CURE)]


def namespaces() -> list[Problem]:
    """A problem where root itself may not make namespaces, or where there is no way to be root."""
    try:
        sudo.authenticate()
    except LabError as error:
        return [error.problem]
    # "unchanged": to change how mounts spread fails in a plain chroot, where / is no mount
    command = [*sudo.prefix(), "unshare", "--net", "--mount", "--propagation", "unchanged", "true"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return []
    return [Problem(NO_NAMESPACES, seen=done.stderr.strip(), cure=NO_NAMESPACES_CURE)]


def check(parts: Iterable[Part] = LAB_PARTS, mib: int = 0, rooms: Iterable[Room] = ()) -> None:
    """Everything a lab needs, looked at before anything is begun. mib: memory for its guests, MiB.

    Raises LabError: the one problem, or all of them together with one command that installs all that is missing.
    """
    wanted = list(parts)
    lacking = [part for part in wanted if not installed(part.what)]
    problems = missing_parts(lacking, lambda _: False)
    problems += memory(mib) + [problem for room in rooms for problem in disk(room)] + tun() + namespaces()
    raise_all(problems, sorted({part.package for part in lacking}))


def check_programs(parts: Iterable[Part]) -> None:
    """Raises LabError where a part is not installed, with the one command that installs what is missing."""
    lacking = [part for part in parts if not installed(part.what)]
    raise_all(missing_parts(lacking, lambda _: False), sorted({part.package for part in lacking}))


def raise_all(problems: list[Problem], packages: list[str]) -> None:
    """Raises LabError where there are problems: one as it is, several as a list."""
    if not problems:
        return
    if len(problems) == 1:
        raise LabError(problems[0])
    cures = [INSTALL.format(packages=" ".join(packages))] if packages else []
    cures += [problem.cure for problem in problems if not problem.cure.startswith(INSTALL.format(packages=""))]
    raise LabError(
        NOT_READY.format(count=len(problems)),
        seen="\n".join(problem.summary for problem in problems),
        cure="\n".join(dict.fromkeys(cures)),
    )

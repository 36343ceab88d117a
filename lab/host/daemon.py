"""Root's half of the private libvirtd: a mount namespace in which libvirt's directories are the lab's own.

Called by lab.host.privileged in a process that already stands in the lab's network namespace.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path

from lab.errors import LabError
from lab.host import syscalls
from lab.host.connection import open_libvirt
from lab.host.members import POLL
from lab.paths import LabPaths

BINDS = (
    ("run", Path("/run/libvirt")),
    ("lib", Path("/var/lib/libvirt")),
    ("etc", Path("/etc/libvirt")),
    ("cache", Path("/var/cache/libvirt")),
    ("log", Path("/var/log/libvirt")),
)
"""Directory below LabPaths.libvirt, and the libvirt directory it takes the place of."""

KVM = Path("/dev/kvm")

RUNTIME = ("run", "lib", "etc")
"""What the end of a world removes; cache/ (capabilities) and log/ stay."""

LOG = "libvirtd.log"
"""Below log/."""

SOCKETS = ("libvirt-sock", "libvirt-sock-ro", "libvirt-admin-sock")

QEMU_ACCOUNT = "libvirt-qemu"
"""Debian's build of libvirt looks this account up before it reads its settings, and does not start without."""

START_SECONDS = 60.0
"""Deadline for libvirtd to answer (0.5 s on an idle machine)."""

STUCK_SECONDS = 15.0
"""How long a libvirtd that runs but does not answer may still be starting."""

NAME = "libvirtd"
ABSENT = "libvirtd is not installed"
ABSENT_CURE = "apt-get install libvirt-daemon libvirt-daemon-driver-qemu"
FAILED = "The lab's own libvirtd did not start"
FAILED_CURE = "Read the log; then lab.down and lab.up."


def is_libvirtd(command: str) -> bool:
    """Whether a command line is that of a libvirtd."""
    return Path(command.split(" ", 1)[0]).name == NAME


def answers(paths: LabPaths) -> bool:
    """Whether somebody accepts connections on the lab's libvirt socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2.0)
        try:
            client.connect(str(paths.libvirt_socket))
        except OSError:
            return False
    return True


def wait_or_end(paths: LabPaths, pid: int) -> None:
    """Give a libvirtd that does not answer yet the time to do so, then end it."""
    deadline = time.monotonic() + STUCK_SECONDS
    while Path(f"/proc/{pid}").exists() and not answers(paths):
        if time.monotonic() > deadline:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(POLL)


def _make_room(target: Path) -> None:
    """Give a missing directory a place to mount on without making anything on the host.

    In this mount namespace alone the parent becomes a tmpfs that shows the same entries, and the directory beside them.
    """
    parent = target.parent
    old = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        mode = stat.S_IMODE(os.fstat(old).st_mode)
        with os.scandir(old) as listing:
            entries = list(listing)
        syscalls.mount("tmpfs", parent, "tmpfs")
        parent.chmod(mode)
        for entry in entries:
            place = parent / entry.name
            if entry.is_symlink():
                place.symlink_to(os.readlink(entry.name, dir_fd=old))
                continue
            if entry.is_dir():
                place.mkdir()
            else:
                place.touch()
            syscalls.bind(f"/proc/self/fd/{old}/{entry.name}", place, recursive=True)
    finally:
        os.close(old)
    target.mkdir()


def _add_account(paths: LabPaths, owner: tuple[int, int]) -> None:
    """Let libvirtd see its account where no package made it: in this mount namespace alone, with the owner's ids."""
    uid, gid = owner
    for database, line in (
        (Path("/etc/passwd"), f"{QEMU_ACCOUNT}:x:{uid}:{gid}::/:/usr/sbin/nologin\n"),
        (Path("/etc/group"), f"{QEMU_ACCOUNT}:x:{gid}:\n"),
    ):
        text = database.read_text()
        if not re.search(rf"^{QEMU_ACCOUNT}:", text, re.MULTILINE):
            copy = paths.libvirt / "etc" / database.name
            copy.write_text(text.rstrip("\n") + "\n" + line)
            syscalls.bind(copy, database)


def _hide_kvm(paths: LabPaths) -> None:
    """Make /dev/kvm unusable, for root too: a plain file on a read-only mount in its place.

    Where libvirt sees the device but the guests' user may not open it, it forgets all it knows of QEMU at every step
    and finds it out again: 4 s for each look at a guest.
    """
    if KVM.exists():
        cover = paths.libvirt / "etc" / "no-kvm"
        cover.touch(mode=0o000)
        syscalls.bind(cover, KVM)
        syscalls.mount(cover, KVM, flags=syscalls.MS_BIND | syscalls.MS_REMOUNT | syscalls.MS_RDONLY)


def _rearrange(paths: LabPaths, owner: tuple[int, int], kvm: bool) -> None:
    """Enter a new mount namespace and put the lab's directories in place."""
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.hide_mounts()
    for directory, target in BINDS:
        if not target.is_dir():
            _make_room(target)
        syscalls.bind(paths.libvirt / directory, target)
    _add_account(paths, owner)
    if not kvm:
        _hide_kvm(paths)
    # A sysfs of its own shows this network namespace's devices, and no cgroups: with neither these nor D-Bus in sight
    # libvirt registers guests with nobody on the host.
    syscalls.detach("/sys")
    syscalls.mount("sysfs", "/sys", "sysfs")
    if Path("/run/dbus").is_dir():
        syscalls.mount("tmpfs", "/run/dbus", "tmpfs")


def _complaints(log: Path) -> str:
    """The last errors libvirtd wrote, for a person."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join([line for line in lines if ": error :" in line][-3:])


def start(paths: LabPaths, owner: tuple[int, int], kvm: bool) -> None:
    """Start libvirtd from within the lab's network namespace and hand its sockets to the owner. Raises LabError.

    kvm: whether it gets to see /dev/kvm.
    """
    program = shutil.which(NAME, path="/usr/sbin:/sbin:/usr/bin:/usr/local/sbin")
    if program is None:
        raise LabError(ABSENT, cure=ABSENT_CURE)
    log = paths.libvirt / "log" / LOG
    _rearrange(paths, owner, kvm)
    environment = {
        **{name: value for name, value in os.environ.items() if name.startswith("URANUS_")},
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/",
        "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/run/dbus/system_bus_socket",
    }
    server = subprocess.Popen(
        [program, "--pid-file", "/run/libvirt/libvirtd.pid"],
        env=environment, cwd="/", start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + START_SECONDS
    while not answers(paths):
        if server.poll() is not None or time.monotonic() > deadline:
            break
        time.sleep(POLL)
    try:
        open_libvirt(paths.libvirt_uri).close()
    except LabError as error:
        server.kill()
        seen = _complaints(log) or error.problem.seen
        raise LabError(FAILED, seen=seen, log=str(log), cure=FAILED_CURE) from error
    for name in SOCKETS:
        with contextlib.suppress(FileNotFoundError):
            os.chown(paths.libvirt / "run" / name, *owner)
    os.chown(log, *owner)

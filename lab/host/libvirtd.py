"""The lab's own libvirtd: its settings, its start, and connections to it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import LabError
from lab.host import capabilities, sudo
from lab.host.connection import open_libvirt
from lab.host.daemon import BINDS, KVM, LOG, answers
from lab.host.state import unusable
from lab.paths import LabPaths

if TYPE_CHECKING:
    import libvirt

SOCKET_PATH_LIMIT = 107
"""Bytes in the path of a UNIX socket: sockaddr_un.sun_path is 108 with its end mark (unix(7))."""

LIBVIRTD_CONF = """\
listen_tls = 0
listen_tcp = 0
unix_sock_rw_perms = "0700"
unix_sock_ro_perms = "0700"
unix_sock_admin_perms = "0700"
auth_unix_rw = "none"
auth_unix_ro = "none"
log_outputs = "3:file:/var/log/libvirt/{log}"
"""

QEMU_CONF = """\
user = "+{uid}"
group = "+{gid}"
stdio_handler = "file"
security_driver = "none"
namespaces = []
cgroup_controllers = []
"""
"""Guests run as the caller, so that disks, sockets and logs in the state directory stay the caller's."""

TOO_LONG = "The state directory's path is too long for a UNIX socket"
TOO_LONG_CURE = "Set URANUS_STATE to a shorter directory, or give the lab a shorter name."


def check_socket_path(path: Path) -> None:
    """Raises LabError when a UNIX socket cannot have that path."""
    length = len(os.fsencode(path))
    if length > SOCKET_PATH_LIMIT:
        raise LabError(
            TOO_LONG,
            expected=f"at most {SOCKET_PATH_LIMIT} bytes",
            seen=f"{length} bytes: {path}",
            cure=TOO_LONG_CURE,
        )


@dataclass(frozen=True)
class PrivateLibvirt:
    """The libvirtd inside a lab's world. Stateless: whether it runs is asked of its socket. It ends with the world."""

    paths: LabPaths

    def prepare(self) -> None:
        """Write its directories and settings. Raises LabError."""
        try:
            self._write()
        except OSError as error:
            raise unusable(self.paths.root, error) from error

    def _write(self) -> None:
        check_socket_path(self.paths.libvirt / "run" / "libvirt-admin-sock")
        check_socket_path(self.paths.libvirt_socket)
        for directory, _ in BINDS:
            (self.paths.libvirt / directory).mkdir(mode=0o755, parents=True, exist_ok=True)
        (self.paths.libvirt / "log" / "qemu").mkdir(mode=0o755, exist_ok=True)
        capabilities.seed(self.paths)
        etc = self.paths.libvirt / "etc"
        (etc / "libvirtd.conf").write_text(LIBVIRTD_CONF.format(log=LOG))
        (etc / "qemu.conf").write_text(QEMU_CONF.format(uid=os.getuid(), gid=os.getgid()))

    def start(self, kvm: bool = True) -> None:
        """Start it where it does not run; the world must exist. Returns when its drivers are up. Raises LabError.

        kvm: whether guests are to run under KVM; False where the accelerator probe has turned it down.
        """
        if not self.running():
            self.prepare()
            sudo.call(self.paths, "libvirtd", kvm=kvm and os.access(KVM, os.R_OK | os.W_OK))
        self.connect().close()

    def running(self) -> bool:
        """Whether it accepts connections."""
        return answers(self.paths)

    def connect(self) -> libvirt.virConnect:
        """A new connection; the caller closes it. Raises LabError."""
        return open_libvirt(self.paths.libvirt_uri)

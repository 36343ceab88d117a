"""Where the stand-in keeps things. Everything hangs below one root, so that a test can have its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """config: pfSense's own path. run: sockets and leases. The rest is named as on pfSense where it exists there."""

    root: Path = Path("/")

    @property
    def config(self) -> Path:
        return self.root / "cf/conf/config.xml"

    @property
    def backups(self) -> Path:
        return self.root / "cf/conf/backup"

    @property
    def wizard_flag(self) -> Path:
        return self.root / "cf/conf/trigger_initial_wizard"

    @property
    def package_flag(self) -> Path:
        return self.root / "cf/conf/needs_package_sync"

    @property
    def run(self) -> Path:
        return self.root / "run/standin"

    @property
    def control_socket(self) -> Path:
        return self.run / "control.sock"

    @property
    def booting(self) -> Path:
        """There while the boot lasts, as on pfSense."""
        return self.root / "var/run/booting"

    @property
    def xmlrpc_lock(self) -> Path:
        return self.root / "tmp/xmlrpc.lock"

    @property
    def certificate(self) -> Path:
        """Of the web interface, where config.xml brings none; its key beside it ends in `.key`."""
        return self.root / "var/etc/cert.crt"

    @property
    def sessions(self) -> Path:
        """One file a login of the web interface."""
        return self.run / "sessions"

    @property
    def ruleset(self) -> Path:
        return self.root / "tmp/rules.debug"

    @property
    def web_pid(self) -> Path:
        """Process that answers the web interface, while there is one."""
        return self.run / "web.pid"

    @property
    def single_user_flag(self) -> Path:
        """Read, and taken away, by /sbin/init."""
        return self.root / "cf/single_user"

    @property
    def mount_point(self) -> Path:
        return self.root / "tmp/mnt/cf"

    @property
    def boot_log(self) -> Path:
        return self.root / "var/log/boot.log"

    @property
    def system_log(self) -> Path:
        return self.root / "var/log/system.log"

    @property
    def daemon_log(self) -> Path:
        """What the daemons and what they start have to say that no one asked for."""
        return self.root / "var/log/standin.log"

    def lease(self, nic: str) -> Path:
        return self.run / f"lease.{nic}"

    @property
    def applied_leases(self) -> Path:
        """What the leases said when the machine was last made to obey them."""
        return self.run / "leases.applied"

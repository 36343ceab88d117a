"""The stand-in's process 1 without a virtual machine: its own process, mount, network and name (UTS) namespaces, its own root."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import tty
from pathlib import Path

import pexpect
import pexpect.fdpexpect

from tests.wire.namespaces import Node

PROJECT = Path(__file__).parents[2]
GUEST = PROJECT / "images" / "standin" / "guest"
# The host's programs over an empty root; what is written stays in that root.
ENTER = """
set -e
cd "$1"
for folder in usr dev; do mount --rbind /$folder $folder; done
mount --bind uranus/bin usr/local/sbin
mount -t proc proc proc
mount -t sysfs sysfs sys
exec chroot . /usr/bin/env -i PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin PYTHONPATH=/uranus \
    /usr/bin/python3 -S -m standin init "$2"
"""
LIMIT = 60


class BootedGuest:
    """`line` is its serial line, a pexpect handle."""

    def __init__(self, root: Path, node: Node, config: str) -> None:
        self.root = root
        for folder in ("usr", "dev", "proc", "sys", "run", "tmp", "root", "etc", "cf/conf", "var/log", "uranus/lab"):
            (root / folder).mkdir(parents=True)
        for link in ("bin", "sbin", "lib", "lib64"):
            (root / link).symlink_to(f"usr/{link}")
        (root / "conf").symlink_to("cf/conf")
        for name in ("protocols", "services", "passwd", "group"):
            if Path("/etc", name).exists():
                shutil.copy(Path("/etc", name), root / "etc" / name)
        (root / "cf/conf/config.xml").write_text(config)
        shutil.copytree(GUEST / "standin", root / "uranus/standin")
        shutil.copytree(GUEST / "bin", root / "uranus/bin", symlinks=True)
        for script in ("rc.filter_configure_sync", "rc.filter_synchronize", "rc.reload_all", "rc.reboot"):
            (root / "etc" / script).symlink_to("/usr/local/sbin/standin-command")
        shutil.copytree(PROJECT / "lab/carp", root / "uranus/lab/carp")
        shutil.copytree(PROJECT / "lab/config", root / "uranus/lab/config", ignore=shutil.ignore_patterns("check"))
        shutil.copytree(PROJECT / "lab/console/catalogue", root / "uranus/lab/console/catalogue")
        for package in ("lab", "lab/console"):
            shutil.copy(PROJECT / package / "__init__.py", root / "uranus" / package)
        master, slave = pty.openpty()
        tty.setraw(slave)
        enter = [
            "unshare",
            "-m",
            "-p",
            "-u",
            "-f",
            "--kill-child",
            "--propagation",
            "private",
            "sh",
            "-c",
            ENTER,
            "enter",
        ]
        self.process = node.start(
            [*enter, str(root), os.ttyname(slave)], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave
        )
        os.close(slave)
        self.line = pexpect.fdpexpect.fdspawn(master, timeout=LIMIT, encoding="utf-8", codec_errors="replace")

    def type(self, text: str) -> None:
        self.line.send(text + "\r")

    def menu(self) -> str:
        """Wait for the next menu; what came before it."""
        self.line.expect_exact("Enter an option: ")
        return str(self.line.before)

    def run(self, command: str) -> str:
        """One command in a plain shell that `shell` entered; what it printed."""
        self.type(command)
        self.line.expect_exact("@@LAB@@ ")
        _, _, output = str(self.line.before).partition("\r\n")
        return output.replace("\r\n", "\n")

    def shell(self) -> None:
        """From the menu into /bin/sh with a prompt of ours."""
        self.type("8")
        self.line.expect("/root(\x1b\\[[0-9;]*m)*:(\x1b\\[[0-9;]*m)* ")
        self.type("exec /bin/sh")
        self.line.expect_exact("\r\n# ")
        self.type("PS1='@@LAB''@@ '")
        self.line.expect_exact("\r\n@@LAB@@ ")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.line.close()

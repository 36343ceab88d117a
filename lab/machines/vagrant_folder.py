"""A rendered folder at work in a lab's world: python-vagrant composes the commands, the lab's namespace runs them.

The machines it makes are domains of the lab's own libvirtd, under their plain names: the other modules of this floor meet them there.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

import libvirt
import vagrant

from lab.errors import LabError
from lab.host.boxes import settings
from lab.host.libvirtd import PrivateLibvirt
from lab.host.world import World
from lab.paths import LabPaths

WRAPPER = "vagrant"
"""Name of the script in the folder."""

LOG = "vagrant.log"
"""Below the lab's directory: all that Vagrant says."""

LOG_LINES = 25
ERRORS = "Any errors that occurred are shown below."
"""Vagrant, batch_action: what comes before is what the machines said while others still ran."""

NETWORK = "<network><name>{name}</name><forward mode='bridge'/><bridge name={bridge}/></network>"

FAILED = "vagrant {words} failed"
FAILED_CURE = "Read the log; `./inv lab.down` and `./inv lab.up --provider vagrant` start afresh."

SCRIPT = """\
#!/bin/sh
# Vagrant in the world of lab {name}: ./vagrant status, ./vagrant ssh client, ./vagrant destroy -f
# Plain `vagrant` is for this folder on a computer of its own: it would ask the system's libvirt.
cd "$(dirname "$0")" || exit
enter={enter}
[ "$(id -u)" = 0 ] || enter="sudo $enter setpriv --reuid=$(id -u) --regid=$(id -g) --init-groups"
exec $enter env {settings} vagrant "$@"
"""


@dataclass(frozen=True)
class VagrantFolder:
    """The folder of one lab: Vagrantfile, config/, and what Vagrant keeps in .vagrant/."""

    paths: LabPaths

    @property
    def root(self) -> Path:
        return self.paths.root / "vagrant"

    @property
    def settings(self) -> Mapping[str, str]:
        """Environment variables Vagrant needs in there."""
        return {
            **settings(),
            "LIBVIRT_DEFAULT_URI": self.paths.libvirt_uri,
            "URANUS_CONSOLES": str(self.paths.console_log("x").parent),
        }

    def write_script(self) -> Path:
        """The user's own way in."""
        enter = f"nsenter --net=/run/netns/{self.paths.namespace} --"
        words = " ".join(f"{key}={shlex.quote(value)}" for key, value in self.settings.items())
        path = self.root / WRAPPER
        path.write_text(SCRIPT.format(name=self.paths.name, enter=shlex.quote(enter), settings=words))
        path.chmod(0o755)
        return path

    def wire(self, networks: Mapping[str, str]) -> None:
        """Make the lab's bridges known to libvirt, so that Vagrant finds its networks there. networks: name -> bridge."""
        connection = PrivateLibvirt(self.paths).connect()
        try:
            known = {network.name() for network in connection.listAllNetworks()}
            for name, bridge in networks.items():
                if name not in known:
                    xml = NETWORK.format(name=name, bridge=quoteattr(bridge))
                    connection.networkDefineXML(xml).create()
        except libvirt.libvirtError as error:
            raise LabError(FAILED.format(words="networks"), seen=str(error), cure=FAILED_CURE) from error
        finally:
            connection.close()

    def up(self, seconds: float) -> None:
        """`vagrant up`: every machine made and started, those with ssh reachable. Raises LabError; at most that many seconds."""
        _InWorld(self, seconds).up(provider="libvirt")

    def run(self, *words: str, seconds: float) -> str:
        """Any other command of Vagrant; returns its stdout. Raises LabError."""
        return _InWorld(self, seconds).run(words)

    def states(self, seconds: float = 60.0) -> dict[str, str]:
        """Machine -> state, as `vagrant status` says. Raises LabError."""
        return {one.name: one.state for one in _InWorld(self, seconds).status()}


def complaints(text: str) -> str:
    """What Vagrant says went wrong, without Ruby's own trace and what it did before."""
    lines = text.rpartition(ERRORS)[2].replace("\r", "\n").splitlines()
    return "\n".join([line for line in lines if line.strip() and not line.startswith(("/", "\x1b"))][:LOG_LINES])


class _InWorld(vagrant.Vagrant):
    """python-vagrant, its commands run in the lab's namespace as the user who owns the lab. They end with this process."""

    def __init__(self, folder: VagrantFolder, seconds: float) -> None:
        super().__init__(root=str(folder.root))
        self._folder = folder
        self._seconds = seconds

    def run(self, words: Sequence[str]) -> str:
        return self._run_vagrant_command(words)

    def _call_vagrant_command(self, args: Sequence[str | None]) -> None:
        self._in_world(args, to_log=True)

    def _run_vagrant_command(self, args: Sequence[str | None]) -> str:
        return self._in_world(args, to_log=False)

    def _in_world(self, args: Sequence[str | None], to_log: bool) -> str:
        """Run to the end, stderr into the log, stdout too or given back. Raises LabError."""
        words = [word for word in args if word is not None]
        path = self._folder.paths.root / LOG
        with path.open("a") as log:
            log.write(f"$ vagrant {shlex.join(words)}\n")
            log.flush()
            start = path.stat().st_size
            stdout = log if to_log else subprocess.PIPE
            inside = World(self._folder.paths).spawn(self._command(words), stdout=stdout, stderr=log)
            slow = ""
            try:
                out, _ = inside.process.communicate(timeout=self._seconds)
            except subprocess.TimeoutExpired:
                out, slow = b"", f"it did not end within {self._seconds:.0f} s\n"
            finally:
                code = inside.stop()
        if code or slow:
            raise LabError(
                FAILED.format(words=shlex.join(words)),
                expected="exit code 0",
                seen=f"{slow}exit code {code}\n{complaints(path.read_text(errors='replace')[start:])}",
                log=str(path),
                cure=FAILED_CURE,
            )
        return (out or b"").decode(errors="replace")

    def _command(self, words: list[str]) -> list[str]:
        owner = (
            []
            if os.getuid() == 0
            else ["setpriv", f"--reuid={os.getuid()}", f"--regid={os.getgid()}", "--clear-groups"]
        )
        variables = [f"{key}={value}" for key, value in self._folder.settings.items()]
        return [*owner, "env", f"--chdir={self._folder.root}", f"HOME={Path.home()}", *variables, "vagrant", *words]

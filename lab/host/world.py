"""A lab's own network namespace, with one bridge per network."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any

from lab.errors import LabError
from lab.host import capabilities, sudo
from lab.host.members import NETNS, Process, is_namespace
from lab.host.state import private_directory
from lab.host.sudo import Inside
from lab.paths import LabPaths

COMMAND_FAILED = "A command failed inside the lab's namespace"
COMMAND_SLOW = "A command inside the lab's namespace did not end in time"


@dataclass(frozen=True)
class World:
    """Everything of a lab that lives in the kernel. Stateless: what is there is asked each time."""

    paths: LabPaths

    def create(self, bridges: Sequence[str]) -> None:
        """Make the namespace and these bridges, or repair them. bridges: link names of at most 15 characters.

        Bridges have no spanning tree, no forward delay, no multicast snooping, no IPv6, and no netfilter on their
        frames; `lo` is up; the namespace has no way out. Raises LabError.
        """
        private_directory(self.paths.root)
        sudo.call(self.paths, "create", bridges=list(bridges))

    def exists(self) -> bool:
        """Whether the namespace stands. Needs no rights."""
        return is_namespace(NETNS / self.paths.namespace)

    def processes(self) -> tuple[Process, ...]:
        """Every process of the lab, by pid. Raises LabError."""
        return tuple(Process(**row) for row in sudo.call(self.paths, "processes"))

    def start_broker(self) -> None:
        """Start the owner of the lab's serial lines where none answers; it ends with the world. Raises LabError."""
        sudo.call(self.paths, "broker")

    def run(self, command: Sequence[str], text: str = "", timeout: float = 30.0) -> str:
        """Run a command inside as root, with `text` on its stdin, and return its stdout.

        timeout in seconds. Raises LabError when it fails, with its stderr, or does not end in time.
        """
        inside = self.spawn(command, text, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = " ".join(command)
        try:
            out, err = inside.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            raise LabError(COMMAND_SLOW, expected=f"{line}, within {timeout:g} s") from error
        finally:
            inside.stop()
        if inside.process.returncode != 0:
            seen = err.decode(errors="replace").strip() or out.decode(errors="replace").strip()
            raise LabError(COMMAND_FAILED, expected=line, seen=seen)
        return out.decode(errors="replace")

    def spawn(
        self,
        command: Sequence[str],
        text: str = "",
        stdout: int | IO[Any] | None = None,
        stderr: int | IO[Any] | None = None,
    ) -> Inside:
        """Start a command inside as root (a capture, say). It ends at stop(), or with this process. Raises LabError."""
        return sudo.spawn(self.paths, command, text, stdout, stderr)

    def destroy(self) -> None:
        """End every process of the lab, remove namespace, mounts, sockets and runtime files; keep disks and logs.

        Works from any half-made state, does nothing where nothing is, never touches what is not the lab's.
        Raises LabError when a process cannot be ended.
        """
        sudo.call(self.paths, "destroy")
        capabilities.keep(self.paths)

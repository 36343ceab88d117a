"""How the engine, run by anybody, reaches the piece that needs root: directly as root, else through sudo."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import IO, Any

from lab.errors import LabError, Problem
from lab.paths import LabPaths, project_root

PROGRAM = "lab.host.privileged"
END_SECONDS = 10.0
"""How long a command inside the world may take to end after its leash was let go."""

NO_SUDO = "This needs root, and sudo is not installed"
NO_SUDO_CURE = "Run as root, or: apt-get install sudo"
REFUSED = "This needs root, and sudo refused"
REFUSED_CURE = "Run as root, or let this user use sudo (adduser USER sudo), or run `sudo -v` in this terminal first."
BROKEN = "The privileged part of the lab broke"


def _command(paths: LabPaths, verb: str, request: dict[str, object]) -> list[str]:
    words = {"root": str(paths.root), "owner": [os.getuid(), os.getgid()], **request}
    return [*prefix(), sys.executable, "-m", PROGRAM, verb, json.dumps(words)]


def prefix() -> list[str]:
    """What to put before a command that needs root."""
    return [] if os.geteuid() == 0 else ["sudo", "--non-interactive", "--"]


def authenticate() -> None:
    """Make sure that sudo will obey without a question; asks the person now on a terminal. Raises LabError."""
    if os.geteuid() == 0:
        return
    try:
        if subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
            return
        asked = subprocess.run(["sudo", "-v"], stderr=None if sys.stdin.isatty() else subprocess.PIPE, check=False)
    except FileNotFoundError as error:
        raise LabError(NO_SUDO, cure=NO_SUDO_CURE) from error
    if asked.returncode != 0:
        raise LabError(REFUSED, seen=(asked.stderr or b"").decode(errors="replace").strip(), cure=REFUSED_CURE)


@contextlib.contextmanager
def _leash() -> Iterator[int]:
    """Our end stays open until the verb has ended; if we die before, it knows."""
    far, near = os.pipe()
    try:
        yield far
    finally:
        os.close(far)
        os.close(near)


def call(paths: LabPaths, verb: str, **request: object) -> Any:
    """Run one verb to its end and return its answer. Raises LabError: the verb's own, or that root is out of reach."""
    authenticate()
    with _leash() as far:
        done = subprocess.run(
            _command(paths, verb, request),
            cwd=project_root(), text=True, stdin=far, capture_output=True, check=False,
        )  # fmt: skip
    try:
        reply = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        raise LabError(BROKEN, seen=done.stderr.strip() or f"exit code {done.returncode}") from None
    if "problem" in reply:
        raise LabError(Problem(**reply["problem"]))
    return reply["answer"]


class Inside:
    """A command at work inside a lab's world. It ends when it likes, at stop(), or when this process dies.

    process: the Popen whose stdout and stderr are the command's; its exit code is the command's too.
    """

    def __init__(self, process: subprocess.Popen[bytes], leash: int) -> None:
        self.process = process
        self._leash = leash

    def __enter__(self) -> Inside:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> int:
        """End the command (SIGTERM, then SIGKILL) and return its exit code."""
        with contextlib.suppress(OSError):
            os.close(self._leash)
        self._leash = -1
        try:
            return self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def spawn(
    paths: LabPaths,
    command: Sequence[str],
    text: str = "",
    stdout: int | IO[Any] | None = None,
    stderr: int | IO[Any] | None = None,
) -> Inside:
    """Start a command inside the world as root, `text` on its stdin. stdout, stderr: as for subprocess.Popen."""
    authenticate()
    far, near = os.pipe()
    try:
        process = subprocess.Popen(
            _command(paths, "run", {"command": list(command), "text": text}),
            cwd=project_root(), stdin=far, stdout=stdout, stderr=stderr, process_group=0,
        )  # fmt: skip
    except OSError:
        os.close(near)
        raise
    finally:
        os.close(far)
    return Inside(process, near)

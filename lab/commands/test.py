"""The project's own checks and tests, in one run of pytest: its closing line counts all of them."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

from lab.paths import project_root

FAST = "not (slow or wire or lab)"


def run(fast: bool = False, args: str = "") -> int:
    """Run pytest on tests/ and give back its exit code.

    fast: leave out what is marked slow, wire or lab.
    args: more arguments for pytest, quoted as for a shell.
    """
    command = [sys.executable, "-m", "pytest", *(("-m", FAST) if fast else ()), *shlex.split(args)]
    return subprocess.run(
        command, cwd=project_root(), stdin=subprocess.DEVNULL, env={**os.environ}, check=False
    ).returncode

"""The checks that read the code instead of running it; each counts as one test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.paths import project_root

CHECKS = {
    "ruff check": ("ruff", "check", "."),
    "ruff format": ("ruff", "format", "--check", "--diff", "."),
    "mypy": ("mypy",),
    "lint-imports": ("lint-imports",),
}


@pytest.mark.parametrize("check", CHECKS)
def test_check(check: str) -> None:
    tool, *options = CHECKS[check]
    root = project_root()
    done = subprocess.run(
        [Path(sys.executable).parent / tool, *options],
        cwd=root,
        # the guests' package lies where import-linter would not look
        env={**os.environ, "PYTHONPATH": f"{root}:{root / 'images/standin/guest'}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"{check}\n{done.stdout}{done.stderr}", pytrace=False)

"""Golden files: compare a text with the one in tests/golden, or with URANUS_GOLDEN=write put it there."""

from __future__ import annotations

import os
from pathlib import Path

GOLDEN = Path(__file__).resolve().parent / "golden"


def assert_golden(name: str, text: str) -> None:
    """name: path below tests/golden."""
    path = GOLDEN / name
    if os.environ.get("URANUS_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert path.exists(), f"{path} is missing: run once with URANUS_GOLDEN=write and read what it writes"
    assert text == path.read_text()

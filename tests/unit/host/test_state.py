from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import LabError
from lab.host.state import private_directory


def test_directory_is_closed_to_others(tmp_path: Path) -> None:
    made = tmp_path / "a" / "lab"
    private_directory(made)
    assert made.stat().st_mode & 0o777 == 0o700


def test_open_directory_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    private_directory(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LabError, match="cannot be used") as caught:
        private_directory(tmp_path / "file" / "lab")
    assert "URANUS_STATE" in caught.value.problem.cure

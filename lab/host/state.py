"""The directory of one lab: made for its owner alone."""

from __future__ import annotations

from pathlib import Path

from lab.errors import LabError

UNUSABLE = "The lab's directory cannot be used"
UNUSABLE_CURE = "Set URANUS_STATE to a directory of yours on a disk with room."


def unusable(directory: Path, error: OSError) -> LabError:
    """What to raise when something cannot be written there."""
    return LabError(UNUSABLE, expected=str(directory), seen=str(error), cure=UNUSABLE_CURE)


def private_directory(directory: Path) -> None:
    """Make a directory that only its owner can look into, or close one that is open. Raises LabError."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if directory.stat().st_mode & 0o077:
            directory.chmod(0o700)
    except OSError as error:
        raise unusable(directory, error) from error

"""A mount namespace of one's own, on a computer and in a plain chroot (where / is no mount)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.host import syscalls


def propagation(point: Path) -> str:
    """The optional fields of a mount in /proc/self/mountinfo: `shared:N`, `master:N` or nothing."""
    lines = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return " ".join(next(f[6 : f.index("-")] for f in lines if f[4] == str(point)))


@pytest.mark.parametrize("root_is_a_mount", [True, False])
def test_what_is_mounted_stays_here(tmp_path: Path, root_is_a_mount: bool) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "inner").mkdir()
    child = os.fork()
    if not child:
        status = 1
        try:
            syscalls.unshare(syscalls.CLONE_NEWNS)
            syscalls.hide_mounts()
            if root_is_a_mount:
                syscalls.bind(tmp_path, tmp_path)
            syscalls.bind("/proc", tmp_path / "proc", recursive=True)
            syscalls.bind(tmp_path / "inner", tmp_path / "inner")
            syscalls.mount("none", tmp_path / "inner", flags=1 << 20)  # MS_SHARED
            os.chroot(tmp_path)
            os.chdir("/")
            before = propagation(Path("/inner"))
            syscalls.hide_mounts()
            status = 0 if before.startswith("shared:") and "shared:" not in propagation(Path("/inner")) else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

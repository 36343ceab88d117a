"""The rendered folder: the script in it, and what is told of Vagrant's failures."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from lab.machines.vagrant_folder import VagrantFolder, complaints
from lab.paths import LabPaths

FAILURE = """\
==> master: Creating image (snapshot of base box volume).
\x1b[K==> master: Progress: 40%
==> master: An error occurred. The error will be shown after all tasks complete.
An error occurred while executing multiple actions in parallel.
Any errors that occurred are shown below.

An unexpected error occurred when executing the action on the
'master' machine. Please report this as a bug:

Call to virDomainCreateWithFlags failed: no such bridge

/usr/lib/ruby/vendor_ruby/fog/libvirt/requests/compute/vm_action.rb:7:in `create'
"""


def test_of_a_failure_only_what_went_wrong_is_told() -> None:
    assert complaints(FAILURE).splitlines() == [
        "An unexpected error occurred when executing the action on the",
        "'master' machine. Please report this as a bug:",
        "Call to virDomainCreateWithFlags failed: no such bridge",
    ]


def test_the_script_enters_the_labs_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With programs that only tell how they were called: whatever is in the paths stays one word."""
    monkeypatch.setenv("URANUS_CACHE", str(tmp_path / "a cache"))
    folder = VagrantFolder(LabPaths(tmp_path / "states" / "one"))
    folder.root.mkdir(parents=True)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (("nsenter", 'echo "$1"; shift 2; exec "$@"'), ("vagrant", 'echo "$VAGRANT_HOME|$PWD|$*"')):
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    for name in ("sudo", "setpriv"):
        (programs / name).write_text('#!/bin/sh\nwhile [ "${1#-}" != "$1" ]; do shift; done; exec "$@"\n')
        (programs / name).chmod(0o755)
    script = folder.write_script()
    done = subprocess.run(
        [script, "ssh", "client", "-c", "ip a"], env={"PATH": f"{programs}:{os.environ['PATH']}"}, text=True,
        capture_output=True, check=True, cwd="/",
    )  # fmt: skip
    entered, told = done.stdout.splitlines()
    assert entered == f"--net=/run/netns/{folder.paths.namespace}"
    assert told == f"{tmp_path / 'a cache' / 'vagrant'}|{folder.root}|ssh client -c ip a"

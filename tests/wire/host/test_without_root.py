"""The same world for somebody who is not root but may use sudo.

The account and its right to sudo exist in a mount namespace of this test alone, with a copy of the program others can
read: the machine's own accounts are not touched.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.paths import project_root

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(shutil.which("sudo") is None, reason="sudo is not installed"),
    pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed"),
]

USER, ID = "uranus-guest", 64123

AS_USER = """
set -eu
cd "$1"
for file in passwd shadow group sudoers; do mount --bind "$1/$file" "/etc/$file"; done
mount -t tmpfs none /etc/sudoers.d
shift
exec setpriv --reuid {id} --regid {id} --init-groups "$@"
"""

PREPARE = """
import os, sys
sys.path.insert(0, {root!r})
from lab.host import syscalls
syscalls.unshare(syscalls.CLONE_NEWNS)
syscalls.hide_mounts()
os.execvp("bash", ["bash", "-c", {script!r}, "bash", *sys.argv[1:]])
"""

LIFE = """
import os, subprocess, sys
from pathlib import Path
sys.path.insert(0, os.getcwd())
from lab.host.world import World
from lab.paths import LabPaths
paths = LabPaths(Path(sys.argv[1]) / "sudotest")
world = World(paths)
world.create(["br-lan"])
assert os.geteuid() == {id}
assert world.run(["id", "-u"]).strip() == "0"
assert "br-lan" in world.run(["ip", "link"])
(paths.libvirt / "run").mkdir(parents=True)
world.run(["touch", str(paths.libvirt / "log-of-root")])
capture = world.spawn(["sleep", "1003"], stderr=subprocess.DEVNULL)
while not any(one.command == "sleep 1003" for one in world.processes()):
    pass
capture.stop()
assert not any(one.command == "sleep 1003" for one in world.processes())
world.destroy()
assert not world.exists()
assert (paths.libvirt / "log-of-root").stat().st_uid == {id}
print("lived")
"""

REFUSED = """
import os, sys
from pathlib import Path
sys.path.insert(0, os.getcwd())
from lab.errors import LabError
from lab.host.world import World
from lab.paths import LabPaths
try:
    World(LabPaths(Path(sys.argv[1]) / "sudotest")).create(["br-lan"])
except LabError as error:
    print(error)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory of the user's, with accounts for it, and the program where the user can read it."""
    directory = Path(tempfile.mkdtemp(prefix="uranus-sudo-", dir="/tmp"))
    directory.chmod(0o755)
    for name, line in (
        ("passwd", f"{USER}:x:{ID}:{ID}::/tmp:/bin/sh"),
        ("shadow", f"{USER}:*:19000:0:99999:7:::"),
        ("group", f"{USER}:x:{ID}:"),
    ):
        shutil.copy(Path("/etc") / name, directory / name)
        with (directory / name).open("a") as file:
            file.write(f"{line}\n")
    shutil.copytree(project_root() / "lab", directory / "lab", ignore=shutil.ignore_patterns("__pycache__"))
    state = directory / "state"
    state.mkdir()
    shutil.chown(state, ID, ID)
    yield directory
    shutil.rmtree(directory)


def run_as_user(home: Path, code: str, rights: str) -> subprocess.CompletedProcess[str]:
    (home / "sudoers").write_text(f"root ALL=(ALL) ALL\n{rights}\n")
    (home / "sudoers").chmod(0o440)
    # A virtual environment below /root is out of the user's reach; the system's Python will do.
    python = sys.executable if Path(sys.executable).resolve().is_relative_to("/usr") else "/usr/bin/python3"
    if any(not parent.stat().st_mode & 0o001 for parent in Path(python).parents):
        python = "/usr/bin/python3"
    prepare = PREPARE.format(root=str(project_root()), script=AS_USER.format(id=ID))
    return subprocess.run(
        [sys.executable, "-c", prepare, str(home), python, "-c", code, str(home / "state")],
        cwd=home,
        text=True,
        capture_output=True,
        check=False,
        timeout=120,
    )


def test_user_with_sudo_has_a_world_and_owns_its_files(home: Path) -> None:
    done = run_as_user(home, LIFE.format(id=ID), f"{USER} ALL=(ALL) NOPASSWD: ALL")
    assert done.stdout == "lived\n", done.stderr


def test_user_without_sudo_is_told_what_to_do(home: Path) -> None:
    done = run_as_user(home, REFUSED, "")
    assert done.stdout.startswith("This needs root, and sudo refused"), done.stderr
    assert f"adduser {USER} sudo" in done.stdout or "adduser USER sudo" in done.stdout

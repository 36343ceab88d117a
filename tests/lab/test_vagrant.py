"""The lab by way of Vagrant: up, the user's own vagrant commands, check, failover, down; and the folder without this project."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.host.boxes import settings
from lab.host.libvirtd import PrivateLibvirt
from lab.host.preflight import VAGRANT_PARTS, installed
from lab.host.world import World
from lab.paths import LabPaths
from tests.lab.conftest import Result, inv, start

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(
        not all(installed(part.what) for part in VAGRANT_PARTS),
        reason="Vagrant is not installed: `./inv test` installs it",
    ),
]
NAME = "vg"


def test_killed_while_vagrant_is_at_work_then_down_leaves_nothing(state_home: Path) -> None:
    up = start("lab.up", "--provider", "vagrant", "--name", "vtorn")
    log = state_home / "vtorn" / "vagrant.log"
    while up.poll() is None and not (log.exists() and "Creating domain" in log.read_text()):
        time.sleep(0.05)
    up.send_signal(signal.SIGKILL)
    up.communicate()
    down = inv("lab.down", "--name", "vtorn")
    assert down.code == 0, down.err
    assert not (state_home / "vtorn").exists()


def test_the_folder_works_without_this_project(state_home: Path, tmp_path: Path) -> None:
    """A libvirtd, Vagrant, the boxes and the folder: nothing else, and nothing left by `vagrant destroy`."""
    folder = tmp_path / "handout"
    assert inv("topology.render", str(folder)).code == 0
    paths = LabPaths(state_home / "other")
    world, daemon = World(paths), PrivateLibvirt(paths)
    world.create([])
    try:
        daemon.start(kvm=False)
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(tmp_path), **settings(), "LIBVIRT_DEFAULT_URI": paths.libvirt_uri,
        }  # fmt: skip

        def plain(*words: str) -> str:
            done = subprocess.run(
                ["nsenter", f"--net=/run/netns/{paths.namespace}", *words], cwd=folder, env=environment,
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
            return done.stdout

        plain("vagrant", "up", "master", "client")  # two of the six: time
        # The firewalls got their configuration: the virtual address answers, from a client that came by DHCP of nobody.
        found = plain(
            "vagrant", "ssh", "client", "-c", "for i in $(seq 60); do ping -c 1 -W 2 172.17.1.252 && exit; done; exit 1"
        )
        assert "bytes from 172.17.1.252" in found
        plain("vagrant", "destroy", "-f")
        for kind in ("list", "net-list", "vol-list default"):
            named = plain("virsh", "--quiet", *kind.split(), *(("--all",) if kind != "vol-list default" else ()))
            assert "handout" not in named
            assert "uranus-" not in named or kind == "vol-list default"  # the boxes' own images stay, as Vagrant has it
    finally:
        world.destroy()
        shutil.rmtree(paths.root, ignore_errors=True)
    assert os.environ["URANUS_STATE"] == str(state_home)


@pytest.fixture(scope="module")
def lab(state_home: Path) -> Iterator[LabPaths]:
    """The default lab, brought up by Vagrant."""
    paths = LabPaths(state_home / NAME)
    up = inv("lab.up", "--provider", "vagrant", "--name", NAME)
    assert up.code == 0, up.err[-6000:]
    yield paths
    down = inv("lab.down", "--name", NAME)
    assert down.code == 0, down.err[-3000:]
    assert not paths.root.exists()


def vagrant(paths: LabPaths, *words: str) -> Result:
    """As the user types it, in the rendered folder."""
    done = subprocess.run(
        ["./vagrant", *words], cwd=paths.root / "vagrant", stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    return Result(done.returncode, done.stdout, done.stderr)


def test_vagrants_own_commands_work_in_the_folder(lab: LabPaths) -> None:
    status = vagrant(lab, "status", "--machine-readable")
    states = {
        row.split(",")[1]: row.split(",")[3] for row in status.out.splitlines() if row.split(",")[2:3] == ["state"]
    }
    assert states == dict.fromkeys(("master", "backup", "client", "server", "web", "internet"), "running")
    ssh = vagrant(lab, "ssh", "client", "-c", "ping -c 1 -W 5 172.17.1.252 && ip route")
    assert ssh.code == 0, ssh.err
    # The only way out is the lab's.
    assert [line for line in ssh.out.splitlines() if line.startswith("default")] == [
        "default via 172.17.1.252 dev eth0 "
    ]


def test_check_and_failover_are_those_of_any_lab(lab: LabPaths) -> None:
    check = inv("lab.check", "--name", NAME, "--json")
    assert check.code == 0, check.out[-3000:] + check.err[-3000:]
    failover = inv("lab.failover", "--fault", "kill", "--name", NAME, "--json")
    assert failover.out, failover.err[-3000:]
    report = failover.json
    late = [problem for problem in report["problems"] if "outside the law by +" in problem]
    assert report["problems"] == late, failover.err[-3000:]
    assert {(move["phase"], move["new"]) for move in report["hand_overs"]} == {
        ("fault", "backup"),
        ("return", "master"),
    }

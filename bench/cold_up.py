"""Cold `lab.up` against the bare floor: the same guests, to the same mark, in turns, in one run.

    .venv/bin/python -m bench.cold_up [--rounds 3]

The mark is "clients configured, VHIDs elected": every machine has printed its ready line, and the first firewall's advert
has been seen on every network with a VIP. The floor (bench/floor.py) is a shell script whose disks were made beforehand;
`lab.up` makes its own, checks the images, starts a libvirtd and proves the election, all within its time.

What counts is the ratio of two times measured one after the other on one machine, not a time.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.floor import script
from bench.rig import Spread, report
from lab.host.accelerator import accelerator
from lab.host.fatdisk import write_config_disk
from lab.host.images import GuestImage, ensure, overlay
from lab.host.passwords import passwords_of
from lab.paths import LabPaths, project_root
from lab.render.config_xml import config_xml
from lab.render.domain_xml import Accelerator
from lab.topology.load import load_topology
from lab.topology.plan import Kind, Plan, make_plan
from lab.topology.stage import Stage

ROUND = "round {number}: floor {floor:.1f} s, lab.up {ours:.1f} s, ratio {ratio:.2f}"


def main() -> int:
    """Exit code 0 when every round came to its mark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    if os.geteuid() != 0:
        print("this bench makes a namespace and taps by hand: run it as root", file=sys.stderr)
        return 2
    plan = make_plan(load_topology("uranus", project_root() / "topologies"))
    images = {name: ensure(name) for name in ("standin", "client")}
    kind: Accelerator = "kvm" if accelerator().kind == "kvm" else "tcg"
    pairs: list[tuple[float, float]] = []
    home = Path(tempfile.mkdtemp(prefix="uranus-bench-", dir="/var/tmp"))
    try:
        for number in range(1, rounds + 1):
            floor = bare(plan, images, kind, LabPaths(home / f"floor{number}"))
            ours = lab_up(home / f"state{number}")
            pairs.append((floor, ours))
            print(ROUND.format(number=number, floor=floor, ours=ours, ratio=ours / floor), flush=True)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    spreads = [
        Spread("bare floor", "s", tuple(floor for floor, _ in pairs)),
        Spread("lab.up, images cached", "s", tuple(ours for _, ours in pairs)),
        Spread("lab.up / bare floor", "ratio", tuple(ours / floor for floor, ours in pairs)),
    ]
    report("cold_up", spreads, {"rounds": rounds})
    return 0


def lab_up(state: Path) -> float:
    """Seconds of one `lab.up` from nothing; the lab is ended afterwards."""
    environment = {**os.environ, "URANUS_STATE": str(state)}
    command = [sys.executable, "-m", "invoke", "--search-root", str(project_root())]

    def inv(*words: str) -> None:
        subprocess.run([*command, *words], env=environment, check=True, capture_output=True, stdin=subprocess.DEVNULL)

    begin = time.monotonic()
    try:
        inv("lab.up", "--cold")
        return time.monotonic() - begin
    finally:
        inv("lab.down", "--all", "--purge")


def bare(plan: Plan, images: dict[str, GuestImage], kind: Accelerator, paths: LabPaths) -> float:
    """Seconds from the start of the shell script to its mark."""
    secrets = passwords_of(paths.secrets, plan.topology)
    for machine in plan.machines:
        firewall = machine.kind is Kind.FIREWALL
        paths.disk(machine.name).parent.mkdir(parents=True, exist_ok=True)
        paths.console_log(machine.name).parent.mkdir(parents=True, exist_ok=True)
        overlay(images["standin" if firewall else "client"].disk, paths.disk(machine.name))
        if firewall:
            text = config_xml(plan, machine.name, Stage.RULES, secrets, revision_time=int(time.time()))
            write_config_disk(paths.config_disk(machine.name), text.encode())
    path = paths.root / "floor.sh"
    path.write_text(script(plan, images, kind, paths))
    begin = time.monotonic()
    marked = None
    with subprocess.Popen(["bash", str(path)], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if line.startswith("MARK"):
                marked = time.monotonic() - begin
    if marked is None:
        raise SystemExit(f"the floor never came to its mark: {path}")
    return marked


if __name__ == "__main__":
    sys.exit(main())

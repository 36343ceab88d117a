"""`topology.render` and `lab.status` against the least any command can take: `--version` of the same program, in turns.

    .venv/bin/python -m bench.quick_commands [--rounds 10] [--no-lab]

`lab.status` is measured on a lab that this bench brings up, and is left out with --no-lab.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from bench.rig import Spread, inv, need_root, report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--no-lab", action="store_true")
    asked = parser.parse_args()
    commands: dict[str, tuple[str, ...]] = {"the program alone": ("--version",)}
    state = Path(tempfile.mkdtemp(prefix="uranus-bench-", dir="/var/tmp"))
    commands["topology.render"] = ("topology.render", str(state / "rendered"))
    if not asked.no_lab:
        need_root()
        commands |= {"lab.status": ("lab.status", "--json"), "lab.list": ("lab.list", "--json")}
    times: dict[str, list[float]] = {what: [] for what in commands}
    try:
        if not asked.no_lab:
            inv(state, "lab.up", "--cold")
        for _ in range(asked.rounds):
            for what, words in commands.items():
                times[what].append(inv(state, *words).seconds)
    finally:
        inv(state, "lab.down", "--all", "--purge", check=False)
        shutil.rmtree(state, ignore_errors=True)
    floor, *others = commands
    spreads = [Spread(what, "s", tuple(values)) for what, values in times.items()]
    for what in others:
        ratios = tuple(a / b for a, b in zip(times[what], times[floor], strict=True))
        spreads.append(Spread(f"{what} / {floor}", "ratio", ratios))
    report("quick_commands", spreads, vars(asked))
    return 0


if __name__ == "__main__":
    sys.exit(main())

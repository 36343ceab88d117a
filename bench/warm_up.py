"""Warm `lab.up`, `lab.save` and `lab.reset` against cold `lab.up`: the same lab, in turns, in one run.

    .venv/bin/python -m bench.warm_up [--rounds 3] [--resets 3]

Each round: cold up, `lab.save`, resets, down, warm up, a full `lab.check`, down. Times are of whole commands, Python's start included.
"resumed" is the moment at which the guests run again; the command ends when clocks, roles and allowed paths are proved.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from bench.rig import Spread, inv, need_root, report

ROUND = (
    "round {number}: cold {cold:.1f} s, save {save:.1f} s, reset {reset:.1f} s, warm {warm:.1f} s, check {check:.1f} s"
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--resets", type=int, default=3)
    asked = parser.parse_args()
    need_root()
    cold: list[float] = []
    save: list[float] = []
    pause: list[float] = []
    resumed: list[float] = []
    reset: list[float] = []
    warm: list[float] = []
    check: list[float] = []
    state = Path(tempfile.mkdtemp(prefix="uranus-bench-", dir="/var/tmp"))
    try:
        for number in range(1, asked.rounds + 1):
            cold.append(inv(state, "lab.up", "--cold").seconds)
            saved = inv(state, "lab.save", "bench", "--json")
            save.append(saved.seconds)
            pause.append(saved.json["pause"])
            for _ in range(asked.resets):
                back = inv(state, "lab.reset", "--json")
                resumed.append(back.json["resumed_at"] - back.began)
                reset.append(back.seconds)
            inv(state, "lab.down")
            warm.append(inv(state, "lab.up").seconds)
            check.append(inv(state, "lab.check").seconds)
            inv(state, "lab.down", "--purge")
            print(
                ROUND.format(
                    number=number, cold=cold[-1], save=save[-1], reset=reset[-1], warm=warm[-1], check=check[-1]
                ),
                flush=True,
            )
    finally:
        inv(state, "lab.down", "--all", "--purge", check=False)
        shutil.rmtree(state, ignore_errors=True)
    each = [value for value in cold for _ in range(asked.resets)]
    spreads = [
        Spread("cold lab.up", "s", tuple(cold)),
        Spread("lab.save", "s", tuple(save)),
        Spread("lab stood still for it", "s", tuple(pause)),
        Spread("lab.reset: guests run again", "s", tuple(resumed)),
        Spread("lab.reset: proved", "s", tuple(reset)),
        Spread("warm lab.up", "s", tuple(warm)),
        Spread("lab.check, all 52", "s", tuple(check)),
        Spread("lab.reset / cold lab.up", "ratio", tuple(a / b for a, b in zip(reset, each, strict=True))),
        Spread("warm / cold lab.up", "ratio", tuple(a / b for a, b in zip(warm, cold, strict=True))),
    ]
    report("warm_up", spreads, vars(asked))
    return 0


if __name__ == "__main__":
    sys.exit(main())

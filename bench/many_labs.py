"""What 1, 2, 4 and 6 labs side by side cost: time to bring one more up, memory (PSS), idle processor time; all checked.

    .venv/bin/python -m bench.many_labs [--labs 1 2 4 6] [--idle 20]

The labs stay up while more come, so "6 labs" is six at once. PSS counts shared pages once over all; idle is processor
time of every process of the labs, in per cent of one core, over `--idle` seconds without a command at work.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from bench.rig import Spread, inv, need_root, report, weigh

LINE = "{count} labs: the last came up in {up:.1f} s; {pss:.0f} MiB, {idle:.1f} % of a core; {green} of {count} green"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labs", type=int, nargs="+", default=[1, 2, 4, 6])
    parser.add_argument("--idle", type=float, default=20.0)
    asked = parser.parse_args()
    need_root()
    state = Path(tempfile.mkdtemp(prefix="uranus-bench-", dir="/var/tmp"))
    spreads: list[Spread] = []
    names: list[str] = []
    all_green = True
    try:
        for count in sorted(asked.labs):
            ups = []
            while len(names) < count:
                name = f"lab{len(names) + 1}"
                ups.append(inv(state, "lab.up", "--cold", "--name", name).seconds)
                names.append(name)
            green = sum(inv(state, "lab.check", "--name", name, "--json", check=False).json["ok"] for name in names)
            all_green = all_green and green == count
            time.sleep(5.0)  # what the checks left behind in the guests
            before = [weigh(state, name) for name in names]
            time.sleep(asked.idle)
            after = [weigh(state, name) for name in names]
            pss = [weight.pss for weight in after]
            idle = [100 * (b.cpu - a.cpu) / asked.idle for a, b in zip(before, after, strict=True)]
            print(LINE.format(count=count, up=ups[-1], pss=sum(pss), idle=sum(idle), green=green), flush=True)
            spreads += [
                Spread(f"{count} labs: lab.up", "s", tuple(ups)),
                Spread(f"{count} labs: memory of one", "MiB", tuple(pss)),
                Spread(f"{count} labs: idle processor of one", "% of a core", tuple(idle)),
                Spread(f"{count} labs: green", "labs", (float(green),)),
            ]
    finally:
        inv(state, "lab.down", "--all", "--purge", check=False)
        shutil.rmtree(state, ignore_errors=True)
    alone = spreads[0].values[-1] / sorted(asked.labs)[0]
    spreads += [
        Spread(
            f"{spread.what} / with {sorted(asked.labs)[0]}", "ratio", tuple(value / alone for value in spread.values)
        )
        for spread in spreads
        if spread.what.endswith("lab.up")
    ]
    report("many_labs", spreads, vars(asked))
    return 0 if all_green else 1


if __name__ == "__main__":
    sys.exit(main())

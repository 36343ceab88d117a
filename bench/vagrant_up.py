"""Cold `lab.up` against `vagrant up` of the same machines: the same topology, in turns, in one run.

    .venv/bin/python -m bench.vagrant_up [--rounds 3]

Both go to "every machine ready, VHIDs elected": `lab.up --provider vagrant` is a `vagrant up` and the same election.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from bench.rig import Spread, inv, need_root, report

ROUND = "round {number}: vagrant {theirs:.1f} s, libvirt {ours:.1f} s, ratio {ratio:.2f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    need_root()
    state = Path(tempfile.mkdtemp(prefix="uranus-bench-", dir="/var/tmp"))
    theirs: list[float] = []
    ours: list[float] = []
    try:
        for number in range(1, asked.rounds + 1):
            for provider, times in (("vagrant", theirs), ("libvirt", ours)):
                times.append(inv(state, "lab.up", "--cold", "--provider", provider).seconds)
                inv(state, "lab.down", "--all", "--purge")
            ratio = ours[-1] / theirs[-1]
            print(ROUND.format(number=number, theirs=theirs[-1], ours=ours[-1], ratio=ratio), flush=True)
    finally:
        inv(state, "lab.down", "--all", "--purge", check=False)
        shutil.rmtree(state, ignore_errors=True)
    ratios = tuple(a / b for a, b in zip(ours, theirs, strict=True))
    spreads = [
        Spread("vagrant up", "s", tuple(theirs)),
        Spread("cold lab.up", "s", tuple(ours)),
        Spread("cold lab.up / vagrant up", "ratio", ratios),
    ]
    report("vagrant_up", spreads, vars(asked))
    return 0


if __name__ == "__main__":
    sys.exit(main())

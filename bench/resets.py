"""Many resets in a row: none may fail, and nothing may grow: processes, open files, files on disk, memory.

    .venv/bin/python -m bench.resets [--resets 100]

A first reset is made before counting begins. Memory is PSS of all processes of the lab, without the guests' own use of
memory they had not touched before: that is why it may grow at first, and is compared over the second half of the run.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from bench.rig import Spread, inv, need_root, report, weigh

LINE = "{number:>4}: {seconds:.1f} s, {pss:.0f} MiB, {processes} processes, {files} open files, {disk:.0f} MiB of disk"
GROWTH_MIB = 64.0
"""How much memory may differ between the middle and the end of the run, MiB: QEMU's translations come and go."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resets", type=int, default=100)
    asked = parser.parse_args()
    need_root()
    state = Path(tempfile.mkdtemp(prefix="uranus-bench-", dir="/var/tmp"))
    seconds: list[float] = []
    resumed: list[float] = []
    pss: list[float] = []
    counts: list[tuple[int, int, int]] = []
    disk: list[float] = []
    failed = 0
    try:
        cold = inv(state, "lab.up", "--cold", "--name", "again").seconds
        for number in range(asked.resets + 1):
            back = inv(state, "lab.reset", "--name", "again", "--json", check=False)
            if not back.json["ok"]:
                failed += 1
                print(f"{number:>4}: FAILED {back.out[-1500:]}", flush=True)
                continue
            weight = weigh(state, "again")
            files = [path for path in state.rglob("*") if path.is_file()]
            if number:
                seconds.append(back.seconds)
                resumed.append(back.json["resumed_at"] - back.began)
                pss.append(weight.pss)
                counts.append((weight.processes, weight.files, len(files)))
                disk.append(sum(path.stat().st_blocks for path in files) / 2048)
                print(
                    LINE.format(
                        number=number, seconds=back.seconds, pss=weight.pss, processes=weight.processes,
                        files=weight.files, disk=disk[-1],
                    ),
                    flush=True,
                )  # fmt: skip
    finally:
        inv(state, "lab.down", "--all", "--purge", check=False)
        shutil.rmtree(state, ignore_errors=True)
    middle = len(pss) // 2
    grown = pss[-1] - pss[middle]
    leaks = [
        f"{what}: {first} at first, {last} at last"
        for what, first, last in zip(("processes", "open files", "files"), counts[0], counts[-1], strict=True)
        if last > first
    ]
    if grown > GROWTH_MIB:
        leaks.append(f"memory: {grown:.0f} MiB over the second half")
    report(
        "resets",
        [
            Spread("lab.reset: guests run again", "s", tuple(resumed)),
            Spread("lab.reset: proved", "s", tuple(seconds)),
            Spread("lab.reset / cold lab.up", "ratio", tuple(value / cold for value in seconds)),
            Spread("memory of the lab", "MiB", tuple(pss)),
            Spread("disk of the lab", "MiB", tuple(disk)),
            Spread("processes", "", tuple(float(count[0]) for count in counts)),
            Spread("open files", "", tuple(float(count[1]) for count in counts)),
        ],
        {**vars(asked), "failed": failed, "leaks": leaks},
    )
    print(f"{failed} of {asked.resets + 1} failed; " + ("; ".join(leaks) or "nothing leaked"))
    return 1 if failed or leaks else 0


if __name__ == "__main__":
    sys.exit(main())

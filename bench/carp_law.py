"""Predicted and measured: crashes of pairs with many (advbase, advskew), and every kind of hand-over of one pair.

    .venv/bin/python -m bench.carp_law [--crashes 20] [--rounds 5] [--json FILE]

The pairs run at the same time, each in network namespaces of its own, with the stand-in's CARP daemon on both nodes.
`silence` is the time from the old master's last advert to the new one's first, which the law knows to the millisecond;
`after` counts from the act, which falls anywhere in the advert period. `stalled`: what this computer added at most.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from lab.paths import project_root

sys.path.append(str(project_root() / "images" / "standin" / "guest"))  # the daemon's client, as the tests find it

from bench.carp_pairs import GRID, HAND_OVERS, Handover, Trial
from tests.wire.firewalls import Heartbeat

NOT_ROOT = "this bench makes network namespaces: run it as root"
CRASH_HEAD = (
    f"{'pair':<8}{'law: after':>16}{'after, s':>23}{'law: silence':>14}{'silence, s':>23}{'stalled':>9}  explained"
)
CRASH_ROW = "{pair:<8}{law:>16}{after:>23}{silence_law:>14}{silence:>23}{stall:>7.0f}ms  {explained} of {count}"
HAND_HEAD = f"{'hand-over':<18}{'law: after':>16}{'after, s':>23}{'pings lost':>12}{'... through':>13}  explained"
HAND_ROW = "{what:<18}{law:>16}{after:>23}{gateway:>12}{through:>13}  {explained} of {count}"


def main() -> int:
    """Exit code 0 when everything seen is explained by the law and what the computer added."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crashes", type=int, default=20, help="of each pair")
    parser.add_argument("--rounds", type=int, default=5, help="of every hand-over of the pair (1,100)")
    parser.add_argument("--json", type=Path, help="where to keep every figure")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print(NOT_ROOT, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="uranus-carp-") as home, Heartbeat() as host:
        crashes = together(
            [(Path(home) / f"{b}-{s}", (b, s), [Trial.crash] * options.crashes, False) for b, s in GRID], host
        )
        acts = [act for _ in range(options.rounds) for act in HAND_OVERS]
        (hand_overs,) = together([(Path(home) / "all", (1, 100), acts, True)], host)
    print(CRASH_HEAD)
    for pair, results in zip(GRID, crashes, strict=True):
        print(crash_row(pair, [one for one in results if one.what == "crash"]))
    print()
    print(HAND_HEAD)
    for what in dict.fromkeys(one.what for one in hand_overs):
        print(hand_row(what, [one for one in hand_overs if one.what == what]))
    everything = [*hand_overs, *(one for results in crashes for one in results)]
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in everything], indent=1))
    return 0 if all(one.explained() for one in everything) else 1


Job = tuple[Path, tuple[int, int], Sequence[Callable[[Trial], None]], bool]


def together(jobs: Sequence[Job], host: Heartbeat) -> list[list[Handover]]:
    """Every pair goes through its acts, all at once."""

    def one(
        directory: Path, pair: tuple[int, int], acts: Iterable[Callable[[Trial], None]], whole: bool
    ) -> list[Handover]:
        with Trial(directory, *pair, host, whole) as trial:
            for act in acts:
                act(trial)
        return trial.results

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [run.result() for run in [pool.submit(one, *job) for job in jobs]]


def crash_row(pair: tuple[int, int], crashes: list[Handover]) -> str:
    """One line of the first table."""
    first = crashes[0]
    return CRASH_ROW.format(
        pair=f"({pair[0]},{pair[1]})",
        law=str(first.law),
        after=spread([one.after for one in crashes]),
        silence_law=f"{first.silence_law.low:.3f} s" if first.silence_law else "",
        silence=spread([one.silence for one in crashes]),
        stall=1000 * max(one.stall for one in crashes),
        explained=sum(one.explained() for one in crashes),
        count=len(crashes),
    )


def hand_row(what: str, seen: list[Handover]) -> str:
    """One line of the second table."""
    return HAND_ROW.format(
        what=what,
        law=str(seen[0].law),
        after=spread([one.after for one in seen]),
        gateway="-".join(str(n) for n in extremes([one.gateway.lost for one in seen])),
        through="-".join(str(n) for n in extremes([one.through.lost for one in seen if one.through])),
        explained=sum(one.explained() for one in seen),
        count=len(seen),
    )


def extremes(values: list[int]) -> list[int]:
    """The least and the most, or the one value."""
    return sorted({min(values), max(values)})


def spread(values: list[float]) -> str:
    """Min, median and max."""
    return " / ".join(f"{value:.3f}" for value in (min(values), statistics.median(values), max(values)))


if __name__ == "__main__":
    sys.exit(main())

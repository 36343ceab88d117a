"""What every bench needs: the commands a person types, timed; spreads; results kept as JSON for the table and the plot."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lab.host.world import World
from lab.paths import LabPaths, project_root

RESULTS = project_root() / "bench" / "results"
TICKS = os.sysconf("SC_CLK_TCK")
ROW = "{what:<44}{low:>9}{mid:>9}{high:>9}"


@dataclass(frozen=True)
class Ran:
    """One command. seconds: from its start to its end; began: seconds since the epoch."""

    seconds: float
    began: float
    out: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Spread:
    """Several measurements of one thing."""

    what: str
    unit: str
    values: tuple[float, ...]

    @property
    def row(self) -> str:
        digits = 2 if self.unit in ("ratio", "s") else 1
        low, mid, high = min(self.values), statistics.median(self.values), max(self.values)
        what = f"{self.what}, {self.unit}" if self.unit != "ratio" else f"{self.what} (ratio)"
        return ROW.format(what=what, low=f"{low:.{digits}f}", mid=f"{mid:.{digits}f}", high=f"{high:.{digits}f}")


def need_root() -> None:
    """A bench reads what belongs to the guests of a lab."""
    if os.geteuid() != 0:
        raise SystemExit("run benches as root: they read the memory maps of a lab's processes")


def inv(state: Path, *words: str, check: bool = True) -> Ran:
    """One command of the project. Raises SystemExit with what it said where it fails."""
    command = [sys.executable, "-m", "invoke", "--search-root", str(project_root()), *words]
    began, begin = time.time(), time.monotonic()
    done = subprocess.run(
        command, env={**os.environ, "URANUS_STATE": str(state)}, capture_output=True, text=True,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    seconds = time.monotonic() - begin
    if check and done.returncode:
        raise SystemExit(f"{' '.join(words)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return Ran(seconds, began, done.stdout)


@dataclass(frozen=True)
class Weight:
    """What a lab takes: proportional set size of all its processes, MiB, processor seconds used so far, processes, open files."""

    pss: float
    cpu: float
    processes: int
    files: int


def weigh(state: Path, name: str) -> Weight:
    """Ask the kernel about every process in a lab's namespace."""
    pss = cpu = 0.0
    processes = files = 0
    for process in World(LabPaths.of(name, state)).processes():
        proc = Path("/proc") / str(process.pid)
        try:
            rows = dict(line.split(":", 1) for line in (proc / "smaps_rollup").read_text().splitlines()[1:])
            times = (proc / "stat").read_text().rpartition(")")[2].split()
            files += len(list((proc / "fd").iterdir()))
        except OSError:
            continue
        pss += int(rows["Pss"].split()[0]) / 1024
        cpu += (int(times[11]) + int(times[12])) / TICKS
        processes += 1
    return Weight(pss, cpu, processes, files)


def report(bench: str, spreads: Sequence[Spread], settings: Mapping[str, Any]) -> None:
    """Print the table, and keep the values for bench/table.py."""
    print(ROW.format(what="", low="min", mid="median", high="max"))
    for spread in spreads:
        print(spread.row)
    RESULTS.mkdir(exist_ok=True)
    kept = {
        "bench": bench,
        "taken": time.strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} cores, Linux {platform.release().partition('-')[0]}",
        "settings": dict(settings),
        "spreads": [asdict(spread) for spread in spreads],
    }
    (RESULTS / f"{bench}.json").write_text(f"{json.dumps(kept, indent=1)}\n")

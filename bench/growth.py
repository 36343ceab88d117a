"""How `lab.up` grows with the number of machines: the default topology with 2, 4, 8 and 12 clients on its LAN, cold.

    .venv/bin/python -m bench.growth [--clients 2 4 8 12] [--rounds 1]

"clients" counts every machine that is no firewall; the web server, the server and the internet are three of them.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import tempfile
from pathlib import Path

from bench.rig import Spread, inv, need_root, report, weigh
from lab.paths import project_root

LINE = "{count} clients: {seconds:.1f} s, {pss:.0f} MiB"


def topology(count: int) -> str:
    """The default topology with that many machines that are no firewalls; the internet is always one of them."""
    from ruamel.yaml import YAML

    yaml = YAML()
    data = yaml.load((project_root() / "topologies" / "uranus.yaml").read_text())
    machines = data["machines"]
    data["name"] = f"uranus-{count}"
    for name in [name for name in machines if name != "internet"][max(0, count - 1) :]:
        del machines[name]
    for number in range(len(machines), count):
        machines[f"client{number}"] = {"network": "lan", "address": f"172.17.1.{20 + number}", "role": "client"}
    out = io.StringIO()
    yaml.dump(data, out)
    return out.getvalue()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, nargs="+", default=[2, 4, 8, 12])
    parser.add_argument("--rounds", type=int, default=1)
    asked = parser.parse_args()
    need_root()
    state = Path(tempfile.mkdtemp(prefix="uranus-bench-", dir="/var/tmp"))
    times: dict[int, list[float]] = {count: [] for count in sorted(asked.clients)}
    memory: dict[int, list[float]] = {count: [] for count in times}
    try:
        for _ in range(asked.rounds):
            for count in times:
                file = state / f"{count}.yaml"
                file.write_text(topology(count))
                labs = state / "labs"
                times[count].append(inv(labs, "lab.up", "--cold", "--topology", str(file), "--name", "grown").seconds)
                memory[count].append(weigh(labs, "grown").pss)
                inv(labs, "lab.down", "--all", "--purge")
                print(LINE.format(count=count, seconds=times[count][-1], pss=memory[count][-1]), flush=True)
    finally:
        inv(state / "labs", "lab.down", "--all", "--purge", check=False)
        shutil.rmtree(state, ignore_errors=True)
    least = min(times)
    spreads = [Spread(f"{count} clients: cold lab.up", "s", tuple(values)) for count, values in times.items()]
    spreads += [Spread(f"{count} clients: memory", "MiB", tuple(values)) for count, values in memory.items()]
    spreads += [
        Spread(f"{count} clients / {least}", "ratio", tuple(a / b for a, b in zip(values, times[least], strict=True)))
        for count, values in times.items()
    ]
    report("growth", spreads, vars(asked))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Runs of the drivers over damaged lines, counted: `python -m tests.replay.mutate [--runs 10000] [--seed 1] [--json]`.

In each run characters are dropped, doubled, or torn apart by kernel lines, the stream comes in pieces of 1 to 4096 bytes, and the
console stands in any state. A run is done (and the dialogue came to its end), refused (LabError), or a wrong key was sent: the
console knows the right ones. `slipped`: the driver was content, but the dialogue had not come to its end.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Callable

from lab.console.installer.driver import InstallerDriver
from lab.console.menu.assign import Assignment, assign
from lab.console.menu.driver import MenuDriver
from lab.console.menu.set_ip import Change, Family, set_ip
from lab.console.menu.state import Login
from lab.errors import LabError
from tests.replay.fake_firewall import DIALOGUES, STATES, FakeFirewall
from tests.replay.fake_installer import PROGRAMS, WAY, FakeInstaller
from tests.replay.fake_line import Damage, FakeLine

MACS = {f"vtnet{number}": f"52:54:00:17:00:0{number}" for number in range(5)}
ASSIGNMENT = Assignment("vtnet0", "vtnet1", ("vtnet2", "vtnet3", "vtnet4"), MACS)
TASKS: dict[str, Callable[[MenuDriver], object]] = {
    "assign": lambda driver: assign(driver, ASSIGNMENT),
    "set-ip": lambda driver: set_ip(driver, Change("LAN", Family("172.17.1.254/24"))),
    "playback": lambda driver: driver.playback("enablecarpmaint"),
    "reboot": lambda driver: driver.reboot(),
    "halt": lambda driver: driver.halt(),
    "password": lambda driver: driver.reset_password(),
    "sshd": lambda driver: driver.sshd(True),
    "sshd-on-already": lambda driver: driver.sshd(True),
    "exec": lambda driver: driver.exec("ifconfig vtnet1"),
}
KINDS = (*TASKS, "install")
MENU_BYTES, INSTALLER_BYTES = 6000, 16000
"""Where damage may fall: about what a run says."""


def menu_run(
    task: str, state: str, damage: Damage, luck: random.Random
) -> tuple[FakeFirewall, FakeLine, LabError | None]:
    """One task against a firewall that stands in a state."""
    console = FakeFirewall(DIALOGUES[task], state)
    line = FakeLine(console, damage, luck)
    driver = MenuDriver(line, login=Login("root", "secret"), clock=line.clock)
    try:
        TASKS[task](driver)
    except LabError as error:
        return console, line, error
    return console, line, None


def install_run(console: FakeInstaller, damage: Damage, luck: random.Random) -> tuple[FakeLine, LabError | None]:
    """One installation."""
    line = FakeLine(console, damage, luck)
    try:
        InstallerDriver(line, "vtbd0", clock=line.clock).install()
    except LabError as error:
        return line, error
    return line, None


def one(seed: int) -> tuple[str, str, str]:
    """Kind, outcome and a word on it, of the run of this seed."""
    luck = random.Random(seed)
    kind = luck.choice(KINDS)
    if kind == "install":
        programs = (luck.choice(PROGRAMS), luck.choice(PROGRAMS))
        installer = FakeInstaller(programs, luck.random() < 0.5, luck.choice(("", "", *WAY)))
        _, error = install_run(installer, Damage.some(luck, INSTALLER_BYTES), luck)
        wrong, finished = installer.wrong, installer.finished
    else:
        firewall, _, error = menu_run(kind, luck.choice(STATES), Damage.some(luck, MENU_BYTES), luck)
        wrong, finished = firewall.wrong, firewall.finished
    if wrong:
        return kind, "wrong", f"seed {seed}: {wrong}"
    if error:
        return kind, "refused", error.problem.summary
    return kind, "done" if finished else "slipped", f"seed {seed}"


def main(arguments: list[str]) -> int:
    """Exit code 1 where a wrong key was sent, or a run slipped."""
    parser = argparse.ArgumentParser(prog="python -m tests.replay.mutate", description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1, help="of the first run; the others follow")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    counts = {kind: Counter[str]() for kind in KINDS}
    why: Counter[str] = Counter()
    bad = []
    for seed in range(options.seed, options.seed + options.runs):
        kind, outcome, word = one(seed)
        counts[kind][outcome] += 1
        if outcome in ("wrong", "slipped"):
            bad.append(f"{kind}, {outcome}, {word}")
        elif outcome == "refused":
            why[word] += 1
    if options.json:
        print(json.dumps({"runs": options.runs, "seed": options.seed, "outcomes": counts, "bad": bad}))
    else:
        print(f"{'task':<16} {'runs':>7} {'done':>7} {'refused':>8} {'wrong':>6} {'slipped':>8}")
        for kind, count in counts.items():
            columns = [count[outcome] for outcome in ("done", "refused", "wrong", "slipped")]
            print(f"{kind:<16} {sum(columns):>7} {columns[0]:>7} {columns[1]:>8} {columns[2]:>6} {columns[3]:>8}")
        for word, number in why.most_common(12):
            print(f"  refused {number:>5}: {word}")
        for line in bad[:20]:
            print(f"  {line}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

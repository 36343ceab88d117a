"""`python -m lab.console.drive TASK [options] -- COMMAND…`: let the drivers run a task against anything that speaks on a terminal.

The command is started on a pseudo terminal of 80 x 24 and driven like a firewall's serial line. See docs/pfsense.md.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

from lab.console.installer.driver import InstallerDriver
from lab.console.installer.driver import Timing as InstallerTiming
from lab.console.menu.assign import Assignment, assign
from lab.console.menu.driver import MenuDriver
from lab.console.menu.set_ip import Change, Family, set_ip
from lab.console.menu.state import Login
from lab.console.menu.talk import Timing
from lab.console.pty_line import PtyLine
from lab.errors import LabError
from lab.events import Event

USAGE = "python -m lab.console.drive TASK [options] -- COMMAND [ARGUMENT…]"
EPILOG = """\
examples:
  python -m lab.console.drive exec --run 'ifconfig vtnet1' -- /etc/rc.initial
  python -m lab.console.drive assign --wan vtnet0=52:54:00:17:00:00 --lan vtnet1 --opt vtnet2 -- /etc/rc.initial
  python -m lab.console.drive set-ip --interface LAN --v4 172.17.1.254/24 -- socat - UNIX:console.sock
  python -m lab.console.drive install --disk vtbd0 --transcript run.jsonl -- ./an-installer

exit code: 0 done, 1 refused (the reason is on stderr), 2 wrong usage; for exec, the command's own.
"""


def main(arguments: list[str]) -> int:
    """Run one task. Gives back the exit code."""
    own, command = _split(arguments)
    options = _parser().parse_args(own)
    if not command:
        print(f"usage: {USAGE}\nno COMMAND after `--`", file=sys.stderr)
        return 2
    line = None
    try:
        line = PtyLine(command)
        code, said = TASKS[options.task](line, options)
    except LabError as error:
        if options.json:
            problem = error.problem
            words = {
                "summary": problem.summary,
                "expected": problem.expected,
                "seen": problem.seen,
                "cure": problem.cure,
            }
            print(json.dumps({"ok": False, "task": options.task, **words}))
        print(error, file=sys.stderr)
        return 1
    finally:
        if line is not None:
            line.close(force=True)
    if options.json:
        print(json.dumps({"ok": True, "task": options.task, "code": code, "said": said}))
    elif said:
        print(said, end="" if said.endswith("\n") else "\n")
    return code


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    if "--" not in arguments:
        return arguments, []
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lab.console.drive",
        usage=USAGE,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=(__doc__ or "").split("\n\n")[1],
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--transcript", type=Path, help="write the whole conversation into this file, as JSON lines")
    common.add_argument("--slowness", type=float, default=1.0, help="factor on every limit (a slow machine: 5)")
    common.add_argument("--quiet", type=float, help="seconds a screen must stand still before it is read")
    common.add_argument("--json", action="store_true", help="one JSON object on stdout")
    common.add_argument("--user", default="root", help="who to log in as where the console asks")
    common.add_argument("--password-file", type=Path, help="file with the password for that")
    tasks = parser.add_subparsers(dest="task", required=True, metavar="TASK")

    def task(name: str, text: str) -> argparse.ArgumentParser:
        return tasks.add_parser(name, help=text, parents=[common])

    install = task("install", "run the installer, from any of its screens to the reboot")
    install.add_argument("--disk", default="vtbd0", help="the target, and the only disk that is ever ticked (vtbd0)")
    task("menu", "from whatever state to the console menu")
    nic = "NIC or NIC=MAC; with a MAC, another one is refused"
    chosen = task("assign", "menu option 1: which NIC is which interface")
    chosen.add_argument("--wan", required=True, help=nic)
    chosen.add_argument("--lan", default="", help=nic)
    chosen.add_argument("--opt", action="append", default=[], help=f"{nic}; repeat for OPT1, OPT2, …")
    chosen.add_argument("--booting", action="store_true", help="the question is there already, asked by the first boot")
    change = task("set-ip", "menu option 2: the addresses of one interface")
    change.add_argument("--interface", required=True, help="description or NIC, as the menu lists it")
    for family in ("4", "6"):
        change.add_argument(f"--v{family}", default="", help="ADDRESS/BITS, dhcp, or nothing for none")
        change.add_argument(f"--gateway{family}", default="", help="upstream gateway; nothing for a LAN")
        change.add_argument(f"--range{family}", default="", help="FIRST-LAST: serve these addresses by DHCP")
    change.add_argument(
        "--http", action="store_true", help="go back to HTTP (the sync needs one protocol on both nodes)"
    )
    run = task("exec", "menu option 8: one command in /bin/sh")
    run.add_argument("--run", required=True, help="the command line")
    run.add_argument("--seconds", type=float, default=60.0, help="how long it may take")
    task("reboot", "menu option 5")
    task("halt", "menu option 6")
    task("password", "menu option 3: admin's password back to the default")
    task("sshd", "menu option 14").add_argument("--state", choices=("on", "off"), default="on")
    task("playback", "menu option 12: a recorded session of the PHP shell").add_argument(
        "--name", required=True, help="its name, with arguments"
    )
    return parser


FIRST_SECONDS = 15.0
"""How long a command may take until it says something, before it is spoken to."""

Result = tuple[int, str]


def _menu(line: PtyLine, options: argparse.Namespace) -> MenuDriver:
    password = options.password_file.read_text().strip() if options.password_file else ""
    login = Login(options.user, password) if options.password_file else None
    timing = Timing(slowness=options.slowness)
    settle = options.quiet if options.quiet is not None else 0.5
    return MenuDriver(line, timing, "The console", options.transcript, login, settle=settle, first=FIRST_SECONDS)


def _install(line: PtyLine, options: argparse.Namespace) -> Result:
    def tell(event: Event) -> None:
        print(f"{event.subject}: {event.step}", file=sys.stderr)

    quiet = options.quiet if options.quiet is not None else InstallerTiming().quiet
    timing = InstallerTiming(quiet=quiet, slowness=options.slowness)
    done = InstallerDriver(line, options.disk, timing, options.transcript, tell).install()
    return 0, f"installed on {done.disk} in {done.seconds:.0f} s: {', '.join(done.screens)}"


def _assign(line: PtyLine, options: argparse.Namespace) -> Result:
    words = [options.wan, options.lan, *options.opt]
    macs = dict(word.split("=", 1) for word in words if "=" in word)
    wan, lan, *optional = (word.split("=", 1)[0] for word in words)
    wanted = Assignment(wan, lan, tuple(optional), macs)
    assign(_menu(line, options), wanted, options.booting)
    return 0, "\n".join(f"{name} -> {nic}" for name, nic in wanted.summary)


def _set_ip(line: PtyLine, options: argparse.Namespace) -> Result:
    def family(number: str) -> Family:
        ends = re.fullmatch(r"(\S+)-(\S+)", getattr(options, f"range{number}"))
        pair = (ends.group(1), ends.group(2)) if ends else None
        return Family(getattr(options, f"v{number}"), getattr(options, f"gateway{number}"), dhcp_range=pair)

    change = Change(options.interface, family("4"), family("6"), options.http)
    return 0, set_ip(_menu(line, options), change)


def _exec(line: PtyLine, options: argparse.Namespace) -> Result:
    output = _menu(line, options).exec(options.run, options.seconds)
    return output.code, output.text


def _to_menu(line: PtyLine, options: argparse.Namespace) -> Result:
    _menu(line, options).to_menu()
    return 0, "at the console menu"


def _reboot(line: PtyLine, options: argparse.Namespace) -> Result:
    _menu(line, options).reboot()
    return 0, "it reboots"


def _halt(line: PtyLine, options: argparse.Namespace) -> Result:
    _menu(line, options).halt()
    return 0, "it halts"


def _password(line: PtyLine, options: argparse.Namespace) -> Result:
    _menu(line, options).reset_password()
    return 0, "admin has the default password"


def _sshd(line: PtyLine, options: argparse.Namespace) -> Result:
    changed = _menu(line, options).sshd(options.state == "on")
    return 0, f"sshd is {options.state}" + ("" if changed else ", as before")


def _playback(line: PtyLine, options: argparse.Namespace) -> Result:
    return 0, _menu(line, options).playback(options.name)


TASKS: dict[str, Callable[[PtyLine, argparse.Namespace], Result]] = {
    "install": _install,
    "menu": _to_menu,
    "assign": _assign,
    "set-ip": _set_ip,
    "exec": _exec,
    "reboot": _reboot,
    "halt": _halt,
    "password": _password,
    "sshd": _sshd,
    "playback": _playback,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Record the installer's screens as a dialog program draws them: `python -m tests.replay.installer.record PROGRAM OUT.json`.

PROGRAM is dialog(1) or bsddialog(1). For each screen and each sequence of keys: what is drawn after the last of them, and what ENTER
gives then (exit code and printed choice). The notice is a stand-in for the product's own.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import pexpect

from lab.console.catalogue import installer
from lab.console.catalogue.installer import InstallerScreen, Widget
from lab.console.catalogue.text import PFSENSE

QUIET = 0.25
NOTICE = "\\n".join(f"Line {number} of a notice that is longer than the screen." for number in range(1, 31))
FIELDS = {"notice": NOTICE, "disks": "vtbd0", "chosen": "0", "least": "1", "percent": "0"}
DISKS = (("ada0", "QEMU HARDDISK"), ("vtbd0", "VirtIO Block Device"))
SCREENS = (
    installer.COPYRIGHT,
    installer.WELCOME,
    installer.KEYMAP,
    installer.PARTITIONING,
    installer.ZFS,
    installer.VDEV,
    installer.DISKS,
    installer.LAST_CHANCE,
    installer.MANUAL,
    installer.COMPLETE,
    installer.NOT_ENOUGH_DISKS,
    installer.ABORT,
)
KEYS = {
    Widget.MSGBOX: ("",),
    Widget.YESNO: ("", "\t", "\t\t"),
    Widget.MENU: ("", "+", "\t", "\t\t"),
    Widget.CHECKLIST: ("", "v", "+", " ", "v ", "v \t", "v  ", "+ ", " v", "  "),
}


def arguments(program: str, screen: InstallerScreen) -> list[str]:
    """The command line of one screen."""
    new = "bsddialog" in program
    words = [program, "--backtitle", installer.BACKTITLE.fill(PFSENSE), "--title", screen.title.fill(PFSENSE)]
    if screen.hline:
        words += ["--hline", screen.hline]
    if screen.widget is Widget.YESNO:
        words += ["--yes-label", screen.buttons[0], "--no-label", screen.buttons[1]]
        if screen.default_button == screen.buttons[1]:
            words += ["--default-no" if new else "--defaultno"]
    else:
        words += ["--ok-label", screen.buttons[0]]
        if len(screen.buttons) > 1:
            words += ["--cancel-label", screen.buttons[1]]
    words += [f"--{screen.widget}", screen.body.fill(PFSENSE, **FIELDS).replace("\n", "\\n"), "0", "0"]
    if screen.widget is Widget.MENU:
        items = [(item.tag, item.about.replace("{product}", PFSENSE.name)) for item in screen.items]
        words += ["0", *(["--"] if new else []), *(word for item in items for word in item)]
    if screen.widget is Widget.CHECKLIST:
        words += ["0", *(word for name, about in DISKS for word in (name, about, "off"))]
    return words


def played(words: list[str], keys: str) -> tuple[str, int, str]:
    """What is drawn after the last key; then ENTER: exit code and choice."""
    with tempfile.NamedTemporaryFile() as chosen:
        # The choice goes to stderr, as the installer's scripts take it.
        script = f'exec "$@" 2>{chosen.name}'
        environment = {**os.environ, "TERM": "vt100", "LC_ALL": "C.UTF-8"}
        run = pexpect.spawn("sh", ["-c", script, "sh", *words], env=environment, dimensions=(24, 80), timeout=5)
        drawn = quiet(run)
        for key in keys:
            run.send(key)
            drawn = quiet(run)
        run.send("\r")
        quiet(run)
        run.expect(pexpect.EOF)
        run.close()
        return drawn.decode("latin-1"), run.exitstatus or 0, Path(chosen.name).read_text().strip().strip('"')


def quiet(run: pexpect.spawn[bytes]) -> bytes:
    """What comes until nothing does."""
    data = b""
    while True:
        try:
            data += run.read_nonblocking(65536, QUIET)
        except (pexpect.TIMEOUT, pexpect.EOF):
            return data


def main(program: str, out: Path) -> None:
    recorded = {}
    for screen in SCREENS:
        words = arguments(program, screen)
        letters = sorted({item.tag[0] for item in screen.items})
        keys = [*KEYS[screen.widget], *(letters if screen.widget is Widget.MENU else [])]
        nodes = {}
        for path in dict.fromkeys(keys):
            drawn, code, choice = played(words, path)
            nodes[path] = {"drawn": drawn, "code": code, "choice": choice}
        recorded[screen.name] = nodes
        print(screen.name, len(nodes), file=sys.stderr)
    out.write_text(
        json.dumps({"program": program.rsplit("/", 1)[-1], "term": "vt100", "screens": recorded}, indent=0) + "\n"
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

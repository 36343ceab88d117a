"""Any of these screens -> this answer. The rules know nothing of the stand-in's texts: they come from the references.

Sources: pfSense's installer scripts (`startbsdinstall`, `auto`, `zfsboot`, `keymap`), and what public drivers of 2.7.2 met.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lab.console.dialog_box import Dialog

MINUTES = 60.0


@dataclass(frozen=True)
class View:
    """A settled screen: all of it as text, the dialog on it, and the cursor's line up to the cursor."""

    screen: str
    dialog: Dialog | None
    prompt: str


@dataclass(frozen=True)
class Type:
    """Send this as it is."""

    keys: bytes


@dataclass(frozen=True)
class Choose:
    """Bring the bar to a line (None: there is no list), the focus to a button, see both there, and only then press ENTER.

    button: the label that is meant. others: what else may stand beside it, to the letter; a dialog with other buttons is not this one.
    disk: tick the target disk, and it alone, first.
    """

    button: str
    others: tuple[str, ...] = ()
    line: str | None = None
    disk: bool = False

    def is_meant_by(self, buttons: tuple[str, ...]) -> bool:
        """Whether these are the buttons: the one that is meant, and at most one of the others."""
        rest = [label for label in buttons if label != self.button]
        return len(buttons) == len(rest) + 1 and len(rest) == bool(self.others) and all(r in self.others for r in rest)


@dataclass(frozen=True)
class Wait:
    """Something is going on; send nothing."""


@dataclass(frozen=True)
class Fail:
    """There is no way on from here."""

    summary: str
    cure: str


Answer = Type | Choose | Wait | Fail


@dataclass(frozen=True)
class Rule:
    """One screen and its answer.

    title, text: regular expressions, both of which must match (a dialog's title whole, its text anywhere). prompt: for plain
    text, what must stand from the line's beginning to the cursor.
    patience: seconds until another screen must show, before scaling. times: how often the screen may be answered in one run.
    """

    name: str
    answer: Answer
    title: str = ""
    text: str = ""
    prompt: str = ""
    patience: float = MINUTES
    times: int = 1
    last: bool = False

    def fits(self, view: View) -> bool:
        if self.prompt:
            return re.search(self.prompt, view.prompt) is not None
        if view.dialog is None:
            return False
        return bool(re.fullmatch(self.title, view.dialog.title) and re.search(self.text, view.dialog.text))


LOOK = "look at the screen above and at the transcript; `./inv lab.down`, then `./inv lab.up` begins afresh"
SMALL = "give the target disk 8 GiB or more"

RULES = (
    # what ends it
    Rule("aborted", Fail("An installation step was aborted", LOOK), title="Abort", text=r"step has been aborted"),
    Rule(
        "too few disks",
        Fail("The installer did not take the disk", LOOK),
        title=".*",
        text=r"Not enough disks selected",
    ),
    Rule(
        "disk too small", Fail("The target disk is too small", SMALL), title=".*", text=r"disks? (is|are) smaller than"
    ),
    Rule("error", Fail("The installer shows an error", LOOK), title="(?i)error.*"),
    Rule("left", Fail("The installer was left: this is a login prompt", LOOK), prompt=r"^(\S+ )?login: $"),
    Rule(
        "no root", Fail("The stick's file system was not found", "attach the stick over SATA"), prompt=r"^mountroot> $"
    ),
    Rule("kernel debugger", Fail("The kernel stopped in its debugger", LOOK), prompt=r"^db> $"),
    # the way
    Rule("console type", Type(b"\r"), prompt=r"^Console type \[[a-z0-9]+\]: $"),
    Rule("copyright", Choose("Accept"), title="Copyright and distribution notice"),
    Rule("welcome", Choose("OK", ("Cancel",), line="Install"), title="Welcome", text=r"^Welcome to .+!$"),
    Rule("keymap", Choose("Select", ("Cancel",), line=">>> Continue with default keymap"), title="Keymap Selection"),
    Rule(
        "partitioning",
        Choose("OK", ("Cancel",), line="Auto (ZFS)"),
        title="Partitioning",
        text=r"^How would you like to partition your disk\?",
    ),
    Rule(
        "vdev",
        Choose("OK", ("Cancel",), line="stripe"),
        title="ZFS Configuration",
        text=r"^Select Virtual Device type:",
    ),
    Rule(
        "last chance",
        Choose("YES", ("NO",)),
        title="ZFS Configuration",
        text=r"^Last Chance! Are you sure",
        patience=20 * MINUTES,
    ),
    Rule(
        "zfs",
        Choose("Select", ("Cancel",), line=">>> Install"),
        title="ZFS Configuration",
        text=r"^Configure Options:",
        times=2,
    ),
    # After the others of the same title: its own text may be missing (zfsboot, dialog_menu_layout).
    Rule(
        "disks",
        Choose("OK", ("Back", "Cancel"), disk=True),
        title="ZFS Configuration",
        text=r"^($|Please select one or more disks)",
        times=2,
    ),
    Rule(
        "at work",
        Wait(),
        title="(Checksum Verification|Archive Extraction|Extracting.*|Fetching.*|Initializing.*|Installing)",
        patience=20 * MINUTES,
    ),
    Rule(
        "manual configuration",
        Choose("No", ("Yes",)),
        title="Manual Configuration",
        text=r"open a shell in the new system",
    ),
    Rule(
        "complete",
        Choose("Reboot", ("Shell",)),
        title="Complete",
        text=r"Would you like to reboot into the installed system now\?",
        last=True,
    ),
    Rule("complete, reboots by itself", Wait(), title="Complete", text=r"Rebooting in \d+ seconds", last=True),
)

FIRST_PATIENCE = 5 * MINUTES
"""From power on to the first screen: the loader, the kernel, and 10 s that the serial image waits for its stick."""

DISKS_AT_STAKE = re.compile(r"following disks: (.+)$")
"""What Last Chance names, in the dialog's text."""

"""The installer's screens, in order of appearance: what each shows, what it offers, and where the focus stands when it opens.

They are drawn by dialog(1) or bsddialog(1), so what is kept here is what those programs are told, not their bytes. Sources are
files of the installer's own tree (FreeBSD-src as pfSense keeps it, `usr.sbin/bsdinstall` unless another folder stands there).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lab.console.catalogue.text import Text

BACKTITLE = Text("{product} Installer", "startbsdinstall")


class Widget(StrEnum):
    """How a screen is drawn: the options of dialog(1) and bsddialog(1) of the same names."""

    MSGBOX = "msgbox"
    YESNO = "yesno"
    MENU = "menu"
    CHECKLIST = "checklist"
    MIXEDGAUGE = "mixedgauge"


class Shown(StrEnum):
    """When a screen comes. SOMETIMES: it depends on the version or on the hardware; a driver must live with both."""

    ALWAYS = "always"
    SOMETIMES = "sometimes"
    ON_FAILURE = "on failure"


@dataclass(frozen=True)
class Item:
    """One line of a menu or checklist; tag and about may hold `{product}`."""

    tag: str
    about: str


@dataclass(frozen=True)
class InstallerScreen:
    """One screen.

    title, body: as passed to dialog(1); `{product}` and, where named, holes of their own.
    buttons: labels from left to right. default_button: the one that has the focus when the screen opens.
    items:   of a menu or checklist (DISKS: none, its lines are the machine's disks). default_item: where the bar stands.
    hline:   text in the bottom border, or "".
    """

    name: str
    widget: Widget
    title: Text
    body: Text
    buttons: tuple[str, ...]
    default_button: str
    shown: Shown
    items: tuple[Item, ...] = ()
    default_item: str = ""
    hline: str = ""

    @property
    def source(self) -> str:
        return self.body.source


CONSOLE_TYPE = Text(
    "\nWelcome to {product}!\n"
    "\nPlease choose the appropriate terminal type for your system.\n"
    "Common console types are:\n"
    "   ansi     Standard ANSI terminal\n"
    "   vt100    VT100 or compatible terminal\n"
    "   xterm    xterm terminal emulator (or compatible)\n"
    "\nConsole type [vt100]: ",
    "startbsdinstall",
)
"""Plain text, on a serial line only; an empty answer means vt100."""

COPYRIGHT = InstallerScreen(
    "copyright",
    Widget.MSGBOX,
    Text("Copyright and distribution notice", "startbsdinstall"),
    # The real notice fills several screens and is the product's own; whoever speaks brings its own.
    Text("{notice}", "startbsdinstall"),
    buttons=("Accept",),
    default_button="Accept",
    shown=Shown.ALWAYS,
)

WELCOME = InstallerScreen(
    "welcome",
    Widget.MENU,
    Text("Welcome", "startbsdinstall"),
    Text("Welcome to {product}!", "startbsdinstall"),
    buttons=("OK", "Cancel"),
    default_button="OK",
    shown=Shown.ALWAYS,
    items=(
        Item("Install", "Install {product}"),
        Item("Rescue Shell", "Launch a shell for rescue operations"),
        Item("Recover config.xml", "Recover config.xml from a previous install"),
    ),
    default_item="Install",
)

KEYMAP = InstallerScreen(
    "keymap",
    Widget.MENU,
    Text("Keymap Selection", "scripts/keymap"),
    Text(
        'The system console driver for {product} defaults to standard "US" keyboard map. '
        "Other keymaps can be chosen below.",
        "scripts/keymap",
    ),
    buttons=("Select", "Cancel"),
    default_button="Select",
    shown=Shown.SOMETIMES,
    items=(
        Item(">>> Continue with default keymap", ""),
        Item("->- Test default keymap", ""),
        Item("( ) Armenian phonetic layout", ""),
        Item("( ) French", ""),
        Item("( ) German", ""),
    ),
    default_item=">>> Continue with default keymap",
)

PARTITIONING = InstallerScreen(
    "partitioning",
    Widget.MENU,
    Text("Partitioning", "scripts/auto"),
    Text("How would you like to partition your disk?", "scripts/auto"),
    buttons=("OK", "Cancel"),
    default_button="OK",
    shown=Shown.ALWAYS,
    items=(
        Item("Auto (ZFS)", "Guided Root-on-ZFS"),
        Item("Auto (UFS)", "Guided UFS Disk Setup"),
        Item("Manual", "Manual Disk Setup (experts)"),
        Item("Shell", "Open a shell and partition by hand"),
    ),
    default_item="Auto (ZFS)",
)

ZFS = InstallerScreen(
    "zfs",
    Widget.MENU,
    Text("ZFS Configuration", "scripts/zfsboot"),
    Text("Configure Options:", "scripts/zfsboot"),
    buttons=("Select", "Cancel"),
    default_button="Select",
    shown=Shown.ALWAYS,
    items=(
        Item(">>> Install", "Proceed with Installation"),
        Item("T Pool Type/Disks:", "stripe: 0 disks"),
        Item("- Rescan Devices", "*"),
        Item("- Disk Info", "*"),
        Item("N Pool Name", "{product}"),
        Item("4 Force 4K Sectors?", "YES"),
        Item("E Encrypt Disks?", "NO"),
        Item("P Partition Scheme", "GPT (BIOS)"),
        Item("S Swap Size", "1g"),
        Item("M Mirror Swap?", "NO"),
        Item("W Encrypt Swap?", "NO"),
    ),
    default_item=">>> Install",
    hline="Use alnum, arrows, punctuation, TAB or ENTER",
)

VDEV = InstallerScreen(
    "vdev",
    Widget.MENU,
    Text("ZFS Configuration", "scripts/zfsboot"),
    Text("Select Virtual Device type:", "scripts/zfsboot"),
    buttons=("OK", "Cancel"),
    default_button="OK",
    shown=Shown.ALWAYS,
    items=(
        Item("stripe", "Stripe - No Redundancy"),
        Item("mirror", "Mirror - n-Way Mirroring"),
        Item("raid10", "RAID 1+0 - n x 2-Way Mirrors"),
        Item("raidz1", "RAID-Z1 - Single Redundant RAID"),
        Item("raidz2", "RAID-Z2 - Double Redundant RAID"),
        Item("raidz3", "RAID-Z3 - Triple Redundant RAID"),
    ),
    default_item="stripe",
    hline="Press arrows, SPACE, TAB or ENTER",
)

DISKS = InstallerScreen(
    "disks",
    Widget.CHECKLIST,
    Text("ZFS Configuration", "scripts/zfsboot"),
    # The prompt of this list may stay empty: the function sets variables that the call does not use.
    Text("", "scripts/zfsboot, dialog_menu_layout"),
    buttons=("OK", "Back"),
    default_button="OK",
    shown=Shown.ALWAYS,
)
"""One line a disk, sorted by name, none ticked: `vtbd0` with what the disk calls itself. The stick may stand above the target."""

NOT_ENOUGH_DISKS = InstallerScreen(
    "not enough disks",
    Widget.YESNO,
    Text("ZFS Configuration", "scripts/zfsboot"),
    Text("stripe: Not enough disks selected. ({chosen} < {least} minimum)", "scripts/zfsboot"),
    buttons=("Change Selection", "Cancel"),
    default_button="Change Selection",
    shown=Shown.ON_FAILURE,
)

LAST_CHANCE = InstallerScreen(
    "last chance",
    Widget.YESNO,
    Text("ZFS Configuration", "scripts/zfsboot"),
    Text(
        "Last Chance! Are you sure you want to destroy\nthe current contents of the following disks:\n\n   {disks}",
        "scripts/zfsboot",
    ),
    buttons=("YES", "NO"),
    default_button="NO",
    shown=Shown.ALWAYS,
)

CHECKSUM = InstallerScreen(
    "checksum",
    Widget.MIXEDGAUGE,
    Text("Checksum Verification", "scripts/checksum"),
    Text("\nVerifying checksums of selected distributions.\n", "scripts/checksum"),
    buttons=(),
    default_button="",
    shown=Shown.SOMETIMES,
    items=(Item("base.txz", "{percent}"),),
)

EXTRACTION = InstallerScreen(
    "extraction",
    Widget.MIXEDGAUGE,
    Text("Archive Extraction", "distextract/distextract.c"),
    Text("\nExtracting distribution files...\n", "distextract/distextract.c"),
    buttons=(),
    default_button="",
    shown=Shown.ALWAYS,
    items=(Item("base.txz", "{percent}"),),
)

MANUAL = InstallerScreen(
    "manual",
    Widget.YESNO,
    Text("Manual Configuration", "scripts/auto"),
    Text(
        "The installation is now finished. Before exiting the installer, would you like to open a shell in the new system "
        "to make any final manual modifications?",
        "scripts/auto",
    ),
    buttons=("Yes", "No"),
    default_button="No",
    shown=Shown.SOMETIMES,
)

COMPLETE = InstallerScreen(
    "complete",
    Widget.YESNO,
    Text("Complete", "startbsdinstall"),
    Text(
        "Installation of {product} complete! Would you like to reboot into the installed system now?", "startbsdinstall"
    ),
    buttons=("Reboot", "Shell"),
    default_button="Reboot",
    shown=Shown.ALWAYS,
)

ABORT = InstallerScreen(
    "abort",
    Widget.YESNO,
    Text("Abort", "scripts/auto"),
    Text(
        "An installation step has been aborted. Would you like to restart the installation or exit the installer?",
        "scripts/auto",
    ),
    buttons=("Restart", "Exit"),
    default_button="Restart",
    shown=Shown.ON_FAILURE,
)

SCREENS = (
    COPYRIGHT,
    WELCOME,
    KEYMAP,
    PARTITIONING,
    ZFS,
    VDEV,
    DISKS,
    LAST_CHANCE,
    CHECKSUM,
    EXTRACTION,
    MANUAL,
    COMPLETE,
    NOT_ENOUGH_DISKS,
    ABORT,
)
"""Every screen a dialog program draws, in the order of a run; those of a failure last."""

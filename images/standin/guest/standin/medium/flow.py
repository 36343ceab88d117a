"""The installer's conversation: pfSense's startbsdinstall, auto and zfsboot, screen by screen (lab.console.catalogue.installer)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from lab.console.catalogue import installer as texts
from lab.console.catalogue.installer import InstallerScreen, Item
from standin.medium.dialog import OK, Answer, Screens
from standin.medium.disks import ROOT_NUMBER, Disk, part
from standin.run import CommandError

NOTICE = (
    "This is the stand-in firewall of Uranus Lab, a small Debian guest. It is not pfSense, and no product of Netgate or "
    "Rubicon Communications.\n\n"
    "It is made of Debian packages, whose licences are in /usr/share/doc, and of the lab's own programs. It is given "
    "without any warranty, for rehearsing and learning in a lab.\n\n"
    "It goes on a disk that holds nothing else: what is on the disk you choose will be lost."
)
LEAST_DISKS = {"stripe": 1, "mirror": 2, "raid10": 4, "raidz1": 3, "raidz2": 4, "raidz3": 5}
"""zfsboot, dialog_menu_layout."""

NOT_OFFERED = "Not offered by the stand-in"
NOT_OFFERED_TEXT = (
    "The stand-in's installer writes one ext4 file system on one whole disk: {what} is shown because pfSense shows it."
)
NO_OLD = "No previous install of the stand-in was found."
FAILED = "The installation failed"
TOGGLES = ("4 Force 4K Sectors?", "M Mirror Swap?", "W Encrypt Swap?")
SWAP, POOL, LAYOUT = "S Swap Size", "N Pool Name", "T Pool Type/Disks:"
DEFAULT_SWAP = "1g"


class Left(Exception):
    """The installer was left: on the real medium a login prompt follows."""


class Aborted(Exception):
    """A step was cancelled."""


@dataclass(frozen=True)
class Medium:
    """What the conversation works with; a test puts its own in.

    install: (disk, swap in MiB, recovered config.xml, progress). shell: until it is left. optional: names of the screens that come
    only sometimes (keymap, checksum, manual) and shall come now.
    """

    screens: Screens
    find_disks: Callable[[], list[Disk]]
    install: Callable[[Disk, int, bytes | None, Callable[[int], None]], None]
    old_config: Callable[[Path], bytes | None]
    shell: Callable[[], None]
    verify: Callable[[], None] = lambda: None
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Layout:
    """What the ZFS screen shows and changes."""

    kind: str = "stripe"
    chosen: tuple[str, ...] = ()
    values: dict[str, str] = field(default_factory=dict)

    def items(self) -> tuple[Item, ...]:
        """The screen's lines as they are now."""
        count = len(self.chosen)
        values = {**self.values, LAYOUT: f"{self.kind}: {count} disk{'' if count == 1 else 's'}"}
        return tuple(replace(item, about=values.get(item.tag, item.about)) for item in texts.ZFS.items)

    @property
    def swap_mib(self) -> int:
        return parse_size(self.values.get(SWAP, DEFAULT_SWAP))


def parse_size(text: str) -> int:
    """`1g`, `512m` in MiB. Raises ValueError."""
    number, unit = text[:-1], text[-1:].lower()
    if unit not in ("g", "m") or not number.isdigit():
        raise ValueError(text)
    return int(number) * (1024 if unit == "g" else 1)


def run_installer(medium: Medium) -> None:
    """From the copyright notice to the end of the last screen. Raises Left where the person went away before."""
    screens = medium.screens
    screens.show(texts.COPYRIGHT, notice=NOTICE)
    recovered: bytes | None = None
    while True:
        answer = screens.show(texts.WELCOME)
        if answer.code != OK:
            raise Left
        if answer.tag == "Rescue Shell":
            screens.clear()
            medium.shell()
            return
        if answer.tag == "Recover config.xml":
            recovered = _recover(medium)
            continue
        break
    while True:
        try:
            _install(medium, recovered)
            break
        except Aborted:
            # Restart is the first button.
            if screens.show(texts.ABORT).code != OK:
                raise Left from None
    if screens.show(texts.COMPLETE).code != OK:
        screens.clear()
        medium.shell()


def _recover(medium: Medium) -> bytes | None:
    for disk in medium.find_disks():
        found = medium.old_config(Path(part(disk, ROOT_NUMBER)))
        if found is not None:
            medium.screens.box("Recover config.xml and SSH keys", f"config.xml was found on {disk.name}.")
            return found
    medium.screens.box("Recover config.xml and SSH keys", NO_OLD)
    return None


def _install(medium: Medium, recovered: bytes | None) -> None:
    """pfSense's `auto`. Raises Aborted."""
    screens = medium.screens
    if "keymap" in medium.optional:
        _ok(screens.show(texts.KEYMAP))
    chosen = _ok(screens.show(texts.PARTITIONING)).tag
    if chosen != texts.PARTITIONING.default_item:
        if chosen == "Shell":
            medium.shell()
        screens.box(NOT_OFFERED, NOT_OFFERED_TEXT.format(what=chosen))
        raise Aborted
    layout, disk = _choose_layout(medium)
    if "checksum" in medium.optional:
        _gauge(screens, texts.CHECKSUM)(0)
        medium.verify()
    try:
        medium.install(disk, layout.swap_mib, recovered, _gauge(screens, texts.EXTRACTION))
    except (CommandError, OSError) as error:
        screens.box(FAILED, str(error))
        raise Aborted from error
    if "manual" in medium.optional and screens.show(texts.MANUAL).code == OK:
        medium.shell()


def _choose_layout(medium: Medium) -> tuple[Layout, Disk]:
    """zfsboot's menu, until Last Chance was answered with yes. Raises Aborted."""
    screens, layout, at = medium.screens, Layout(), ""
    while True:
        answer = _ok(screens.show(texts.ZFS, layout.items(), at))
        at = answer.tag
        if at == LAYOUT:
            layout = _choose_disks(medium, layout) or layout
        elif at == texts.ZFS.default_item:
            # Without enough disks it leads through the layout by itself (ZFSBOOT_CONFIRM_LAYOUT).
            if not _enough(layout):
                changed = _choose_disks(medium, layout)
                if changed is None:
                    continue
                layout = changed
            if len(layout.chosen) > 1:
                screens.box(NOT_OFFERED, NOT_OFFERED_TEXT.format(what=layout.kind))
            elif screens.show(texts.LAST_CHANCE, disks=" ".join(layout.chosen)).code == OK:
                return layout, next(disk for disk in medium.find_disks() if disk.name == layout.chosen[0])
        else:
            layout = _change(medium, layout, at)


def _change(medium: Medium, layout: Layout, tag: str) -> Layout:
    """Another line of the ZFS screen."""
    shown = {item.tag: item.about for item in layout.items()}
    if tag in TOGGLES:
        return replace(layout, values={**layout.values, tag: "NO" if shown[tag] == "YES" else "YES"})
    if tag in (SWAP, POOL):
        answer = medium.screens.ask(
            texts.ZFS.title.body, tag[2:], layout.values.get(tag, DEFAULT_SWAP if tag == SWAP else "")
        )
        try:
            fine = answer.code == OK and bool(answer.tag) and (tag == POOL or parse_size(answer.tag) > 0)
        except ValueError:
            fine = False
        return replace(layout, values={**layout.values, tag: answer.tag}) if fine else layout
    if tag == "- Disk Info":
        text = "\n".join(f"{disk.name}  {disk.size // 1_000_000} MB  {disk.about}" for disk in medium.find_disks())
        medium.screens.box(tag[2:], text)
    elif tag != "- Rescan Devices":
        medium.screens.box(NOT_OFFERED, NOT_OFFERED_TEXT.format(what=tag[2:]))
    return layout


def _choose_disks(medium: Medium, layout: Layout) -> Layout | None:
    """Device type, then the disks, until there are enough; None where the person went back."""
    screens, kind = medium.screens, layout.kind
    while True:
        answer = screens.show(texts.VDEV, default_item=kind)
        if answer.code != OK:
            return None
        kind = answer.tag
        disks = medium.find_disks()
        while (answer := screens.show(texts.DISKS, [Item(disk.name, disk.about) for disk in disks])).code == OK:
            chosen = Layout(kind, answer.chosen, layout.values)
            if _enough(chosen):
                return chosen
            if screens.show(_too_few(kind), chosen=len(answer.chosen), least=LEAST_DISKS[kind]).code != OK:
                return None


def _too_few(kind: str) -> InstallerScreen:
    """The catalogue's screen is for a stripe; the others say their own name."""
    screen = texts.NOT_ENOUGH_DISKS
    return replace(screen, body=replace(screen.body, body=screen.body.body.replace("stripe", kind, 1)))


def _enough(layout: Layout) -> bool:
    return len(layout.chosen) >= LEAST_DISKS[layout.kind]


def _gauge(screens: Screens, screen: InstallerScreen, step: int = 20) -> Callable[[int], None]:
    """Redraw at every so many percent: a dialog is a program that has to start each time."""
    last = -step

    def progress(percent: int) -> None:
        nonlocal last
        if percent >= last + step:
            last = percent - percent % step
            screens.gauge(screen, percent)

    return progress


def _ok(answer: Answer) -> Answer:
    if answer.code != OK:
        raise Aborted
    return answer

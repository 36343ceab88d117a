"""The installer medium's conversation, with a person who has the answers ready; what dialog(1) is told; what is copied."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from standin.medium.dialog import CANCEL, ESCAPE, OK, Answer, Screens
from standin.medium.disks import Disk, copy_used, find_disks, grow
from standin.medium.flow import Left, Medium, parse_size, run_installer
from standin.medium.main import Wishes, wishes
from standin.run import CommandError

from lab.console.catalogue import installer as texts
from lab.console.catalogue.installer import InstallerScreen, Item
from lab.console.catalogue.text import STANDIN

DISKS = [
    Disk("ada0", Path("/dev/sda"), "QEMU HARDDISK", 1 << 30),
    Disk("vtbd0", Path("/dev/vda"), "VirtIO Block Device", 8 << 30),
]
STUB = f"""#!{sys.executable}
import os, sys
with open(sys.argv[0] + ".told", "w") as told:
    told.write("\\n".join([os.environ["TERM"], *sys.argv[1:]]) + "\\n")
os.write(int(sys.argv[2]), b"vtbd0")
sys.exit(1)
"""
WAY = ["copyright", "welcome", "partitioning", "zfs", "vdev", "disks", "last chance"]
ENTER = Answer(OK)


def pick(*tags: str) -> Answer:
    return Answer(OK, tags)


@dataclass
class Person(Screens):
    """answers: for screens by name, in order; one that has none is answered as a driver would."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    shown: dict[str, tuple[Item, ...]] = field(default_factory=dict)

    def show(
        self, screen: InstallerScreen, items: Sequence[Item] = (), default_item: str = "", **fields: object
    ) -> Answer:
        self.seen.append(screen.name)
        self.said.append(screen.body.fill(STANDIN, **fields))
        self.shown[screen.name] = tuple(items) or screen.items
        given = self.answers.get(screen.name, [])
        if given:
            return given.pop(0)
        return pick("vtbd0") if screen is texts.DISKS else pick(default_item or screen.default_item)

    def gauge(self, screen: InstallerScreen, percent: int) -> None:
        self.seen.append(f"{screen.name} {percent}")

    def box(self, title: str, text: str) -> Answer:
        self.seen.append(title)
        return ENTER

    def ask(self, title: str, text: str, initial: str) -> Answer:
        return self.answers[text].pop(0)

    def clear(self) -> None:
        self.seen.append("clear")


@dataclass
class Machine:
    """What the conversation had done."""

    installed: list[tuple[str, int, bytes | None]] = field(default_factory=list)
    shells: int = 0
    fails: int = 0

    def install(self, disk: Disk, swap_mib: int, config: bytes | None, progress: Callable[[int], None]) -> None:
        if self.fails:
            self.fails -= 1
            raise OSError("the disk is broken")
        for percent in range(0, 101, 5):
            progress(percent)
        self.installed.append((disk.name, swap_mib, config))

    def shell(self) -> None:
        self.shells += 1


def talk(
    answers: dict[str, list[Answer]], machine: Machine | None = None, optional: str = "", config: bytes | None = None
) -> tuple[Person, Machine]:
    person, made = Person(answers), machine or Machine()
    wanted = frozenset(optional.split(",")) - {""}
    medium = Medium(person, lambda: DISKS, made.install, lambda path: config, made.shell, lambda: None, wanted)
    run_installer(medium)
    return person, made


def test_the_way_through() -> None:
    person, machine = talk({})
    assert person.seen == [*WAY, *(f"extraction {number}" for number in range(0, 101, 20)), "complete"]
    assert machine.installed == [("vtbd0", 1024, None)]
    assert [item.tag for item in person.shown["disks"]] == ["ada0", "vtbd0"]
    assert any("following disks:\n\n   vtbd0" in text for text in person.said)


def test_screens_that_come_sometimes() -> None:
    person, _ = talk({"manual": [Answer(CANCEL)]}, optional="keymap,checksum,manual")
    order = [name for name in person.seen if not name.startswith("extraction")]
    assert order == [*WAY[:2], "keymap", *WAY[2:], "checksum 0", "manual", "complete"]


def test_disks_by_way_of_the_layout_s_own_line() -> None:
    person, machine = talk({"zfs": [pick("T Pool Type/Disks:"), pick("S Swap Size"), pick(">>> Install")],
                            "Swap Size": [pick("512m")]})  # fmt: skip
    assert person.seen[3:9] == ["zfs", "vdev", "disks", "zfs", "zfs", "last chance"]
    assert ("T Pool Type/Disks:", "stripe: 1 disk") in {(item.tag, item.about) for item in person.shown["zfs"]}
    assert machine.installed == [("vtbd0", 512, None)]


def test_too_few_disks_and_a_second_thought() -> None:
    person, machine = talk(
        {
            "vdev": [pick("mirror"), pick("stripe")],
            "disks": [pick(), pick("ada0"), Answer(CANCEL), pick("vtbd0")],
            "last chance": [Answer(CANCEL), Answer(OK)],
        }
    )
    few = [text for text in person.said if "Not enough" in text]
    assert few == [f"mirror: Not enough disks selected. ({count} < 2 minimum)" for count in (0, 1)]
    assert person.seen.count("zfs") == person.seen.count("last chance") == 2
    assert machine.installed == [("vtbd0", 1024, None)]


@pytest.mark.parametrize("answer", [Answer(CANCEL), Answer(ESCAPE)])
@pytest.mark.parametrize("screen", ["partitioning", "zfs"])
def test_a_cancelled_step_can_be_begun_again(screen: str, answer: Answer) -> None:
    person, machine = talk({screen: [answer]})
    assert person.seen.count("abort") == 1
    assert len(machine.installed) == 1
    with pytest.raises(Left):
        talk({screen: [answer], "abort": [Answer(CANCEL)]})


def test_the_welcome_screen_leads_elsewhere() -> None:
    with pytest.raises(Left):
        talk({"welcome": [Answer(ESCAPE)]})
    _, machine = talk({"welcome": [pick("Rescue Shell")]})
    assert (machine.shells, machine.installed) == (1, [])
    _, machine = talk({"welcome": [pick("Recover config.xml")]}, config=b"<old/>")
    assert machine.installed == [("vtbd0", 1024, b"<old/>")]


def test_what_is_not_offered_and_what_fails_aborts() -> None:
    person, machine = talk({"partitioning": [pick("Auto (UFS)")]}, Machine(fails=1))
    assert person.seen.count("abort") == 2
    assert len(machine.installed) == 1


def test_dialog_is_told_what_the_catalogue_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "dialog"
    program.write_text(STUB)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    screens = Screens(STANDIN, "vt100")

    def told(screen: InstallerScreen, items: Sequence[Item] = (), **fields: object) -> list[str]:
        answer = screens.show(screen, items, **fields)
        assert answer == Answer(CANCEL, ("vtbd0",))
        term, option, _, *words = (tmp_path / "dialog.told").read_text().splitlines()
        assert (term, option) == ("vt100", "--output-fd")
        assert words[:2] == ["--backtitle", "Uranus stand-in Installer"]
        return words[2:]

    assert told(texts.COPYRIGHT, notice="read this") == [
        "--title", "Copyright and distribution notice", "--ok-label", "Accept", "--msgbox", "read this", "0", "0",
    ]  # fmt: skip
    assert told(texts.VDEV)[:12] == [
        "--title", "ZFS Configuration", "--hline", "Press arrows, SPACE, TAB or ENTER", "--default-item", "stripe",
        "--ok-label", "OK", "--cancel-label", "Cancel", "--menu", "Select Virtual Device type:",
    ]  # fmt: skip
    assert told(texts.DISKS, [Item("vtbd0", "a disk")])[2:] == [
        "--separate-output", "--ok-label", "OK", "--cancel-label", "Back", "--checklist", "", "0", "0", "0",
        "vtbd0", "a disk", "off",
    ]  # fmt: skip
    assert told(texts.LAST_CHANCE, disks="vtbd0")[2:8] == [
        "--yes-label", "YES", "--no-label", "NO", "--defaultno", "--yesno",
    ]  # fmt: skip
    assert "--defaultno" not in told(texts.COMPLETE)
    assert told(texts.WELCOME)[-6:-4] == ["Install", "Install Uranus stand-in"]


def test_disks_have_freebsd_s_names(tmp_path: Path) -> None:
    for name, sectors in (("vda", 16777216), ("sda", 2097152), ("ram0", 8), ("vdb", 2048)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "size").write_text(f"{sectors}\n")
    (tmp_path / "sda" / "device").mkdir()
    (tmp_path / "sda" / "device" / "model").write_text("A STICK \n")
    found = [(disk.name, disk.device.name, disk.about, disk.size) for disk in find_disks(tmp_path)]
    assert found == [
        ("ada0", "sda", "A STICK", 1 << 30),
        ("vtbd0", "vda", "VirtIO Block Device", 8 << 30),
        ("vtbd1", "vdb", "VirtIO Block Device", 1 << 20),
    ]


def test_only_what_is_used_is_copied(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "file").write_bytes(b"a" * 5_000_000)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", tmp_path / "root", source, "64M"], check=True)
    with target.open("wb") as file:
        file.truncate(128 << 20)
    seen: list[int] = []
    copy_used(source, target, seen.append)
    grow(target)
    checked = subprocess.run(["e2fsck", "-fn", target], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    assert target.stat().st_blocks * 512 < 32 << 20
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0, 100)
    with pytest.raises(CommandError, match="e2image"):
        copy_used(tmp_path / "root" / "file", target, seen.append)


def test_sizes_and_wishes() -> None:
    assert (parse_size("1g"), parse_size("512M")) == (1024, 512)
    for wrong in ("1", "g", "-1g", "1t"):
        with pytest.raises(ValueError, match=wrong):
            parse_size(wrong)
    assert wishes("quiet uranus.medium=keymap,manual uranus.delay=1.5 uranus.recipe=abc") == Wishes(
        1.5, frozenset({"keymap", "manual"}), "abc"
    )
    assert wishes("uranus.medium quiet") == Wishes(0.0, frozenset(), "unknown")

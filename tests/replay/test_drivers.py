"""The drivers against consoles that know the right keys: every dialogue, from every state, in pieces of any size, and damaged."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lab.console.dialog_box import read_dialog
from lab.console.installer.driver import InstallerDriver
from lab.console.menu.assign import Assignment, assign
from lab.console.menu.driver import MenuDriver
from lab.console.menu.prompts import Prompt, end_distance, holds, recognise
from lab.console.picture import Display, KernelFilter
from lab.errors import LabError
from lab.paths import project_root
from tests.replay import mutate
from tests.replay.fake_firewall import STATES, FakeFirewall, booted
from tests.replay.fake_installer import PROGRAMS, RIGHT, WAY, FakeInstaller, screens
from tests.replay.fake_line import KERNEL_LINES, Damage, FakeLine
from tests.replay.mutate import TASKS, install_run, menu_run

LUCK = random.Random(7)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("task", TASKS)
def test_every_task_from_every_state_byte_by_byte(task: str, state: str) -> None:
    console, _, error = menu_run(task, state, Damage(piece=1), LUCK)
    assert (console.wrong, error, console.finished) == ("", None, True)


@pytest.mark.parametrize("piece", [2, 7, 4096])
@pytest.mark.parametrize("task", TASKS)
def test_every_task_in_pieces(task: str, piece: int) -> None:
    console, _, error = menu_run(task, "menu", Damage(piece=piece), LUCK)
    assert (console.wrong, error, console.finished) == ("", None, True)


@pytest.mark.parametrize("task", TASKS)
def test_a_kernel_line_at_any_place_changes_nothing(task: str) -> None:
    console, line, _ = menu_run(task, "menu", Damage(), LUCK)
    for at in range(3, line.said, 211):
        console, _, error = menu_run(task, "menu", Damage({at: "kernel"}, piece=5), LUCK)
        assert not console.wrong
        assert error or console.finished, at
        # Only what is read, the exit code's line and the table of NICs, may come out damaged.
        assert not error or "damaged" in str(error) or "NICs" in str(error), str(error)


@pytest.mark.parametrize("piece", [1, 3, 4096])
def test_the_first_boots_question(piece: int) -> None:
    console = FakeFirewall(booted(), "booting")
    line = FakeLine(console, Damage(piece=piece))
    assign(MenuDriver(line, clock=line.clock), mutate.ASSIGNMENT, booting=True)
    assert (console.wrong, console.finished) == ("", True)
    assert b"\x03" not in line.keys


@pytest.mark.parametrize("at", ["", *WAY])
@pytest.mark.parametrize("programs", [(one, two) for one in PROGRAMS for two in PROGRAMS], ids="-".join)
def test_an_installation_from_any_screen(programs: tuple[str, str], at: str) -> None:
    console = FakeInstaller(programs, optional=True, at=at)
    _, error = install_run(console, Damage(piece=61), LUCK)
    assert (console.wrong, error, console.finished) == ("", None, True)


def test_arrows_and_bare_escapes_are_never_sent() -> None:
    console = FakeInstaller()
    line, _ = install_run(console, Damage(), LUCK)
    assert b"\x1b" not in line.keys
    assert line.keys.count(b" ") == 1


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("screen", RIGHT)
def test_the_focus_that_is_read_is_the_one_that_enter_presses(screen: str, program: str) -> None:
    """What the picture says, against what the program itself returned for ENTER there."""
    nodes = screens(program)[screen]
    for keys, node in nodes.items():
        drawn = "".join(nodes[keys[:end]]["drawn"] for end in range(len(keys)) if keys[:end] in nodes) + node["drawn"]
        display = Display()
        display.feed(drawn.encode("latin-1"))
        dialog = read_dialog(display)
        assert dialog is not None
        assert dialog.focus is not None
        if len(dialog.buttons) == 2:
            assert (dialog.focus == dialog.buttons[0]) == (node["code"] == 0), repr(keys)
        if screen == "disks":
            ticked = " ".join(line.name for line in dialog.lines if line.ticked)
            assert node["code"] != 0 or ticked == node["choice"], repr(keys)
        elif dialog.lines and node["code"] == 0:
            assert dialog.selected is not None
            assert re.match(re.escape(node["choice"]) + r"(\s|$)", dialog.selected.text), repr(keys)


def test_another_disk_than_the_plans_is_never_ticked() -> None:
    console = FakeInstaller(at="disks")
    line = FakeLine(console)
    driver = InstallerDriver(line, "vtbd1", clock=line.clock)
    with pytest.raises(LabError, match="vtbd1 is not in the list") as failure:
        driver.install()
    assert "[ ] ada0" in str(failure.value)
    assert line.keys == b""


def test_another_disk_in_last_chance_stops_it() -> None:
    console = FakeInstaller(at="last chance")
    line = FakeLine(console)
    driver = InstallerDriver(line, "ada0", clock=line.clock)
    with pytest.raises(LabError, match="would destroy something else"):
        driver.install()
    assert line.keys == b""


class _Shown:
    """A screen that stands, whatever is typed."""

    wrong = ""

    def __init__(self, drawn: str) -> None:
        self._drawn = drawn

    def start(self) -> bytes:
        return self._drawn.encode("latin-1")

    def typed(self, data: bytes) -> bytes:
        return b""


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(
    ("screen", "words"),
    [("abort", "installation step was aborted"), ("not enough disks", "did not take the disk")],
)
def test_a_screen_of_failure_ends_it_without_a_key(screen: str, words: str, program: str, tmp_path: Path) -> None:
    line = FakeLine(_Shown(screens(program)[screen][""]["drawn"]))
    transcript = tmp_path / "install.jsonl"
    driver = InstallerDriver(line, clock=line.clock, transcript=transcript)
    with pytest.raises(LabError, match=words) as failure:
        driver.install()
    assert line.keys == b""
    assert str(transcript) in failure.value.problem.cure  # how to send it to us
    assert "gave up" in transcript.read_text()


def test_an_unknown_dialog_is_shown_and_refused() -> None:
    drawn = screens("dialog")["complete"][""]["drawn"].replace("Complete", "Surprise")
    line = FakeLine(_Shown(drawn))
    with pytest.raises(LabError, match="not known") as failure:
        InstallerDriver(line, clock=line.clock).install()
    assert "Surprise" in failure.value.problem.seen
    assert line.keys == b""
    assert line.now < 120


@pytest.mark.parametrize("line", KERNEL_LINES)
@pytest.mark.parametrize("size", [1, 2, 5, 400])
def test_kernel_lines_leave_the_picture_however_they_are_split(line: bytes, size: int) -> None:
    data = b"\x1b[10;5H< Y" + line + b"ES >"
    filtered, kernel = b"", KernelFilter()
    for at in range(0, len(data), size):
        filtered += kernel.feed(data[at : at + size])
    assert filtered + kernel.flush() == b"\x1b[10;5H< YES >"


def test_what_a_command_prints_is_no_kernel_line() -> None:
    kernel = KernelFilter()
    text = b"vtnet1: flags=8863<UP,BROADCAST> metric 0 mtu 1500\r\n"
    assert kernel.feed(text) + kernel.flush() == text


def test_prompts_forgive_little_and_never_guess() -> None:
    four = Prompt("4", "Configure IPv4 address LAN interface via DHCP? (y/n) ")
    six = Prompt("6", "Configure IPv6 address LAN interface via DHCP6? (y/n) ")
    assert recognise("x\nConfigure IPv4 address LAN interface via DHCP? (y/n) ", [four, six]) == (four, 0)
    assert recognise("x\nConfigure IPv4 addres LAN interfface via DHCP? (y/n) ", [four, six]) == (four, 2)
    assert recognise("x\nConfigure IPv address LAN interface via DHCP6? (y/n) ", [four, six]) == (six, 1)
    assert recognise("x\nConfigure address interface via DHCP? (y/n) ", [four, six]) is None
    assert end_distance("Shell prompt: ", "Y/N? : ") is None
    assert holds("SSHD is currently enabled.  Would you like to disable?", "SSHD is currently disabled.") is None


def test_a_wrong_mac_is_refused_before_anything_is_chosen() -> None:
    console = FakeFirewall(mutate.DIALOGUES["assign"])
    line = FakeLine(console)
    wanted = Assignment("vtnet0", "vtnet1", (), {"vtnet1": "52:54:00:ff:ff:ff"})
    with pytest.raises(LabError, match="NICs are not the plan's"):
        assign(MenuDriver(line, clock=line.clock), wanted)
    assert line.keys == b"1\r"


def test_a_login_without_a_password_is_refused() -> None:
    console = FakeFirewall(mutate.DIALOGUES["exec"], "login")
    line = FakeLine(console)
    with pytest.raises(LabError, match="asks for a login"):
        MenuDriver(line, clock=line.clock).exec("ifconfig vtnet1")
    assert line.keys == b""


def test_a_small_share_of_damaged_runs() -> None:
    """10,000 and more by command; the figures are in docs/pfsense.md."""
    outcomes = [mutate.one(seed) for seed in range(90_000, 90_060)]
    assert [run for run in outcomes if run[1] in ("wrong", "slipped")] == []
    assert sum(outcome == "done" for _, outcome, _ in outcomes) > 45


def test_a_doubled_letter_in_a_colour_code_does_not_move_the_focus() -> None:
    """The one wrong key that was ever found: YES looked chosen in Last Chance."""
    assert mutate.one(9901)[1] == "refused"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["exec", "--run", "echo hello; false"], 1, "hello"),
        (["menu"], 0, "at the console menu"),
    ],
)
def test_drive_a_command_on_a_terminal(arguments: list[str], code: int, words: str, tmp_path: Path) -> None:
    """`python -m lab.console.drive` against a menu on a real pseudo terminal, whose option 8 is a real shell."""
    menu = tmp_path / "menu"
    menu.write_text(
        "trap : INT\nwhile :; do\n"
        "printf '\\n 7) Ping host                         16) Restart PHP-FPM\\n 8) Shell\\n\\nEnter an option: '\n"
        "read option || exit\necho\n[ \"$option\" = 8 ] && PS1='# ' ENV= sh -i\ndone\n"
    )
    command = [sys.executable, "-m", "lab.console.drive", *arguments, "--", "sh", str(menu)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=project_root(), timeout=120)
    assert (done.returncode, done.stdout.strip()) == (code, words), done.stderr

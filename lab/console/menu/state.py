"""Where a console stands, read off its screen, and the way from there to the menu.

pfSense's own ways out are used (src/etc/rc.initial): Ctrl-C ends a dialogue, `exit` a shell (in the menu it is an unknown option and
only draws it again), an empty answer ends the login, and getty shows a fresh menu.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from lab.console.dialog_box import read_dialog
from lab.console.menu.prompts import MENU, Prompt
from lab.console.menu.talk import Talk
from lab.console.picture import Display
from lab.errors import LabError


class State(Enum):
    """What the last lines of a screen say."""

    NOTHING = "nothing on the screen"
    MENU = "the console menu"
    SHELL = "a shell"
    PHP_SHELL = "the PHP shell"
    LOGIN = "a login prompt"
    PASSWORD = "a password prompt"
    PAGER = "a pager"
    DIALOG = "a dialog"
    OTHER = "something else, such as a dialogue"


SHELL_LINE = re.compile(r"\[[^\]]+\]\[[^\]]+@[^\]]+\][^ ]*: $|(?:^|[\w\])~:/.@-])[%#$] $|@@LAB@@ $")
PHP_LINE = re.compile(r"^.{1,40} shell: $")
LOGIN_LINE = re.compile(r"(?:^|\s)login: $")
PASSWORD_LINE = re.compile(r"^Password(?: for .*)?:$")
PAGER_LINE = re.compile(
    r"^(?::|--More--.*|.*\(END\)|.*\(press h for help or q to quit\)|lines \d+-\d+.*|.* line \d+.*)$"
)
PRESS_ENTER = re.compile(r"Press <?ENTER>? to continue\.? ?$")

WAYS_OUT = ("Cancel", "CANCEL", "Exit", "EXIT", "Quit", "Back", "No", "NO", "Close", "Done")
"""Buttons that leave a dialog without doing what it offers."""

STEPS = 16
"""How many keys the way to the menu may take: several shells inside each other, dialogs behind dialogs."""

CTRL_C, CTRL_L, TAB, ENTER = b"\x03", b"\x0c", b"\t", b"\r"


def read_state(display: Display) -> State:
    """The state a screen shows. A line that is half typed is OTHER: Ctrl-C clears it."""
    if not display.text.strip():
        return State.NOTHING
    row, column = display.cursor
    above = "\n".join(line.rstrip() for line in display.lines[:row])
    line = display.lines[row][:column]
    if MENU.distance(f"{above}\n{line}") == 0:
        return State.MENU
    if read_dialog(display) is not None:
        return State.DIALOG
    patterns = (
        (PHP_LINE, State.PHP_SHELL),
        (SHELL_LINE, State.SHELL),
        (LOGIN_LINE, State.LOGIN),
        (PASSWORD_LINE, State.PASSWORD),
    )
    for pattern, state in patterns:
        if pattern.search(line):
            return state
    return State.PAGER if PAGER_LINE.match(line.strip()) else State.OTHER


@dataclass(frozen=True)
class Login:
    """Who to log in as where a console asks (pfSense with <disableconsolemenu>)."""

    user: str = "root"
    password: str = ""


@dataclass
class Resetter:
    """From any state to the menu. settle: seconds the screen must stand still before it is read.

    first: seconds to wait for a first sign where nothing has been seen yet.
    """

    talk: Talk
    login: Login | None = None
    settle: float = 0.5
    first: float = 1.0

    def to_menu(self) -> None:
        """Raises LabError where the menu does not show; the screen is in it."""
        self._wait_for_more(self.first if read_state(self.talk.terminal.display) is State.NOTHING else 0.0)
        self._look()
        stuck, last = 0, None
        for _ in range(STEPS):
            state = read_state(self.talk.terminal.display)
            if state is State.MENU:
                return
            # The echo of a Ctrl-C is no change.
            shown = (state, self.talk.terminal.display.text.replace("^C", ""))
            stuck = stuck + 1 if shown == last else 0
            last = shown
            if self.talk.terminal.closed:
                break
            self._leave(state, stuck)
        raise self.talk.refusal("the console menu")

    def _leave(self, state: State, stuck: int) -> None:
        """One key on the way. stuck: how often the same screen was there before."""
        terminal = self.talk.terminal
        if state in (State.SHELL, State.PHP_SHELL) and stuck < 2:
            terminal.press(b"exit\r")
        elif state is State.PAGER and not stuck:
            terminal.press(b"q")
        elif state is State.DIALOG and stuck:
            self._leave_dialog()
        elif state is State.LOGIN and not stuck:
            self._log_in()
        elif stuck == 0:
            terminal.press(CTRL_C)
        elif stuck == 1:
            # Nothing moved: a program that ignores Ctrl-C, or a menu that sees an empty line now.
            terminal.press(CTRL_L if state is State.NOTHING else ENTER)
        elif stuck == 2:
            terminal.press(ENTER)
        else:
            raise self.talk.refusal("the console menu", summary=f"There is no way from here to the menu: {state.value}")
        self._look(patient=state in (State.SHELL, State.PHP_SHELL, State.LOGIN) or stuck > 0)

    def _look(self, patient: bool = False) -> None:
        """Wait until the screen stands still; patient: until something came at all, for a menu takes PHP to draw."""
        talk = self.talk
        step = talk.timing.step * talk.timing.slowness
        if patient:
            self._wait_for_more(10.0)
        talk.terminal.settle(self.settle, step)
        # A banner comes in pieces: where the screen is in the middle of something, give it time.
        while read_state(talk.terminal.display) is State.OTHER and self._wait_for_more(6 * self.settle):
            talk.terminal.settle(self.settle, step)

    def _wait_for_more(self, seconds: float) -> bool:
        """Whether anything comes within that time (before scaling)."""
        terminal, before = self.talk.terminal, len(self.talk.raw)
        end = terminal.clock() + seconds * self.talk.timing.slowness
        while terminal.clock() < end and not terminal.closed:
            if terminal.pump(self.talk.timing.quiet) and len(self.talk.raw) != before:
                return True
        return False

    def _leave_dialog(self) -> None:
        """Ctrl-C did not end it: press the button that does, once it is seen to have the focus."""
        terminal = self.talk.terminal
        for _ in range(6):
            dialog = read_dialog(terminal.display)
            if dialog is None or dialog.focus is None:
                break
            if dialog.focus in WAYS_OUT or len(dialog.buttons) == 1:
                terminal.press(ENTER)
                return
            if not any(button in WAYS_OUT for button in dialog.buttons):
                break
            terminal.press(TAB)
            terminal.settle(self.settle, self.talk.timing.step)
        raise self.talk.refusal("the console menu", summary="The console shows a dialog that cannot be left safely")

    def _log_in(self) -> None:
        if self.login is None:
            raise LabError(
                "The console asks for a login",
                expected="the console menu, or a user and a password to log in with",
                seen=self.talk.terminal.display.text,
                log=str(self.talk.log or ""),
                cure="pfSense: System > Advanced, untick `Password protect the console menu`; or pass --user and a password",
            )
        self.talk.terminal.press(self.login.user.encode() + ENTER)
        self.talk.expect([Prompt("the password", pattern=r"Password(?: for [^\n]*)?:\s*")])
        self.talk.answer(self.login.password, hidden=True)

"""The installer, driven: wait until the screen is quiet, find the one rule that fits it, see that its answer will be understood, send it.

No key is sent on a guess. A screen that no rule knows, a focus that cannot be seen, an answer that changed nothing: all of them end in
a LabError that shows the screen.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lab.console.dialog_box import Dialog, Line, read_dialog
from lab.console.installer.rules import (
    DISKS_AT_STAKE,
    FIRST_PATIENCE,
    MINUTES,
    RULES,
    Choose,
    Fail,
    Rule,
    Type,
    View,
    Wait,
)
from lab.console.terminal import Line as SerialLine
from lab.console.terminal import Terminal
from lab.console.transcript import Transcript
from lab.errors import LabError
from lab.events import Event, Listener, Phase, silent

ENTER, TAB, SPACE, NEXT = b"\r", b"\t", b" ", b"+"
REBOOT_SECONDS = 60.0
"""How long the shutdown after the last screen may take before it is taken for granted."""
REBOOTING = re.compile(
    r"Rebooting\.\.\.|Uptime: |All buffers synced|Restarting system|SeaBIOS|Loading kernel", re.IGNORECASE
)

SEND_US = "send us {log} (it holds the whole conversation and no password) and say which image it was"
NOWHERE = "send us the screen above and say which image it was; with a transcript file we can replay it"


@dataclass(frozen=True)
class Timing:
    """Seconds. quiet: how long a screen must stand still before it is read. slowness: factor on every patience.

    overall: limit of a whole run.
    """

    quiet: float = 2.0
    slowness: float = 1.0
    overall: float = 1800.0


@dataclass(frozen=True)
class Installation:
    """A run that came to its end. screens: names of the rules that were met, in order; disk: what was written on."""

    disk: str
    screens: tuple[str, ...]
    seconds: float


class _NotYet(Exception):
    """The screen is a known one, but what the answer needs is not to be seen on it (yet)."""


@dataclass
class InstallerDriver:
    """One run of the installer on a line.

    line: anything like lab.console.line.SerialLine. disk: FreeBSD's name of the target (`vtbd0`); no other is ever ticked.
    past: what was said on the line before. transcript: file to write everything down in, as JSON lines.
    """

    line: SerialLine
    disk: str = "vtbd0"
    timing: Timing = field(default_factory=Timing)
    transcript: Path | None = None
    listener: Listener = silent
    subject: str = "installer"
    past: bytes = b""
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._terminal = Terminal(self.line, Transcript(self.transcript, self.clock), self.past, self.clock)
        self._met: list[str] = []
        self._answered: Counter[str] = Counter()

    def install(self) -> Installation:
        """From power on (or any screen) to the reboot after the last screen. Raises LabError; then nothing more is sent."""
        begin = changed = since = self.clock()
        patience, expected, before = FIRST_PATIENCE, "the installer's first screen", ""
        done: object = None
        while True:
            view, reason = self._look(), "The installer stands still"
            now, rule = self.clock(), self._rule(view)
            if view.screen != before:
                before, changed = view.screen, now
            if self._terminal.closed:
                raise self._stuck("The line closed before the installation was complete", expected, view)
            if rule is None:
                reason = "The installer shows a screen that is not known"
            elif isinstance(rule.answer, Fail):
                raise self._stuck(rule.answer.summary, expected, view, rule.answer.cure)
            elif isinstance(rule.answer, Wait):
                self._meet(rule, view)
                patience, since = rule.patience, changed
                expected = f"an end of: {rule.name}"
            elif (mark := _mark(rule, view)) != done:
                self._meet(rule, view)
                try:
                    done = self._answer(rule, view)
                except _NotYet as why:
                    reason = str(why)
                else:
                    patience, since = rule.patience, self.clock()
                    expected = f"another screen within {patience * self.timing.slowness:.0f} s after: {mark[0]}"
            if rule is not None and rule.last and (self._answered[rule.name] or isinstance(rule.answer, Wait)):
                self._see_it_off()
                return Installation(self.disk, tuple(self._met), self.clock() - begin)
            # A dialog that waits for a key and is not known will not go away by itself.
            limit = MINUTES if rule is None and view.dialog and view.dialog.buttons else patience
            if now - max(since, changed if limit < patience else since) > limit * self.timing.slowness:
                raise self._stuck(reason, expected, view)
            if now - begin > self.timing.overall * self.timing.slowness:
                raise self._stuck("The installation takes too long", f"an end within {self.timing.overall:.0f} s", view)

    def _look(self) -> View:
        self._terminal.settle(self.timing.quiet, limit=10 * self.timing.quiet)
        display = self._terminal.display
        row, column = display.cursor
        return View(display.text, read_dialog(display), display.lines[row][:column])

    @staticmethod
    def _rule(view: View) -> Rule | None:
        return next((rule for rule in RULES if rule.fits(view)), None)

    def _meet(self, rule: Rule, view: View) -> None:
        if not self._met or self._met[-1] != rule.name:
            self._met.append(rule.name)
            self._terminal.transcript.step(rule.name, view.screen)
            self.listener(Event(self.subject, rule.name, Phase.NOTE))

    def _answer(self, rule: Rule, view: View) -> tuple[str, object]:
        """Answer a screen, once. What is returned marks the screen as it stood when it was answered."""
        if self._answered[rule.name] >= rule.times:
            raise self._stuck(f"The installer came back to a screen: {rule.name}", "the next screen", view)
        if isinstance(rule.answer, Choose) and view.dialog is not None:
            dialog = self._prepare(rule, rule.answer, view.dialog, view)
            self._terminal.transcript.step(f"{rule.name}: ENTER on {dialog.focus}", self._terminal.display.text)
            keys, mark = ENTER, (rule.name, dialog)
        elif isinstance(rule.answer, Type):
            keys, mark = rule.answer.keys, _mark(rule, view)  # type: ignore[assignment]
        else:
            raise TypeError(rule)
        self._answered[rule.name] += 1
        self._terminal.press(keys)
        return mark

    def _prepare(self, rule: Rule, choice: Choose, dialog: Dialog, view: View) -> Dialog:
        """Bring list, ticks and focus where they belong. Gives back the dialog as it then is on the screen.

        Raises _NotYet where the screen is not whole yet; LabError once keys were sent that did not do what they should.
        """
        if rule.name == "last chance":
            self._check_stakes(dialog, view)
        if dialog.focus is None:
            raise _NotYet(f"It cannot be seen which button has the focus: {rule.name}")
        if not choice.is_meant_by(dialog.buttons):
            raise _NotYet(f"The buttons are not the ones of this screen: {rule.name}")
        if choice.line is not None or choice.disk:
            if dialog.selected is None:
                raise _NotYet(f"It cannot be seen on which line the bar stands: {rule.name}")
            if choice.line is not None and sum(_tag(line, choice.line) for line in dialog.lines) != 1:
                raise _NotYet(f"The line {choice.line} is not there: {rule.name}")
        if choice.disk:
            dialog = self._tick_target(rule, dialog)
        if choice.line is not None:
            dialog = self._select(rule, dialog, lambda line: _tag(line, choice.line or ""), choice.line)
        return self._focus(rule, dialog, choice)

    def _press(self, rule: Rule, key: bytes, before: Dialog) -> Dialog:
        """Press a key that moves something in a dialog, and see the dialog again. It must stay the same dialog."""
        self._terminal.press(key)
        end = self.clock() + 5 * self.timing.quiet * max(1.0, self.timing.slowness)
        while True:
            view = self._look()
            dialog = view.dialog
            whole = dialog is not None and rule.fits(view) and dialog.focus is not None
            if whole and dialog is not None and (dialog != before or self.clock() > end):
                return dialog
            if self.clock() > end:
                raise self._stuck(f"The screen changed while it was answered: {rule.name}", rule.name, view)

    def _focus(self, rule: Rule, dialog: Dialog, choice: Choose) -> Dialog:
        for _ in (*dialog.buttons, ""):
            if dialog.focus == choice.button and choice.is_meant_by(dialog.buttons):
                return dialog
            dialog = self._press(rule, TAB, dialog)
        raise self._stuck(f"The focus does not move: {rule.name}", f"the focus on {choice.button}", self._look())

    def _select(self, rule: Rule, dialog: Dialog, is_wanted: Callable[[Line], bool], name: str) -> Dialog:
        """The bar on a line: by its first letter, which both programs know, then line by line. Arrows would begin with ESC."""
        for key in (name[0].encode(), *[NEXT] * len(dialog.lines)):
            if dialog.selected is None:
                raise self._stuck(f"It cannot be seen where the bar stands: {rule.name}", name, self._look())
            if is_wanted(dialog.selected):
                return dialog
            dialog = self._press(rule, key, dialog)
        if dialog.selected is None or not is_wanted(dialog.selected):
            raise self._stuck(f"The bar does not get there: {rule.name}", name, self._look())
        return dialog

    def _tick_target(self, rule: Rule, dialog: Dialog) -> Dialog:
        """Exactly the target ticked, whatever was ticked before."""
        names = [line.name for line in dialog.lines]
        if (
            names.count(self.disk) != 1
            or any(line.ticked is None for line in dialog.lines)
            or len(set(names)) < len(names)
        ):
            raise _NotYet(f"The disk {self.disk} is not in the list, or the list is not whole")
        for name in sorted(names, key=lambda name: name == self.disk):
            wanted = name == self.disk
            if _ticked(dialog, name) == wanted:
                continue
            dialog = self._select(rule, dialog, lambda line, name=name: line.name == name, name)  # type: ignore[misc]
            dialog = self._press(rule, SPACE, dialog)
            if _ticked(dialog, name) != wanted:
                raise self._stuck(
                    "A tick did not change", f"{name} {'ticked' if wanted else 'not ticked'}", self._look()
                )
        if [line.name for line in dialog.lines if line.ticked] != [self.disk]:
            raise self._stuck("The wrong disks are ticked", f"{self.disk} and no other", self._look())
        return dialog

    def _check_stakes(self, dialog: Dialog, view: View) -> None:
        found = DISKS_AT_STAKE.search(dialog.text)
        disks = re.split(r"[ ,]+", found.group(1).strip()) if found else []
        if disks != [self.disk]:
            raise self._stuck("The installer would destroy something else", f"{self.disk} and no other", view)

    def _see_it_off(self) -> None:
        """Let the installed system write back and go down: the guest ends, or says so, or falls silent for long."""
        end = self.clock() + REBOOT_SECONDS * self.timing.slowness
        while not self._terminal.closed and self.clock() < end:
            self._terminal.pump(self.timing.quiet)
            if REBOOTING.search(self._terminal.display.text):
                return

    def _stuck(self, summary: str, expected: str, view: View, cure: str = "") -> LabError:
        self._terminal.transcript.step(f"gave up: {summary}", view.screen)
        send = SEND_US.format(log=self.transcript) if self.transcript else NOWHERE
        return LabError(
            summary,
            expected=expected,
            seen=view.screen or "(an empty screen)",
            log=str(self.transcript or ""),
            cure=f"{cure}; {send}" if cure else send,
        )


def _mark(rule: Rule, view: View) -> tuple[str, object]:
    return rule.name, view.dialog or view.prompt


def _tag(line: Line, tag: str) -> bool:
    return re.match(re.escape(tag) + r"(\s|$)", line.text) is not None


def _ticked(dialog: Dialog, name: str) -> bool | None:
    return next((line.ticked for line in dialog.lines if line.name == name), None)

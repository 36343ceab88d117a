"""Question and answer on a line: wait for a prompt, type, see the echo, and only then press ENTER."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab.console.menu.prompts import MENU, Prompt, recognise
from lab.console.picture import KERNEL_LINE
from lab.console.terminal import Terminal
from lab.errors import LabError

ESCAPES = re.compile(rb"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[()][0-9A-Za-z]|[78=>cDEMH]|\][^\x07\x1b]*(?:\x07|\x1b\\))")

NOTHING_SENT = "nothing was sent after that; `./inv lab.console` shows where it stands"


@dataclass(frozen=True)
class Timing:
    """Seconds. quiet: a prompt to the letter is answered when nothing has come for that long; unsure: one that has errors.

    echo: how long the echo of an answer may take. step: how long the next question may take. slowness: factor on the last three.
    """

    quiet: float = 0.1
    unsure: float = 1.0
    echo: float = 1.0
    step: float = 60.0
    slowness: float = 1.0


@dataclass
class Talk:
    """One conversation. subject: who is at the other end, for messages; log: path of the transcript, or ""."""

    terminal: Terminal
    timing: Timing = field(default_factory=Timing)
    subject: str = "The firewall"
    log: Path | None = None

    def __post_init__(self) -> None:
        self._heard = self.terminal.tap()

    @property
    def raw(self) -> bytes:
        """What was printed since the last answer, as it came."""
        return bytes(self._heard)

    @property
    def text(self) -> str:
        """The same as a person reads it: no escape sequences, no kernel lines, line ends as \\n."""
        return readable(self.raw)

    def expect(self, prompts: Sequence[Prompt], seconds: float | None = None) -> Prompt:
        """Wait for one of these prompts. Raises LabError when the line closes or `seconds` (before scaling) are over."""
        limit = (self.timing.step if seconds is None else seconds) * self.timing.slowness
        clock = self.terminal.clock
        end, heard_at = clock() + limit, clock()
        known, found = -1, None
        while True:
            if self.terminal.pump(min(self.timing.quiet, max(0.0, end - clock()))):
                heard_at = clock()
                continue
            if len(self._heard) != known:
                known, found = len(self._heard), recognise(self.text, prompts)
            if found and (not found[1] or clock() - heard_at >= self.timing.unsure * self.timing.slowness):
                self.terminal.transcript.step(f"asked for {found[0].name}", self.terminal.display.text)
                return found[0]
            back = MENU not in prompts and MENU.distance(self.text) == 0
            if back and clock() - heard_at >= self.timing.unsure * self.timing.slowness:
                raise self.refusal(_names(prompts), summary=f"{self.subject} went back to its menu")
            if self.terminal.closed or clock() >= end:
                raise self.refusal(_names(prompts), limit)

    def ask(self, prompt: Prompt, answer: str, seconds: float | None = None) -> None:
        """Wait for one prompt and answer it."""
        self.expect([prompt], seconds)
        self.answer(answer)

    def answer(self, text: str, hidden: bool = False) -> None:
        """Type a line. ENTER is pressed when its echo is right, or where nothing is echoed at all.

        Raises LabError on a wrong echo: the line is left as it stands, without ENTER.
        """
        start = len(self._heard)
        if text:
            self.terminal.press(text.encode(), hidden)
        if text and not hidden:
            self._see_echo(text, start)
        self._heard.clear()
        self.terminal.press(b"\r")

    def _see_echo(self, text: str, start: int) -> None:
        clock = self.terminal.clock
        end = clock() + self.timing.echo * self.timing.slowness
        echo = ""
        while clock() < end and not self.terminal.closed:
            self.terminal.pump(min(self.timing.quiet, max(0.0, end - clock())))
            echo = _joined(readable(bytes(self._heard[start:])))
            if echo == _joined(text):
                return
        if echo:
            raise LabError(
                f"{self.subject} echoed something else than was typed",
                expected=text,
                seen=echo,
                log=str(self.log or ""),
                cure="ENTER was not pressed; the same command again begins with a clean line",
            )

    def refusal(self, expected: str, seconds: float | None = None, summary: str = "") -> LabError:
        """The error for a console that does not show what it should, with the screen as text."""
        seen = self.terminal.display.text or "(an empty screen)"
        if self.terminal.closed:
            seen += "\n(the line was closed)"
        within = f" within {seconds:.0f} s" if seconds is not None else ""
        self.terminal.transcript.step(f"gave up waiting for {expected}", seen)
        return LabError(
            summary or f"{self.subject} did not ask for {expected}",
            expected=f"{expected}{within}",
            seen=seen,
            log=str(self.log or ""),
            cure=NOTHING_SENT,
        )


def _names(prompts: Sequence[Prompt]) -> str:
    return " or ".join(prompt.name for prompt in prompts)


def readable(data: bytes) -> str:
    """Console output as text: escape sequences and kernel lines dropped, line ends as \\n."""
    text = ESCAPES.sub(b"", KERNEL_LINE.sub(b"", data)).decode(errors="replace")
    return re.sub(r"\r*\n", "\n", text).replace("\r", "")


def _joined(text: str) -> str:
    """Without what a line editor puts in when a long line reaches the edge of the screen."""
    return text.replace("\n", "").replace("\b", "")

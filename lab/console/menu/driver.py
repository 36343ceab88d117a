"""The tasks a firewall's console is for: assign, set-ip, reboot, halt, password, sshd, PHP playback, commands in a shell.

Every task begins at the menu, wherever the console stood before, and ends there. A question that is not the next one, an answer that
is asked for twice, an echo that is wrong: LabError, and no further key.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab.console.command_line import Output, refuse_what_cannot_be_typed
from lab.console.menu import prompts
from lab.console.menu.prompts import Prompt
from lab.console.menu.state import Login, Resetter
from lab.console.menu.talk import Talk, Timing, readable
from lab.console.terminal import Line, Terminal
from lab.console.transcript import Transcript
from lab.errors import LabError


@dataclass
class MenuDriver:
    """One firewall's console on a line.

    line: anything like lab.console.line.SerialLine. past: what was said on it before. login: for a console that asks.
    settle, first: seconds, see Resetter.
    """

    line: Line
    timing: Timing = field(default_factory=Timing)
    subject: str = "The firewall"
    transcript: Path | None = None
    login: Login | None = None
    past: bytes = b""
    settle: float = 0.5
    first: float = 1.0
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        terminal = Terminal(self.line, Transcript(self.transcript, self.clock), self.past, self.clock)
        self.talk = Talk(terminal, self.timing, self.subject, self.transcript)

    def to_menu(self) -> None:
        """The reset-to-known-state recipe."""
        Resetter(self.talk, self.login, self.settle, self.first).to_menu()

    def choose(self, option: int) -> None:
        """An option of the menu, from wherever the console stands."""
        self.to_menu()
        self.talk.answer(str(option))

    def back_at_menu(self, seconds: float | None = None) -> None:
        self.talk.expect([prompts.MENU], seconds)

    @contextmanager
    def shell(self) -> Iterator[Shell]:
        """A /bin/sh for the time of a `with`; the menu shows again afterwards.

        The shell of option 8 is tcsh, which asks the terminal for its size after every line and throws away what was typed
        ahead; so it is replaced, and given a prompt that nothing else prints.
        """
        self.choose(8)
        self.talk.expect([prompts.TCSH])
        self.talk.answer("exec /bin/sh")
        self.talk.expect([prompts.SH, prompts.TCSH])
        self.talk.answer("PS1='@@''LAB@@ '")
        self.talk.expect([prompts.LAB])
        # Where that ends in an error the line may hold half a command, and nothing more may be typed.
        yield Shell(self.talk)
        self.talk.answer("exit")
        self.back_at_menu()

    def exec(self, command: str, seconds: float = 60.0) -> Output:
        """One command in a shell of its own. seconds: before scaling."""
        with self.shell() as shell:
            return shell.run(command, seconds)

    def playback(self, name: str, seconds: float = 120.0) -> str:
        """A recorded session of the PHP shell (option 12), by name and arguments. Gives back what it printed."""
        self.choose(12)
        self.talk.expect([prompts.PHP])
        self.talk.answer(f"playback {name}")
        self.talk.expect([prompts.PHP], seconds)
        text = self.talk.text
        missing = re.search(r"(Could not locate|Invalid) playback file", text)
        self.talk.answer("exit")
        self.back_at_menu()
        if missing:
            raise LabError(f"{self.subject} has no playback {name.split()[0]}", expected="the name of one", seen=text)
        printed = text.split("started.\n\n", 1)[-1]
        return re.sub(r"(^|\n)[^\n]{1,40} shell: \Z", r"\1", printed)

    def reboot(self) -> None:
        """Option 5. Returns when the firewall has said that it reboots."""
        self.choose(5)
        self.talk.ask(prompts.REBOOT, "y")
        self._farewell("rebooting now")

    def halt(self) -> None:
        """Option 6. The menu is drawn once more before the power goes off."""
        self.choose(6)
        self.talk.ask(prompts.HALT, "y")
        self._farewell("will shutdown and halt system now")

    def reset_password(self, local_database: bool = True) -> None:
        """Option 3: admin's password becomes the product's default again. local_database: so does the way to authenticate."""
        self.choose(3)
        self.talk.ask(prompts.PASSWORD, "y")
        if self.talk.expect([prompts.PASSWORD_DONE, prompts.LOCAL_DATABASE]) == prompts.LOCAL_DATABASE:
            self.talk.answer("y" if local_database else "n")
            self.talk.expect([prompts.PASSWORD_DONE])
        self.talk.answer("")
        self.back_at_menu()

    def sshd(self, enable: bool) -> bool:
        """Option 14. False where it was so already; then `n` is the answer."""
        self.choose(14)
        asked = self.talk.expect([prompts.SSH_ENABLE, prompts.SSH_DISABLE])
        change = (asked == prompts.SSH_ENABLE) == enable
        self.talk.answer("y" if change else "n")
        self.back_at_menu()
        return change

    def _farewell(self, words: str) -> None:
        """Wait for the last words of a firewall; a line that closes right after them is fine."""
        said = Prompt(words, pattern=r"[^\x00]*", context=(words,))
        try:
            self.talk.expect([said])
        except LabError:
            if not self.talk.terminal.closed:
                raise


@dataclass
class Shell:
    """A /bin/sh with our prompt, one command at a time."""

    talk: Talk

    def run(self, command: str, seconds: float = 60.0) -> Output:
        """Run one line. Raises LabError where it does not come back in `seconds` (before scaling), or is too long to be typed."""
        token = secrets.token_hex(3)
        # The quotes keep the echo of this line from looking like its output. The code comes twice: a line may lose a digit.
        typed = f"echo @@B''EGIN{token}; ({command}); c=$?; echo @@E''ND{token} $c $c"
        refuse_what_cannot_be_typed(command, typed)
        self.talk.answer(typed)
        end = re.compile(
            rb"@@BEGIN" + token.encode() + rb"\r*\n(.*?)@@END" + token.encode() + rb" (\d+) (\d+)\r*\n", re.DOTALL
        )
        self.talk.expect([prompts.LAB], seconds)
        found = end.search(self.talk.raw)
        if found is None and b"@@END" not in self.talk.raw:
            # A syntax error: sh did not run the line at all.
            return Output(readable(self.talk.raw).split("\n", 1)[-1].removesuffix("@@LAB@@ "), 2)
        if found is None or found.group(2) != found.group(3):
            raise self.talk.refusal("the exit code", summary="The end of the command's output came damaged")
        return Output(plain(found.group(1)), int(found.group(2)))


def plain(data: bytes) -> str:
    """A command's output as text: colour codes dropped, line ends as \\n. Kernel lines stay: they cannot be told from output."""
    return (
        re.sub(rb"\x1b\[[0-9;]*[A-Za-z]", b"", data).decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    )

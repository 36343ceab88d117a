"""A shell on a firewall's serial console, reached from whatever state the console is in.

The way in and the way out are pfSense's own menu (src/etc/rc.initial): option 8, and `exit`, which in the menu is merely an
unknown option. The shell there is tcsh, whose prompt queries the terminal after every line: it is replaced by /bin/sh with
a prompt of ours.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect

from lab.console.command_line import Output, refuse_what_cannot_be_typed
from lab.console.line import SerialLine, open_line
from lab.console.screen import rendered
from lab.errors import LabError

MENU_PROMPT = re.compile(rb"Enter an option: ")
SHELL_PROMPT = re.compile(rb"/root(?:\x1b\[[0-9;]*m)*:(?:\x1b\[[0-9;]*m)* |[#$] $")
OUR_PROMPT = re.compile(rb"(?<!')@@LAB@@ ")
RECEIVE = (
    "umask 077; rm -f {path}*; echo @@RE''ADY; "
    'while read -r l && [ "$l" != . ]; do echo "$l" >>{path}.b64; echo @@O'
    "K; done"
)
RECEIVING, RECEIVED = re.compile(rb"@@READY\r?\n"), re.compile(rb"@@OK\r?\n")
UNPACK = "openssl base64 -d -in {path}.b64 -out {path}.gz && gunzip -f {path}.gz; rm -f {path}.b64; openssl dgst -sha256 {path}"
LINES_AT_ONCE = 12
"""Lines of 76 characters that are sent before an answer is waited for: well below the 4096 a tty keeps."""

CTRL_C = "\x03"

NESTED_SHELLS = 5
"""How many shells inside each other are left before giving up. One `exit` too many is an unknown option to the menu."""


class FirewallShell:
    """One /bin/sh on a firewall, one command at a time."""

    def __init__(self, line: SerialLine, log: Path) -> None:
        self._line = line
        self._log = log

    def run(self, command: str, seconds: float = 60.0) -> Output:
        """Run one line. Raises LabError where it does not come back in `seconds`, or is too long to be typed."""
        token = secrets.token_hex(3)
        # The quotes keep the echo of this line from looking like its output.
        typed = f"echo @@B''EGIN{token}; ({command}); echo @@E''ND{token} $?"
        refuse_what_cannot_be_typed(command, typed)
        self._line.send(typed + "\r")
        end = re.compile(
            rb"@@BEGIN" + token.encode() + rb"\r\n(.*?)@@END" + token.encode() + rb" (\d+)\r?\n", re.DOTALL
        )
        if self._expect([end, OUR_PROMPT], seconds, "the end of the command") == 1:
            return Output(plain(self._line.before or b""), 2)
        found = self._line.match
        if not isinstance(found, re.Match):
            raise TypeError("pexpect reports a match without one")
        output = Output(plain(found.group(1)), int(found.group(2)))
        self._expect([OUR_PROMPT], seconds, "the shell's prompt")
        return output

    def put(self, data: bytes, path: str, seconds: float = 60.0) -> None:
        """Write a file on the firewall, readable by its owner alone. Raises LabError where it does not arrive whole.

        Nothing of it is echoed, so nothing of it is in the transcript. Sent compressed, in base64, a few lines at a time:
        a serial line has no flow control that a tty could use.
        """
        packed = base64.encodebytes(gzip.compress(data, mtime=0)).decode().splitlines()
        self.run("stty -echo", seconds)
        try:
            # Marked when echo is off and the loop is about to read; typed before, the lines could still be echoed.
            self._line.send(RECEIVE.format(path=path) + "\r")
            self._expect([RECEIVING], seconds, "the start of a file's transfer")
            for start in range(0, len(packed), LINES_AT_ONCE):
                lines = packed[start : start + LINES_AT_ONCE]
                self._line.send("".join(f"{line}\r" for line in lines))
                for _ in lines:
                    self._expect([RECEIVED], seconds, "a line of a file, acknowledged")
            self._line.send(".\r")
            self._expect([OUR_PROMPT], seconds, "the end of a file's transfer")
        finally:
            self.run("stty echo", seconds)
        done = self.run(UNPACK.format(path=path), seconds)
        digest = hashlib.sha256(data).hexdigest()
        if digest not in done.text:
            raise LabError(
                f"A file did not arrive whole on {self._log.stem}",
                expected=f"{path} with SHA-256 {digest}",
                seen=done.text,
                log=str(self._log),
                cure="try again",
            )

    def enter(self, seconds: float) -> None:
        """From any state to our own prompt."""
        self._line.send(CTRL_C)
        self._line.send("exit\r")
        for _ in range(NESTED_SHELLS):
            # A /bin/sh that is interrupted throws away what was typed right behind: it shows our prompt once more.
            if self._expect([MENU_PROMPT, SHELL_PROMPT, OUR_PROMPT], seconds, "the console menu") == 0:
                break
            self._line.send("exit\r")
        self._line.send("8\r")
        self._expect([SHELL_PROMPT], seconds, "a shell's prompt after menu option 8")
        self._line.send("exec /bin/sh\r")
        self._expect([SHELL_PROMPT], seconds, "the prompt of /bin/sh")
        self._line.send("PS1='@@''LAB@@ '\r")
        self._expect([OUR_PROMPT], seconds, "our own prompt")

    def leave(self) -> None:
        """Back to the menu; nobody waits for it."""
        self._line.send("exit\r")

    def _expect(self, patterns: list[re.Pattern[bytes]], seconds: float, what: str) -> int:
        try:
            return int(self._line.expect([*patterns], timeout=seconds))
        except (pexpect.TIMEOUT, pexpect.EOF) as error:
            seen = rendered((self._line.before or b"")[-6000:]) if isinstance(self._line.before, bytes) else ""
            raise LabError(
                f"The console of {self._log.stem} did not show {what}",
                expected=what,
                seen=seen or "(nothing)",
                log=str(self._log),
                cure="look at it with `./inv lab.console`; a firewall that still boots needs more time",
            ) from error


@contextmanager
def firewall_shell(
    socket_path: Path, log: Path, seconds: float = 60.0, purpose: str = "exec"
) -> Iterator[FirewallShell]:
    """A shell on a firewall for the time of a `with`. seconds: limit for each step, already scaled to the machine's speed."""
    with open_line(socket_path, seconds, purpose) as line:
        shell = FirewallShell(line, log)
        try:
            shell.enter(seconds)
        except LabError:
            # Not the usual menu or shell: a pager, a dialog, a login. The long way, then once more.
            to_menu(line, log, seconds)
            shell.enter(seconds)
        try:
            yield shell
        finally:
            shell.leave()


def to_menu(line: SerialLine, log: Path, seconds: float) -> None:
    """From any state to the menu, which is read off the line's log: see lab.console.menu.state. Raises LabError."""
    from lab.console.menu.driver import MenuDriver
    from lab.console.menu.talk import Timing

    past = log.read_bytes()[-8192:] if log.exists() else b""
    MenuDriver(line, Timing(step=seconds), log.stem, past=past, settle=2.0).to_menu()


def plain(data: bytes) -> str:
    """Console output as text: colour codes dropped, line ends as \\n."""
    text = re.sub(rb"\x1b\[[0-9;]*[A-Za-z]", b"", data).decode(errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")

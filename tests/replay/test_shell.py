"""The shell driver against a console that speaks as the recorded one does, from several states and split at every byte."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from lab.console.line import open_line
from lab.console.shell import firewall_shell
from lab.errors import LabError

MENU = "\r\n*** Welcome to pfSense 2.7.0-RELEASE (amd64) on fw-a ***\r\n\r\n 8) Shell\r\n\r\nEnter an option: "
TCSH = (
    "[\x1b[1m2.7.0-RELEASE\x1b[0m][\x1b[1mroot\x1b[0m\x1b[0;1;31m@\x1b[0;0;0m\x1b[1mpfSense.home.arpa\x1b[0m]"
    "/root\x1b[0;1;31m:\x1b[0;0;0m "
)


class Console(threading.Thread):
    """A firewall's console on a UNIX socket: menu, tcsh, sh. Answers `ifconfig` and `false`; asks for the window size in tcsh."""

    def __init__(self, path: Path, state: str, chunk: int, noise: str = "") -> None:
        super().__init__(daemon=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(1)
        self.state, self.chunk, self.noise = state, chunk, noise
        self.prompt = "# "
        self.received = b""
        self.start()

    def run(self) -> None:
        peer, _ = self.listener.accept()
        with peer, suppress(ConnectionError):
            self._serve(peer)

    def _serve(self, peer: socket.socket) -> None:
        line = b""
        while data := peer.recv(1):
            self.received += data
            if data == b"\x03":
                line = b""
                continue
            if data != b"\r":
                line += data
                continue
            self._say(peer, self._answer(re.sub(rb"\x1b\[[0-9;]*[Rt]", b"", line).decode()))
            line = b""

    def _say(self, peer: socket.socket, text: str) -> None:
        data = text.encode()
        for at in range(0, len(data), self.chunk):
            peer.send(data[at : at + self.chunk])

    def _answer(self, line: str) -> str:
        echo = line + "\r\n"
        if self.state == "menu":
            if line == "8":
                self.state = "tcsh"
                return echo + "\x1b7\x1b[r\x1b[999;999H\x1b[6n\x1b8" + TCSH
            return echo + MENU
        if line == "exit":
            self.state = "menu"
            return echo + MENU
        if line == "exec /bin/sh":
            self.state, self.prompt = "sh", "# "
            return echo + self.prompt
        if line.startswith("PS1="):
            self.prompt = line.removeprefix("PS1=").replace("'", "")
            return echo + self.prompt
        if found := re.fullmatch(r"echo (@@B''EGIN\w+); \((.*)\); echo (@@E''ND\w+) \$\?", line):
            begin, command, end = (group.replace("''", "") for group in found.groups())
            if command == "syntax(":
                return echo + "sh: syntax error\r\n" + self.prompt
            text, code = {"ifconfig": ("carp: MASTER vhid 1\r\n", 0), "false": ("", 1)}[command]
            return f"{echo}{begin}\r\n{self.noise}{text}{end} {code}\r\n{self.prompt}"
        return echo + (TCSH if self.state == "tcsh" else self.prompt)


@pytest.fixture(params=["menu", "tcsh", "sh"])
def state(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[1, 2, 7, 4096])
def chunk(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fw.sock"


def test_a_command_from_any_state_and_any_split(path: Path, state: str, chunk: int) -> None:
    console = Console(path, state, chunk)
    with firewall_shell(path, path.with_suffix(".log"), seconds=20) as shell:
        output = shell.run("ifconfig")
        failed = shell.run("false")
    assert (output.text, output.code) == ("carp: MASTER vhid 1\n", 0)
    assert (failed.text, failed.code) == ("", 1)
    assert b"\x1b[24;80R" in console.received


def test_a_syntax_error_is_exit_code_2(path: Path) -> None:
    Console(path, "menu", 3)
    with firewall_shell(path, path.with_suffix(".log"), seconds=20) as shell:
        output = shell.run("syntax(")
        assert output.code == 2
        assert "syntax error" in output.text
        assert shell.run("false").code == 1


def test_too_long_a_command_is_refused_before_a_key_is_sent(path: Path) -> None:
    console = Console(path, "menu", 64)
    with firewall_shell(path, path.with_suffix(".log"), seconds=20) as shell:
        before = console.received
        with pytest.raises(LabError, match="too long to be typed"):
            shell.run("x" * 300)
        assert console.received == before


def test_a_second_user_is_told_who_holds_the_line(path: Path) -> None:
    Console(path, "menu", 64)
    with (
        open_line(path, 5, "the first"),
        pytest.raises(LabError, match="held by somebody else") as failure,
        open_line(path, 5, "the second", wait=0.1),
    ):
        pass
    assert "the first" in str(failure.value)


def test_nothing_listens(path: Path) -> None:
    with pytest.raises(LabError, match="cannot be reached"), open_line(path, 5, "test"):
        pass

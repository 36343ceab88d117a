"""A firewall's console that knows which key is right: it speaks as the recordings do, and says when it was told something wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from lab.console.catalogue import menu
from lab.console.catalogue.text import PFSENSE, Text
from tests.replay.recordings import ARTEFACTS, FOLDER

BANNER = menu.BANNER_HEAD.fill(PFSENSE, platform="QEMU Guest", device_id="0123456789abcdef0123", hostname="fw-a")
FRESH = (BANNER + "\n WAN (wan)       -> vtnet0     -> v4/DHCP4: 10.0.2.15/24\n").replace("\n", "\r\n")
MENU = (menu.MENU.fill(PFSENSE, ssh_action="Enable") + menu.PROMPT.body).replace("\n", "\r\n")
TCSH = (
    "\x1b7\x1b[r\x1b[999;999H\x1b[6n\x1b8"
    "[\x1b[1m2.7.0-RELEASE\x1b[0m][\x1b[1mroot\x1b[0m\x1b[0;1;31m@\x1b[0;0;0m\x1b[1mpfSense.home.arpa\x1b[0m]"
    "/root\x1b[0;1;31m:\x1b[0;0;0m "
)
COMMAND = re.compile(r"echo @@B''EGIN(\w+); \((.*)\); c=\$\?; echo @@E''ND\w+ \$c \$c")
STATES = ("fresh", "menu", "half-typed", "dialogue", "tcsh", "sh", "nested", "php", "pager", "tail", "login", "dialog")


@dataclass(frozen=True)
class Dialogue:
    """One option: what is asked first, and (right answer, what comes after it); the last of them ends at the menu, or not."""

    option: str
    first: str
    steps: tuple[tuple[str, str], ...]


def recorded(name: str, option: str, whole: bool = False) -> Dialogue:
    """An option of a recording, as pfSense's own scripts spoke. whole: its choice is the first answer."""
    events = [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text().splitlines()]
    turns: list[list[str]] = []
    for event in events:
        if "in" in event:
            turns.append([event["in"].removesuffix("\r"), ""])
        elif turns:
            turns[-1][1] += event["out"]
    parts = [(typed, ARTEFACTS.sub("", said).removeprefix(typed + "\r\n")) for typed, said in turns]
    start = next(at for at, (typed, _) in enumerate(parts) if typed == option)
    return Dialogue(option, parts[start][1], tuple(parts[start if whole else start + 1 :]))


def booted() -> Dialogue:
    """The first boot's question, as recorded: nobody chose it."""
    events = [json.loads(line) for line in (FOLDER / "boot.jsonl").read_text().splitlines()]
    first = next(at for at, event in enumerate(events) if "in" in event)
    asked = "".join(event["out"] for event in events[:first])
    return Dialogue("", asked, recorded("boot", events[first]["in"].removesuffix("\r"), whole=True).steps)


def spoken(option: str, first: Text, *steps: tuple[str, str], **fields: object) -> Dialogue:
    """An option made of the catalogue's texts."""
    return Dialogue(
        option, "\r\n" + _crlf(first, **fields), tuple((typed, said.replace("\n", "\r\n")) for typed, said in steps)
    )


def _crlf(text: Text, **fields: object) -> str:
    return text.fill(PFSENSE, **fields).replace("\n", "\r\n")


def _say(*texts: Text) -> str:
    return "".join(text.fill(PFSENSE) for text in texts)


AGAIN = "\n" + (FRESH + MENU).replace("\r\n", "\n")
DIALOGUES = {
    "assign": recorded("menu1", "1"),
    "set-ip": recorded("menu2", "2"),
    "playback": recorded("php", "12"),
    "reboot": spoken("5", menu.REBOOT_ASK, ("y", _say(menu.REBOOTING, menu.REBOOT_END))),
    "halt": spoken("6", menu.HALT_ASK, ("y", _say(menu.HALTING) + AGAIN)),
    "password": spoken(
        "3", menu.PASSWORD_ASK, ("y", _say(menu.PASSWORD_DONE)), ("", AGAIN), default_password="pfsense"
    ),
    "sshd": spoken(
        "14",
        menu.SSH_ASK_ENABLE,
        (
            "y",
            _say(menu.SSH_WRITING, menu.SSH_WRITTEN, menu.SSH_ENABLING, menu.SSH_RELOADING, menu.SSH_ENABLED) + AGAIN,
        ),
    ),
    "sshd-on-already": spoken("14", menu.SSH_ASK_DISABLE, ("n", AGAIN)),
    "exec": Dialogue("8", TCSH, ()),
}


class FakeFirewall:
    """See Console. dialogue: the only option that may be chosen; state: one of STATES, where it stands at the start."""

    def __init__(self, dialogue: Dialogue, state: str = "menu") -> None:
        self.wrong, self.finished = "", False
        self._dialogue, self._state = dialogue, state
        self._line = ""
        self._left = list(dialogue.steps)
        self._shells: list[str] = []
        self._prompt = "# "

    def start(self) -> bytes:
        if self._state == "booting":
            self._state = "asked"
            return self._dialogue.first.encode()
        begun = {
            "fresh": FRESH + MENU,
            "menu": MENU,
            "half-typed": MENU + "1",
            "dialogue": "\r\nEnter the new LAN IPv4 address.  Press <ENTER> for none:\r\n> 17",
            "tcsh": TCSH,
            "sh": "# ",
            "nested": "# ",
            "php": "pfSense shell: ",
            "pager": "some text\r\nmore text\r\n--More--(42%)",
            "tail": "Nov 22 16:00:01 filterlog[1]: 4,,,1000000103,vtnet0,match,block\r\n",
            "login": "FreeBSD/amd64 (fw-a.home.arpa) (ttyu0)\r\n\r\nlogin: ",
            "dialog": "\x1b[H\x1b[2J+--------------+\r\n| Really?      |\r\n|  < Yes >  \x1b[7m< No  >\x1b[m |\r\n+--------------+",
        }[self._state]
        self._shells = {"tcsh": ["tcsh"], "sh": ["sh"], "nested": ["sh", "sh", "tcsh"]}.get(self._state, [])
        if self._state == "half-typed":
            self._state, self._line = "menu", "1"
        self._state = {"fresh": "menu", "tcsh": "shell", "sh": "shell", "nested": "shell"}.get(self._state, self._state)
        return begun.encode()

    def typed(self, data: bytes) -> bytes:
        said = ""
        for key in re.sub(rb"\x1b\[[0-9;]*[Rt]", b"", data).decode():
            said += self._key(key)
        return said.encode()

    def _key(self, key: str) -> str:
        if key == "\x03":
            self._line = ""
            return "^C" + self._interrupt()
        if self._state == "pager":
            return self._to_menu() if key == "q" else ""
        if self._state in ("tail", "dialog"):
            self.wrong = self.wrong or f"{key!r} while in {self._state}"
            return ""
        if key == "\x0c":
            return ""
        if key != "\r":
            self._line += key
            return "" if self._state == "password" else key
        line, self._line = self._line, ""
        return "\r\n" + self._entered(line)

    def _interrupt(self) -> str:
        if self._state in ("dialogue", "asked", "php", "tail", "dialog"):
            return self._to_menu()
        if self._state == "shell":
            return "\r\n" + self._shell_prompt()
        return "\r\nlogin: " if self._state in ("login", "password") else ""

    def _to_menu(self) -> str:
        self._state, self._left = "menu", list(self._dialogue.steps)
        return "\r\n" + FRESH + MENU

    def _entered(self, line: str) -> str:
        handlers: dict[str, Callable[[str], str]] = {
            "menu": self._in_menu,
            "asked": self._in_dialogue,
            "shell": self._in_shell,
            "php": self._in_php,
            "login": self._in_login,
            "password": lambda line: self._to_menu() if line == "secret" else "Login incorrect\r\nlogin: ",
        }
        if self._state not in handlers:
            self.wrong = self.wrong or f"{line!r} in somebody else's dialogue"
            return ""
        return handlers[self._state](line)

    def _in_menu(self, line: str) -> str:
        if line == self._dialogue.option:
            self._state = "asked" if self._dialogue.steps else "shell"
            self._shells = [] if self._dialogue.steps else ["tcsh"]
            return self._dialogue.first
        # rc.initial: an empty answer ends the login, `exit` is no option; both show the menu again.
        if line not in ("", "exit"):
            self.wrong = self.wrong or f"{line!r} in the menu"
        return self._to_menu()

    def _in_dialogue(self, line: str) -> str:
        answer, said = self._left[0] if self._left else (None, "")
        if line != answer:
            self.wrong = self.wrong or f"{line!r} instead of {answer!r}"
            return ""
        self._left.pop(0)
        if not self._left:
            self.finished = True
            self._state = "menu"
        return said

    def _shell_prompt(self) -> str:
        return TCSH if self._shells[-1] == "tcsh" else self._prompt

    def _in_shell(self, line: str) -> str:
        if line == "exit":
            self._shells.pop()
            self._prompt = "# "
            return self._shell_prompt() if self._shells else self._to_menu()
        if line == "exec /bin/sh":
            self._shells[-1] = "sh"
            return "\r" + self._shell_prompt()
        if line == "PS1='@@''LAB@@ '":
            self._prompt = "@@LAB@@ "
            return self._prompt
        found = COMMAND.fullmatch(line)
        if found and found.group(2) == "ifconfig vtnet1":
            self.finished = True
            said = (
                f"@@BEGIN{found.group(1)}\r\n\tcarp: MASTER vhid 1 advbase 1 advskew 0\r\n@@END{found.group(1)} 3 3\r\n"
            )
            return said + self._shell_prompt()
        if line:
            self.wrong = self.wrong or f"{line!r} in a shell"
        return self._shell_prompt()

    def _in_php(self, line: str) -> str:
        if line in ("exit", "quit"):
            return self._to_menu()
        if line:
            self.wrong = self.wrong or f"{line!r} in the PHP shell"
        return "pfSense shell: "

    def _in_login(self, line: str) -> str:
        if line != "root":
            return "Password:" if line else "\r\nlogin: "
        self._state = "password"
        return "Password:"

"""What a firewall asks on its console, as the driver knows it: from pfSense's scripts, not from the stand-in's texts.

A prompt is recognised at the end of what was printed since the last answer. Characters that a line dropped or doubled are
forgiven, a few in a long prompt and none in a short one; two prompts that could be meant are none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

FREE, SPARE = 12, 40
"""Shorter than FREE characters: not one may be wrong. Shorter than SPARE: one. Longer: two."""


@dataclass(frozen=True)
class Prompt:
    """One question.

    tail:    its end, up to where the cursor waits. pattern: the same as a regular expression, for what varies freely.
    context: texts that must stand before it, in what was printed since the last answer. absent: texts that must not.
    """

    name: str
    tail: str = ""
    pattern: str = ""
    context: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    def distance(self, text: str) -> int | None:
        """How many characters are wrong, 0 for none; None where the prompt is not there."""
        if self.pattern:
            errors: int | None = 0 if re.search(f"(?:{self.pattern})\\Z", text) else None
        else:
            errors = end_distance(text, self.tail)
        if errors is None or any(holds(text, other) is not None for other in self.absent):
            return None
        for context in self.context:
            found = holds(text, context)
            if found is None:
                return None
            errors += found
        return errors


def recognise(text: str, prompts: Sequence[Prompt]) -> tuple[Prompt, int] | None:
    """The one prompt a text ends with, and how far off it is; to the letter, the first of them.

    None where there is none, or where two come equally close.
    """
    found = [(errors, prompt) for prompt in prompts if (errors := prompt.distance(text)) is not None]
    if not found:
        return None
    found.sort(key=lambda pair: pair[0])
    if len(found) > 1 and found[1][0] == found[0][0] > 0:
        return None
    return found[0][1], found[0][0]


def allowed(literal: str) -> int:
    """How many characters of a text may be wrong."""
    return 0 if len(literal) < FREE else 1 if len(literal) < SPARE else 2


def end_distance(text: str, literal: str) -> int | None:
    """Edits between a literal and the end of a text, None for more than it is allowed."""
    if text.endswith(literal):
        return 0
    most = allowed(literal)
    if not most:
        return None
    return _edits(literal[::-1], text[: -len(literal) - most - 1 : -1], most, anywhere=False)


def holds(text: str, literal: str) -> int | None:
    """Edits between a literal and the place in a text that is most like it, None for more than it is allowed."""
    if literal in text:
        return 0
    most = allowed(literal)
    return _edits(literal, text, most, anywhere=True) if most else None


def _edits(literal: str, text: str, most: int, anywhere: bool) -> int | None:
    """Insertions and deletions (a changed letter is one of each, so counts two) that make literal a part of text.

    anywhere: the part may begin anywhere, else where the text begins; it may end anywhere.
    """
    row = [0] * (len(text) + 1) if anywhere else list(range(len(text) + 1))
    for number, letter in enumerate(literal, 1):
        before, row = row, [number]
        for column, other in enumerate(text, 1):
            least = before[column - 1] if letter == other else 1 + min(before[column], row[column - 1])
            row.append(least)
        if min(row) > most:
            return None
    least = min(row)
    return least if least <= most else None


PROCEED = "Do you want to proceed [y|n]? "

MENU = Prompt(
    "the console menu",
    "Enter an option: ",
    context=(" 7) Ping host                         16) Restart PHP-FPM\n 8) Shell\n",),
    absent=("S: Reboot into Single User Mode (requires console access!)",),
)
REBOOT = Prompt(
    "how to reboot", "Enter an option: ", context=("S: Reboot into Single User Mode (requires console access!)",)
)
HALT = Prompt("whether to halt", PROCEED, context=(" will shutdown and halt system. This may take a few minutes",))
PASSWORD = Prompt(
    "whether to reset the password", PROCEED, context=("admin password and privileges will be reset to the default",)
)
LOCAL_DATABASE = Prompt("whether to authenticate locally", "Do you want to set it back to Local Database [y|n]? ")
PASSWORD_DONE = Prompt(
    "ENTER after the password reset",
    "Press ENTER to continue.",
    context=("The password for the webConfigurator has been reset and",),
)
SSH_ENABLE = Prompt("whether to enable sshd", "SSHD is currently disabled.  Would you like to enable? [y/n]? ")
SSH_DISABLE = Prompt("whether to disable sshd", "SSHD is currently enabled.  Would you like to disable? [y/n]? ")

LITTLE_MEMORY = Prompt(
    "ENTER after the memory warning", "Press ENTER to continue. ", context=("DANGER!  WARNING!  ACHTUNG!",)
)
VLANS = Prompt("whether to set VLANs up", "Should VLANs be set up now [y|n]? ")
ASSIGN_PROCEED = Prompt("whether to assign so", PROCEED, context=("The interfaces will be assigned as follows:",))
REMOVE_LAN = Prompt("whether to remove the LAN", "unload the interface now [y|n]? ")

TCSH = Prompt("the shell's prompt", pattern=r"\[[^\]\n]+\]\[[^\]\n]+@[^\]\n]+\][^\n]*: |(?:^|\n)[^\n]{0,60}[%#$] ")
SH = Prompt("the prompt of /bin/sh", pattern=r"(?:^|\n)[#$] ")
LAB = Prompt("our own prompt", pattern=r"(?<!')@@LAB@@ ")
PHP = Prompt("the PHP shell's prompt", pattern=r"(?:^|\n)[^\n]{1,40} shell: ")
PHP_MISSING = Prompt(
    "an unknown playback", pattern=r"(?:Could not locate|Invalid) playback file[^\n]*\n[^\x00]* shell: "
)


def wan_prompt(names: Sequence[str]) -> Prompt:
    """names: the NICs that are still free, in the order of the table."""
    return Prompt(
        "the WAN's NIC", f"Enter the WAN interface name or 'a' for auto-detection \n({' '.join(names)} or a): "
    )


def lan_prompt(names: Sequence[str]) -> Prompt:
    """names: as for the WAN."""
    question = (
        "Enter the LAN interface name or 'a' for auto-detection \nNOTE: this enables full Firewalling/NAT mode.\n"
    )
    return Prompt("the LAN's NIC", f"{question}({' '.join(names)} a or nothing if finished): ")


def optional_prompt(number: int, names: Sequence[str]) -> Prompt:
    """number: from 1."""
    question = f"Enter the Optional {number} interface name or 'a' for auto-detection\n"
    return Prompt(f"the NIC of optional {number}", f"{question}({' '.join(names)} a or nothing if finished): ")


NUMBER = Prompt("the interface's number", "Enter the number of the interface you wish to configure: ")
SET_IP_DONE = Prompt("ENTER after the change", "Press <ENTER> to continue.")
HTTP = Prompt("whether to go back to HTTP", "Do you want to revert to HTTP as the webConfigurator protocol? (y/n) ")
DEFAULT_GATEWAY = Prompt("the default gateway", "Should this gateway be set as the default gateway? (y/n) ")


@dataclass(frozen=True)
class AddressPrompts:
    """The questions about one family's address of one interface. version: 4 or 6; name: as the firewall prints it (`LAN`)."""

    version: int
    name: str

    @property
    def dhcp(self) -> Prompt:
        client = "DHCP" if self.version == 4 else "DHCP6"
        return Prompt(
            f"IPv{self.version} by {client}",
            f"Configure IPv{self.version} address {self.name} interface via {client}? (y/n) ",
        )

    @property
    def address(self) -> Prompt:
        return Prompt(
            f"the IPv{self.version} address",
            f"Enter the new {self.name} IPv{self.version} address.  Press <ENTER> for none:\n> ",
        )

    @property
    def bits(self) -> Prompt:
        most = 32 if self.version == 4 else 128
        return Prompt(
            f"the IPv{self.version} prefix length",
            f"Enter the new {self.name} IPv{self.version} subnet bit count (1 to {most}):\n> ",
        )

    @property
    def gateway(self) -> Prompt:
        return Prompt(
            f"the IPv{self.version} gateway",
            f"For a WAN, enter the new {self.name} IPv{self.version} upstream gateway address.\n"
            "For a LAN, press <ENTER> for none:\n> ",
        )

    @property
    def server(self) -> Prompt:
        server = "DHCP" if self.version == 4 else "DHCP6"
        return Prompt(f"the {server} server", f"Do you want to enable the {server} server on {self.name}? (y/n) ")

    @property
    def first(self) -> Prompt:
        return Prompt(
            "the range's first address", f"Enter the start address of the IPv{self.version} client address range: "
        )

    @property
    def last(self) -> Prompt:
        return Prompt(
            "the range's last address", f"Enter the end address of the IPv{self.version} client address range: "
        )


DHCP4_ANY = Prompt("IPv4 by DHCP", pattern=r"Configure IPv4 address (\S+) interface via DHCP\? \(y/n\) ")

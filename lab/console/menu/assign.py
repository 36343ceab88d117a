"""Option 1, and the first boot's question: which NIC is which interface. A NIC counts as the plan's when its MAC says so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lab.console.menu import prompts
from lab.console.menu.driver import MenuDriver
from lab.console.menu.prompts import Prompt, holds
from lab.errors import LabError

NIC_LINE = re.compile(
    r"^(?P<name>[a-z]+[0-9.]+)\s+(?P<mac>[0-9a-f]{2}(?::[0-9a-f]{2}){5})\s+\(?(?:up|down)\)?",
    re.MULTILINE | re.IGNORECASE,
)
SUMMARY_LINE = re.compile(r"^(WAN|LAN|OPT\d+) +-> *(\S*)$", re.MULTILINE)
RELOAD_SECONDS = 180.0
RELOADED = Prompt(
    "the end of the assignment", pattern=r"done![^\x00]*", context=("One moment while the settings are reloading...",)
)


@dataclass(frozen=True)
class Assignment:
    """Interfaces by NIC, in the order they are asked for. lan: "" for none. macs: NIC -> MAC that it must have."""

    wan: str
    lan: str
    optional: tuple[str, ...]
    macs: Mapping[str, str]

    @property
    def nics(self) -> tuple[str, ...]:
        return tuple(nic for nic in (self.wan, self.lan, *self.optional) if nic)

    @property
    def summary(self) -> list[tuple[str, str]]:
        named = [("WAN", self.wan), *([("LAN", self.lan)] if self.lan else [])]
        return named + [(f"OPT{number}", nic) for number, nic in enumerate(self.optional, 1)]


def assign(driver: MenuDriver, wanted: Assignment, booting: bool = False) -> None:
    """Assign the interfaces. booting: the question is there already (a first boot); else menu option 1 asks it.

    Raises LabError where a MAC is not the plan's, before anything was chosen.
    """
    talk = driver.talk
    if not booting:
        driver.choose(1)
    if talk.expect([prompts.VLANS, prompts.LITTLE_MEMORY]) == prompts.LITTLE_MEMORY:
        talk.answer("")
        talk.expect([prompts.VLANS])
    free = _compare(talk.text, wanted)
    talk.answer("n")
    talk.expect([prompts.wan_prompt(free)])
    talk.answer(wanted.wan)
    free.remove(wanted.wan)
    talk.ask(prompts.lan_prompt(free), wanted.lan)
    if wanted.lan:
        free.remove(wanted.lan)
        _optional(driver, wanted, free)
    talk.expect([prompts.ASSIGN_PROCEED])
    summary = SUMMARY_LINE.findall(talk.text.split("The interfaces will be assigned as follows:")[-1])
    if summary != wanted.summary:
        raise _different("The firewall would assign something else", _arrows(wanted.summary), _arrows(summary))
    talk.answer("y")
    if not wanted.lan and not booting:
        talk.ask(prompts.REMOVE_LAN, "y")
    if talk.expect([RELOADED if booting else prompts.MENU, prompts.VLANS], RELOAD_SECONDS) == prompts.VLANS:
        raise talk.refusal(
            "the end of the assignment", summary="The firewall asks again: it did not take the assignment"
        )
    if not booting and holds(talk.text, "Writing configuration...") is None:
        raise talk.refusal("Writing configuration", summary="The firewall did not take the assignment")


def _optional(driver: MenuDriver, wanted: Assignment, free: list[str]) -> None:
    """The questions go on while NICs are left: how many there are depends on the hardware."""
    for number, nic in enumerate(wanted.optional, 1):
        driver.talk.ask(prompts.optional_prompt(number, free), nic)
        free.remove(nic)
    if free:
        driver.talk.ask(prompts.optional_prompt(len(wanted.optional) + 1, free), "")


def _compare(text: str, wanted: Assignment) -> list[str]:
    """The NICs in the firewall's order. Raises LabError where one is missing, or has another MAC than the plan gave it."""
    table = text.split("Valid interfaces are:")[-1]
    found = [(match["name"], match["mac"].lower()) for match in NIC_LINE.finditer(table)]
    names = [name for name, _ in found]
    seen = dict(found)
    missing = [nic for nic in wanted.nics if nic not in seen]
    wrong = [nic for nic in wanted.nics if nic in seen and wanted.macs.get(nic, seen[nic]).lower() != seen[nic]]
    if missing or wrong or len(set(names)) < len(names):
        expected = "\n".join(f"{nic} {wanted.macs.get(nic, 'any MAC')}" for nic in wanted.nics)
        raise _different(
            "The firewall's NICs are not the plan's", expected, "\n".join(" ".join(pair) for pair in found)
        )
    return names


def _arrows(pairs: list[tuple[str, str]]) -> str:
    return "\n".join(f"{name} -> {nic}" for name, nic in pairs)


def _different(summary: str, expected: str, seen: str) -> LabError:
    return LabError(
        summary,
        expected=expected,
        seen=seen or "(no table of NICs)",
        cure="compare the PCI slots in the domain with the plan; nothing was assigned",
    )

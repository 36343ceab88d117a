"""Option 2: the address of one interface, question by question, in the order of pfSense's rc.initial.setlanip."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lab.console.menu import prompts
from lab.console.menu.driver import MenuDriver
from lab.console.menu.prompts import AddressPrompts, Prompt
from lab.errors import LabError

CHOICE_LINE = re.compile(r"^(\d+) - (.+?) \((\S+?)(?: - [^)]*)?\)$", re.MULTILINE)
SAVE_SECONDS = 180.0


@dataclass(frozen=True)
class Family:
    """What one family's address becomes. address: `a.b.c.d/nn`, "dhcp", or "" for none; gateway: "" for none."""

    address: str = ""
    gateway: str = ""
    default_gateway: bool = True
    dhcp_range: tuple[str, str] | None = None


@dataclass(frozen=True)
class Change:
    """One interface by its description or its NIC, as option 2 lists it. revert_http: XML-RPC needs one protocol on both nodes."""

    interface: str
    v4: Family = Family()
    v6: Family = Family()
    revert_http: bool = False


def set_ip(driver: MenuDriver, change: Change) -> str:
    """Set the addresses of one interface. Gives back what the firewall said of it. Raises LabError where it does not take one."""
    talk = driver.talk
    driver.choose(2)
    if talk.expect([prompts.NUMBER, prompts.DHCP4_ANY]) == prompts.NUMBER:
        talk.answer(_number(talk.text, change.interface))
        talk.expect([prompts.DHCP4_ANY])
    found = re.search(prompts.DHCP4_ANY.pattern + r"\Z", talk.text)
    name = found.group(1) if found else ""
    if change.interface.upper() in ("WAN", "LAN") and name != change.interface.upper():
        raise talk.refusal(change.interface.upper(), summary=f"The firewall asks about {name}")
    _address(driver, AddressPrompts(4, name), change.v4)
    _address(driver, AddressPrompts(6, name), change.v6)
    _rest(driver, name, change)
    said = talk.text
    talk.answer("")
    driver.back_at_menu()
    return _told(said)


def _number(text: str, interface: str) -> str:
    """The line of an interface in the list. Raises LabError where there is not exactly one."""
    rows = CHOICE_LINE.findall(text.split("Available interfaces:")[-1])
    numbers = [number for number, descr, nic in rows if interface.lower() in (descr.lower(), nic.lower())]
    expected = [str(number) for number in range(1, len(rows) + 1)]
    if len(numbers) != 1 or [number for number, _, _ in rows] != expected:
        raise LabError(
            f"The firewall has no one interface {interface}",
            expected="its description or its NIC, as listed",
            seen="\n".join(f"{number} - {descr} ({nic})" for number, descr, nic in rows) or "(no list)",
            cure="nothing was changed; the dialogue stands open and the next command ends it",
        )
    return str(numbers[0])


def _address(driver: MenuDriver, ask: AddressPrompts, wanted: Family) -> None:
    """One family, up to its gateway."""
    talk = driver.talk
    talk.ask(ask.dhcp, "y" if wanted.address == "dhcp" else "n")
    if wanted.address == "dhcp":
        return
    address, _, bits = wanted.address.partition("/")
    talk.ask(ask.address, address)
    if not address:
        return
    if talk.expect([ask.bits, ask.address]) == ask.address:
        raise _not_taken(driver, wanted.address)
    talk.answer(bits or ("24" if ask.version == 4 else "64"))
    if talk.expect([ask.gateway, ask.bits, ask.address]) != ask.gateway:
        raise _not_taken(driver, wanted.address)
    talk.answer(wanted.gateway)
    if wanted.gateway:
        if talk.expect([prompts.DEFAULT_GATEWAY, ask.gateway]) == ask.gateway:
            raise _not_taken(driver, wanted.gateway)
        talk.answer("y" if wanted.default_gateway else "n")


def _rest(driver: MenuDriver, name: str, change: Change) -> None:
    """What comes after the addresses, each question at most once and some not at all; ends at "Press <ENTER>"."""
    v4, v6 = AddressPrompts(4, name), AddressPrompts(6, name)
    questions = [*_server(v4, change.v4), *_server(v6, change.v6), (prompts.HTTP, "y" if change.revert_http else "n")]
    end = prompts.SET_IP_DONE
    while True:
        asked = driver.talk.expect([*(prompt for prompt, _ in questions), end], SAVE_SECONDS)
        if asked == end:
            return
        at = next(number for number, (prompt, _) in enumerate(questions) if prompt == asked)
        driver.talk.answer(questions[at][1])
        questions = questions[at + 1 :]


def _server(ask: AddressPrompts, wanted: Family) -> Iterator[tuple[Prompt, str]]:
    if not wanted.address or wanted.address == "dhcp":
        return
    yield ask.server, "y" if wanted.dhcp_range else "n"
    if wanted.dhcp_range:
        yield ask.first, wanted.dhcp_range[0]
        yield ask.last, wanted.dhcp_range[1]


def _not_taken(driver: MenuDriver, answer: str) -> LabError:
    said = driver.talk.text.strip().splitlines()
    why = next((line for line in said[1:] if line.strip()), "it asks again")
    return driver.talk.refusal("the next question", summary=f"The firewall does not take {answer}: {why}")


def _told(text: str) -> str:
    lines = [line for line in text.splitlines() if line.startswith("The IPv")]
    return "\n".join(lines)

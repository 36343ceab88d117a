"""The console menu: banner, sixteen options, and what stands behind the short ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from lab.console.catalogue import menu as texts
from standin.terminal import Interrupted, Speaker


@dataclass(frozen=True)
class BannerLine:
    """One interface in the banner. kind: "" or `/DHCP4`. address: `172.17.1.254/24` or "" when it has none."""

    descr: str
    key: str
    nic: str
    kind: str
    address: str


@dataclass(frozen=True)
class Banner:
    platform: str
    device_id: str
    hostname: str
    lines: tuple[BannerLine, ...]


class System(Protocol):
    """What the menu can have done. A test answers in the firewall's place."""

    def banner(self) -> Banner: ...

    def ssh_enabled(self) -> bool: ...

    def reboot(self) -> None: ...

    def reroot(self) -> None:
        """End every process and start again from the top, without a new kernel."""

    def reboot_single_user(self) -> None:
        """The next boot stops at a shell."""

    def reset_to_defaults(self) -> None: ...

    def halt(self) -> None: ...

    def ping(self, host: str) -> None: ...

    def shell(self) -> None: ...

    def show_states(self) -> None:
        """Until the person leaves it."""

    def follow_filter_log(self) -> None:
        """Until the person leaves it."""

    def dialogue(self, option: str, speaker: Speaker) -> bool:
        """Options with a module of their own; False when this firewall does not offer the option."""


NOT_OFFERED = "This option is not offered by the stand-in.\n"


def print_banner(speaker: Speaker, banner: Banner) -> None:
    speaker.say(texts.BANNER_HEAD, platform=banner.platform, device_id=banner.device_id, hostname=banner.hostname)
    for line in banner.lines:
        address = texts.BANNER_ADDRESS.body.format(kind=line.kind, address=line.address) if line.address else ""
        speaker.say(texts.BANNER_INTERFACE, label=f"{line.descr} ({line.key})", nic=line.nic, addresses=address)
    speaker.say(texts.BANNER_END)


def run_menu(speaker: Speaker, system: System) -> None:
    """Banner, menu, answer, over and over; returns when the login ends (an empty answer, or option 0 as over ssh)."""
    while True:
        print_banner(speaker, system.banner())
        speaker.say(texts.MENU, ssh_action="Disable" if system.ssh_enabled() else "Enable")
        answer = _choice(speaker)
        if answer is None:
            return
        speaker.say(texts.AFTER_ANSWER)
        if answer in ("", "0"):
            return
        try:
            _act(answer, speaker, system)
        except Interrupted:
            # A Ctrl-C ends pfSense's scripts, and the menu, which traps it, comes again.
            continue


def _choice(speaker: Speaker) -> str | None:
    """The menu traps Ctrl-C: nothing is drawn, the answer is still awaited."""
    speaker.say(texts.PROMPT)
    while True:
        try:
            return speaker.listen()
        except Interrupted:
            continue


def _act(answer: str, speaker: Speaker, system: System) -> None:
    option = OPTIONS.get(answer)
    if option:
        option(speaker, system)
    elif answer in OTHER_OPTIONS and not system.dialogue(answer, speaker):
        speaker.write(NOT_OFFERED)


def _reboot(speaker: Speaker, system: System) -> None:
    answer = speaker.ask(texts.REBOOT_ASK) or ""
    if answer in ("Y", "y"):
        speaker.say(texts.REBOOTING)
        system.reboot()
    elif answer in ("R", "r"):
        speaker.say(texts.REROOTING)
        system.reroot()
    elif answer == "S":
        speaker.say(texts.SINGLE_USER)
        system.reboot_single_user()
    speaker.say(texts.REBOOT_END)


def _defaults(speaker: Speaker, system: System) -> None:
    if speaker.agree(texts.DEFAULTS_ASK):
        system.reset_to_defaults()
        speaker.say(texts.REBOOTING)
        system.reboot()


def _halt(speaker: Speaker, system: System) -> None:
    if speaker.agree(texts.HALT_ASK):
        speaker.say(texts.HALTING)
        system.halt()


def _ping(speaker: Speaker, system: System) -> None:
    host = speaker.ask(texts.PING_ASK) or ""
    if not plausible_host(host):
        return
    speaker.say(texts.PING_START)
    system.ping(host)
    speaker.ask(texts.PING_END)


def _shell(speaker: Speaker, system: System) -> None:
    system.shell()


def _show_states(speaker: Speaker, system: System) -> None:
    system.show_states()


def _follow_filter_log(speaker: Speaker, system: System) -> None:
    system.follow_filter_log()


def plausible_host(text: str) -> bool:
    """An address or a name, nothing that a program could take for an option."""
    return bool(text) and not text.startswith("-") and all(each.isalnum() or each in ".-_:" for each in text)


OPTIONS: Mapping[str, Callable[[Speaker, System], None]] = {
    "4": _defaults,
    "5": _reboot,
    "6": _halt,
    "7": _ping,
    "8": _shell,
    "9": _show_states,
    "10": _follow_filter_log,
}
OTHER_OPTIONS = ("1", "2", "3", "11", "12", "13", "14", "15", "16")

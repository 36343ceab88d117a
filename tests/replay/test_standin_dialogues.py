"""The stand-in's own dialogue code, speaking as pfSense, against recordings of pfSense's scripts: byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from standin.developer_shell import run_shell
from standin.menu import Banner, BannerLine, run_menu
from standin.places import Places
from standin.terminal import Speaker

from lab.console.catalogue import boot, menu, shell
from lab.console.catalogue.text import PFSENSE, STANDIN, Text
from tests.replay.recordings import Player, Recording

FACTORY = Banner(
    "QEMU Guest",
    "0123456789abcdef0123",
    "pfSense",
    (
        BannerLine("WAN", "wan", "vtnet0", "/DHCP4", "10.0.2.15/24"),
        BannerLine("LAN", "lan", "vtnet1", "", "192.168.1.1/24"),
        BannerLine("OPT1", "opt1", "vtnet2", "", ""),
        BannerLine("OPT2", "opt2", "vtnet3", "", ""),
        BannerLine("OPT3", "opt3", "vtnet4", "", ""),
    ),
)
NODE = Banner(
    "QEMU Guest",
    "0123456789abcdef0123",
    "fw-a",
    (
        BannerLine("WAN", "wan", "vtnet0", "/DHCP4", "10.0.2.15/24"),
        BannerLine("LAN", "lan", "vtnet1", "", "172.17.1.254/24"),
        BannerLine("SRV", "opt1", "vtnet2", "", "172.17.2.254/24"),
        BannerLine("DMZ", "opt2", "vtnet3", "", "172.17.3.254/24"),
        BannerLine("HA", "opt3", "vtnet4", "", "172.17.4.254/24"),
    ),
)


@dataclass
class Played:
    """A firewall that does nothing but note what it was told."""

    shown_banner: Banner
    done: list[str] = field(default_factory=list)
    on_shell: Callable[[], None] = lambda: None
    on_dialogue: Callable[[str, Speaker], bool] = lambda option, speaker: False
    ssh: bool = False

    def banner(self) -> Banner:
        return self.shown_banner

    def ssh_enabled(self) -> bool:
        return self.ssh

    def reboot(self) -> None:
        self.done.append("reboot")

    def halt(self) -> None:
        self.done.append("halt")

    def ping(self, host: str) -> None:
        self.done.append(f"ping {host}")

    def shell(self) -> None:
        self.done.append("shell")
        self.on_shell()

    def dialogue(self, option: str, speaker: Speaker) -> bool:
        self.done.append(option)
        return self.on_dialogue(option, speaker)


def say(text: Text, **fields: object) -> str:
    return text.fill(PFSENSE, **fields).replace("\n", "\r\n")


def test_end_of_boot_banner_and_menu() -> None:
    recording, player = Recording.load("boot"), Player([])
    speaker = Speaker(player, PFSENSE)
    speaker.say(boot.BOOT_COMPLETE)
    run_menu(speaker, Played(FACTORY))
    assert recording.printed.endswith(player.shown)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (boot.LAUNCHED, {}),
        (boot.CONFIGURING_LOOPBACK, {}),
        (boot.CONFIGURING_INTERFACE, {"descr": "LAN"}),
        (boot.CONFIGURING_INTERFACE, {"descr": "WAN"}),
        (boot.CONFIGURING_CARP, {}),
        (boot.CONFIGURING_FIREWALL, {}),
        (boot.SETTING_ROUTES, {}),
        (boot.STARTING_WEB, {}),
        (boot.USER_SETTINGS, {}),
        (boot.LOADING_CONFIGURATION, {}),
        (boot.UPDATING_CONFIGURATION, {}),
        (boot.DONE, {}),
        (boot.BOOT_COMPLETE, {}),
    ],
    ids=lambda value: value.body.strip() if isinstance(value, Text) else "",
)
def test_boot_lines_stand_in_the_recording(text: Text, fields: dict[str, str]) -> None:
    assert say(text, **fields) in Recording.load("boot").printed


def test_boot_lines_come_in_the_recorded_order() -> None:
    printed, at = Recording.load("boot").printed, 0
    for text in (boot.LOADING_CONFIGURATION, boot.CONFIGURING_CARP, boot.CONFIGURING_FIREWALL, boot.BOOT_COMPLETE):
        at = printed.index(say(text), at) + 1


def test_mismatch() -> None:
    assert say(boot.MISMATCH, missing="em0 em1") in Recording.load("boot").printed


def test_shell() -> None:
    """Menu, option 8, the prompt with its colours inside, and the menu again after `exit`."""
    recording, player = Recording.load("shell"), Player(["8"])
    speaker = Speaker(player, PFSENSE)
    played = Played(NODE)

    def in_the_shell() -> None:
        speaker.say(shell.PROMPT, user="root", fqdn="pfSense.home.arpa", folder="/root")
        played.shell_starts_at = len(player.shown)  # type: ignore[attr-defined]

    played.on_shell = in_the_shell
    run_menu(speaker, played)
    starts: int = played.shell_starts_at  # type: ignore[attr-defined]
    assert recording.printed.startswith(player.shown[:starts])
    assert recording.printed.removesuffix("\r\n").endswith("exit\r\n" + player.shown[starts:])


def test_developer_shell() -> None:
    recording = Recording.load("php")
    player = Player(recording.typed)
    names = (
        "changepassword cryptconfig disablecarp disablecarpmaint disabledhcpd disablereferercheck enableallowallwan "
    )
    names += (
        "enablecarp enablecarpmaint enablesshd externalconfiglocator gatewaystatus generateguicert gitsync installpkg "
    )
    names += "listpkg pfanchordrill pftabledrill removepkgconfig removeshaper resetwebgui restartallwan restartdhcpd "
    names += "restartipsec svc uninstallpkg upgradeconfig"
    played: list[str] = []

    def playback(speaker: Speaker, places: Places) -> None:
        speaker.say(shell.ENABLE_MAINTENANCE)
        played.append("enablecarpmaint")

    playbacks = dict.fromkeys(names.split(), playback)

    def dialogue(option: str, speaker: Speaker) -> bool:
        run_shell(speaker, playbacks, Places(Path("/nonexistent")))
        return True

    run_menu(Speaker(player, PFSENSE), Played(NODE, on_dialogue=dialogue))
    assert player.shown == recording.printed
    assert played == ["enablecarpmaint"]


@pytest.mark.parametrize(
    ("typed", "done"),
    [
        (["5", "y"], ["reboot"]),
        (["5", "Y"], ["reboot"]),
        (["5", "n"], []),
        (["5", ""], []),
        (["6", "y"], ["halt"]),
        (["6", "yes"], []),
        (["7", "192.0.2.1", ""], ["ping 192.0.2.1"]),
        (["7", "-f 192.0.2.1"], []),
        (["7", ""], []),
        (["8"], ["shell"]),
        (["nonsense"], []),
        (["99"], []),
        (["13"], ["13"]),
        ([""], []),
    ],
)
def test_what_an_answer_does(typed: list[str], done: list[str]) -> None:
    played = Played(NODE)
    run_menu(Speaker(Player(typed), PFSENSE), played)
    assert played.done == done


def test_an_empty_answer_ends_the_login_and_an_unknown_one_draws_again() -> None:
    unknown, empty = Player(["exit"]), Player(["", "8"])
    run_menu(Speaker(unknown, PFSENSE), Played(NODE))
    run_menu(Speaker(empty, PFSENSE), Played(NODE))
    assert unknown.shown.count(" 0) Logout") == 2
    assert empty.shown.count(" 0) Logout") == 1
    assert empty.left == ["8"]


def test_option_14_says_what_it_would_do() -> None:
    player = Player([])
    run_menu(Speaker(player, PFSENSE), replace(Played(NODE), ssh=True))
    assert "14) Disable Secure Shell (sshd)" in player.shown


@pytest.mark.parametrize("module", [boot, menu, shell])
def test_the_stand_in_never_calls_itself_pfsense(module: object) -> None:
    """Every text in its own name; file names such as pfSsh.php are not its name."""
    for name, text in vars(module).items():
        if isinstance(text, Text):
            fields = dict.fromkeys(("descr", "slice", "path", "missing", "platform", "device_id", "hostname"), "x")
            fields |= dict.fromkeys(("label", "nic", "addresses", "kind", "address", "ssh_action", "user", "fqdn"), "x")
            fields |= dict.fromkeys(("folder", "commands", "name", "default_password"), "x")
            assert "pfsense" not in text.fill(STANDIN, **fields).lower(), name


def test_every_text_says_where_it_is_from() -> None:
    for module in (boot, menu, shell):
        texts = [each for each in vars(module).values() if isinstance(each, Text)]
        assert texts
        assert all(text.source for text in texts)

"""The stand-in's own dialogue code, speaking as pfSense, against recordings of pfSense's scripts: byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring, tostring

import bcrypt
import pytest
from standin import dialogues
from standin.config_store import Backup
from standin.defaults import DEFAULT_PASSWORD
from standin.developer_shell import run_shell
from standin.dialogues.assign import assign_interfaces
from standin.machine import NicState
from standin.menu import Banner, BannerLine, run_menu
from standin.places import Places
from standin.settings import Settings
from standin.settings_xml import read
from standin.terminal import Speaker

from lab.console.catalogue import assign, boot, history, menu, set_ip, shell
from lab.console.catalogue.text import PFSENSE, STANDIN, Text
from tests.golden_files import GOLDEN
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

    def reroot(self) -> None:
        self.done.append("reroot")

    def reboot_single_user(self) -> None:
        self.done.append("single user")

    def reset_to_defaults(self) -> None:
        self.done.append("defaults")

    def show_states(self) -> None:
        self.done.append("states")

    def follow_filter_log(self) -> None:
        self.done.append("filter log")

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


@dataclass
class PlayedMachine:
    """A firewall whose configuration lives in memory."""

    root: Element
    cards: list[NicState] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    reloads: int = 0
    web_restarts: int = 0
    rpc_lock: bool = False
    kept: list[Backup] = field(default_factory=list)
    broken_disk: bool = False
    memory_mib: tuple[int, int] = (192, 170)

    def settings(self) -> Settings:
        return read(tostring(self.root))

    def nics(self) -> list[NicState]:
        return self.cards

    def change(self, edit: Callable[[Element], None], description: str) -> None:
        edit(self.root)
        self.changes.append(description)

    def reload(self) -> None:
        self.reloads += 1

    def memory(self) -> tuple[int, int]:
        return self.memory_mib

    def backups(self) -> list[Backup]:
        return self.kept

    def restore(self, backup: Backup) -> None:
        if self.broken_disk:
            raise OSError
        self.changes.append(f"restored {backup.time}")

    def restart_web(self) -> None:
        self.web_restarts += 1

    def remove_rpc_lock(self) -> bool:
        self.rpc_lock, was = False, self.rpc_lock
        return was


def machine(*edits: tuple[str, str]) -> PlayedMachine:
    text = (GOLDEN / "standin" / "uranus-master.xml").read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    cards = [NicState(f"vtnet{number}", f"52:54:00:17:00:0{number}", up=False) for number in range(5)]
    return PlayedMachine(fromstring(text), cards)


def talk(typed: list[str], banner: Banner, played: PlayedMachine) -> Player:
    """A session in which the menu's own dialogues act on `played`."""

    def dialogue(option: str, speaker: Speaker) -> bool:
        found = dialogues.find(option)
        assert found
        found(speaker, played)
        return True

    player = Player(typed)
    run_menu(Speaker(player, PFSENSE), Played(banner, on_dialogue=dialogue))
    return player


def test_set_address() -> None:
    recording, played = Recording.load("menu2"), machine(("172.17.1.254", "172.17.1.9"))
    player = talk(recording.typed, NODE, played)
    assert player.shown == recording.printed
    assert played.settings() == machine().settings()
    assert (played.changes, played.reloads) == (["lan IP configuration from console menu"], 1)


def test_assign() -> None:
    recording = Recording.load("menu1")
    played = machine(("<if>vtnet0</if>", "<if>em0</if>"))
    for key in ("opt1", "opt2", "opt3"):
        interfaces = played.root.find("interfaces")
        assert interfaces is not None
        gone = interfaces.find(key)
        assert gone is not None
        interfaces.remove(gone)
    first = recording.printed.index("Enter an option: 1\r\n")
    player = talk(recording.typed, FACTORY, played)
    start = player.shown.index("Enter an option: 1\r\n")
    assert player.shown[start:] == recording.printed[first:]
    found = [(each.key, each.nic, each.enabled) for each in played.settings().interfaces]
    assert found[:3] == [("wan", "vtnet0", True), ("lan", "vtnet1", True), ("opt1", "vtnet2", False)]
    assert found[4] == ("opt3", "vtnet4", False)


def test_assign_during_the_boot() -> None:
    recording, player = Recording.load("boot"), Player(Recording.load("boot").typed)
    fresh = machine()
    interfaces = fresh.root.find("interfaces")
    assert interfaces is not None
    for old in [each for each in interfaces if each.tag.startswith("opt")]:
        interfaces.remove(old)
    assert assign_interfaces(Speaker(player, PFSENSE), fresh, booting=True)
    assert player.shown in recording.printed
    assert fresh.reloads == 0


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        (["2", "9"], "wish to configure: 9\r\nQEMU Guest"),
        (["2", "x"], "wish to configure: x\r\nQEMU Guest"),
        (
            ["2", "2", "maybe", "n", ""],
            "via DHCP? (y/n) maybe\r\n\r\nConfigure IPv4 address LAN interface via DHCP? (y/n) n",
        ),
        (
            ["2", "2", "n", "172.17.2.254"],
            "> 172.17.2.254\r\nThis IP address conflicts with another interface or a VIP\r\n",
        ),
        (
            ["2", "2", "n", "172.17.1.252"],
            "> 172.17.1.252\r\nThis IP address conflicts with another interface or a VIP\r\n",
        ),
        (
            ["2", "2", "n", "10.0.0.0", "24"],
            "> 24\r\nYou cannot set network address to an interface\r\nEnter the new LAN",
        ),
        (["2", "2", "n", "10.0.0.255", "24"], "> 24\r\nYou cannot set broadcast address to an interface\r\nEnter"),
        (
            ["2", "2", "n", "10.0.0.1", "33", "24"],
            "> 33\r\n\r\nEnter the new LAN IPv4 subnet bit count (1 to 32):\r\n> 24",
        ),
        (["2", "2", "n", "10.0.0.1/24"], "> 10.0.0.1/24\r\n\r\nFor a WAN, enter"),
        (["2", "2", "n", "10.0.0.1/24", "x"], "> x\r\nnot an IPv4 IP address!\r\n\r\nFor a WAN, enter"),
        (
            ["2", "2", "n", "10.0.0.1/24", "10.9.9.9"],
            "> 10.9.9.9\r\nNon-local gateway detected.\r\n\r\nShould this gateway",
        ),
        (["1", "n", "vtnet9"], "a): vtnet9\r\n\r\nInvalid interface name 'vtnet9'\r\n\r\nEnter the WAN"),
        (["1", "n", "vtnet0", "vtnet0"], "Error: The same interface name cannot be assigned twice!\r\n"),
        (["1", "n", ""], "or a): \r\nQEMU Guest"),
    ],
)
def test_error_paths(typed: list[str], shown: str) -> None:
    """What is shown after a wrong answer; and nothing is stored by a dialogue that did not come to its end."""
    played = machine()
    assert shown in talk([*typed, ""], NODE, played).shown
    assert played.changes == []


def test_a_gateway_is_stored_and_chosen() -> None:
    played = machine()
    typed = ["2", "1", "n", "192.168.1.50", "24", "192.168.1.1", "y", "n", "", "n", "n", ""]
    player = talk(typed, NODE, played)
    wan = played.settings().interfaces[0]
    assert (str(wan.address), wan.gateway) == ("192.168.1.50/24", "WANGW")
    assert played.settings().default_gateway == "WANGW"
    assert [str(each.address) for each in played.settings().gateways] == ["192.168.1.1"]
    assert "The IPv4 WAN address has been set to 192.168.1.50/24\r\n\r\nPress <ENTER>" in player.shown


def test_dhcp_server_range() -> None:
    played = machine()
    answers = ["y", "10.0.0.100", "172.17.1.10", "172.17.1.5", "172.17.1.10", "172.17.1.99"]
    player = talk(["2", "2", "n", "172.17.1.254/24", "", "n", "", *answers, "n", ""], NODE, played)
    assert "must be in the interface's subnet" in player.shown
    assert "must be >= the start address" in player.shown
    assert played.root.findtext("dhcpd/lan/range/from") == "172.17.1.10"
    assert played.root.findtext("dhcpd/lan/range/to") == "172.17.1.99"


def test_ssh_is_toggled_by_a_lower_case_y_alone() -> None:
    played = machine()
    talk(["14", "Y"], NODE, played)
    assert not played.settings().ssh_enabled
    player = talk(["14", "y"], NODE, played)
    assert played.settings().ssh_enabled
    assert "enable? [y/n]? y\r\n\r\nWriting configuration... done.\r\n\r\nEnabling SSHD..." in player.shown
    talk(["14", "y"], NODE, played)
    assert not played.settings().ssh_enabled


def test_the_password_is_reset() -> None:
    played = machine(("user-shell-access", "page-none"))
    talk(["3", "n"], NODE, played)
    assert played.changes == []
    talk(["3", "y", ""], NODE, played)
    (admin,) = played.settings().users
    assert bcrypt.checkpw(DEFAULT_PASSWORD.encode(), admin.bcrypt_hash.encode())
    assert admin.privileges == ("user-shell-access",)


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
        (["5", "yes"], []),
        (["5", "R"], ["reroot"]),
        (["5", "r"], ["reroot"]),
        (["5", "S"], ["single user"]),
        (["5", "s"], []),
        (["5", "n"], []),
        (["4", "y"], ["defaults", "reboot"]),
        (["4", "Y"], ["defaults", "reboot"]),
        (["4", "yes"], []),
        (["4", ""], []),
        (["9"], ["states"]),
        (["10"], ["filter log"]),
        (["0"], []),
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


@pytest.mark.parametrize("module", [assign, boot, history, menu, set_ip, shell])
def test_the_stand_in_never_calls_itself_pfsense(module: object) -> None:
    """Every text in its own name; file names such as pfSsh.php are not its name."""
    for name, text in vars(module).items():
        if isinstance(text, Text):
            fields = dict.fromkeys(("descr", "slice", "path", "missing", "platform", "device_id", "hostname"), "x")
            fields |= dict.fromkeys(("label", "nic", "addresses", "kind", "address", "ssh_action", "user", "fqdn"), "x")
            fields |= dict.fromkeys(("folder", "commands", "name", "default_password", "mac", "status", "about"), "x")
            fields |= dict.fromkeys(("names", "number", "family", "dhcp", "most", "key", "url"), "x")
            fields |= dict.fromkeys(
                ("tag", "parent", "installed", "available", "authmode", "date", "config_version"), "x"
            )
            fields |= dict.fromkeys(("page", "reason", "count", "description"), "x")
            numbers = {"number": 1} if "number:02d" in text.body else {}
            assert "pfsense" not in text.fill(STANDIN, **{**fields, **numbers}).lower(), name


def test_every_text_says_where_it_is_from() -> None:
    for module in (assign, boot, history, menu, set_ip, shell):
        texts = [each for each in vars(module).values() if isinstance(each, Text)]
        assert texts
        assert all(text.source for text in texts)

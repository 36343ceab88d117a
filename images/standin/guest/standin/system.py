"""What the console menu can have done, done on the real machine."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from lab.console.catalogue import shell as shell_texts
from lab.console.catalogue.text import Product
from standin import apply, config_store, dialogues, power
from standin.cluster import ClusterError
from standin.console import make_sane
from standin.developer_shell import run_shell
from standin.facts import Facts
from standin.machine import RealMachine
from standin.menu import Banner, BannerLine
from standin.places import Places
from standin.playback import PLAYBACKS
from standin.run import CommandError
from standin.settings import Settings
from standin.terminal import Speaker
from standin.xmlnode import SettingsError

SHELL = "/bin/sh"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DMI = Path("/sys/class/dmi/id")
NO_CONFIG_NAME = "standin"
FAILED = "\nThat failed: {reason}\n"


class RealSystem:
    """The machine this runs on."""

    def __init__(self, places: Places, product: Product) -> None:
        self._places, self._product = places, product

    def banner(self) -> Banner:
        settings = self._settings()
        facts = apply.current_facts(self._places, settings) if settings else None
        hostname = settings.hostname if settings else NO_CONFIG_NAME
        return Banner(platform(), device_id(), hostname, _lines(settings, facts) if settings and facts else ())

    def ssh_enabled(self) -> bool:
        settings = self._settings()
        return bool(settings and settings.ssh_enabled)

    def reboot(self) -> None:
        """Does not come back: the menu is not drawn again, as it is after `halt`."""
        power.end_politely(power.REBOOT)
        signal.pause()

    def reroot(self) -> None:
        power.end_politely(power.REROOT)
        signal.pause()

    def reboot_single_user(self) -> None:
        self._places.single_user_flag.touch()
        self.reboot()

    def reset_to_defaults(self) -> None:
        config_store.reset_to_defaults(self._places)

    def halt(self) -> None:
        power.end_politely(power.HALT)

    def ping(self, host: str) -> None:
        run_in_foreground(["busybox", "ping", "-c", "3", host])

    def shell(self) -> None:
        """A shell with pfSense's prompt; `exec /bin/sh` inside it gives a plain one, since its start-up file is not inherited."""
        settings = self._settings()
        fqdn = settings.fqdn if settings else NO_CONFIG_NAME
        prompt = shell_texts.PROMPT.fill(self._product, user="root", fqdn=fqdn, folder="$PWD")
        profile = self._places.run / "shell.rc"
        profile.parent.mkdir(parents=True, exist_ok=True)
        profile.write_text(f"unset ENV\nPS1='{prompt}'\n")
        run_in_foreground([SHELL, "-i"], {"ENV": str(profile)})

    def show_states(self) -> None:
        from standin import state_view

        fork_in_foreground(state_view.show)

    def follow_filter_log(self) -> None:
        from standin import filter_log

        fork_in_foreground(filter_log.follow)

    def dialogue(self, option: str, speaker: Speaker) -> bool:
        """Options with a module of their own; False when this firewall does not offer the option."""
        if option == "12":
            run_shell(speaker, PLAYBACKS, self._places)
            return True
        dialogue = dialogues.find(option)
        if dialogue is None:
            return False
        try:
            dialogue(speaker, RealMachine(self._places))
        except (CommandError, ClusterError, SettingsError, OSError) as error:
            speaker.write(FAILED.format(reason=error))
        return True

    def _settings(self) -> Settings | None:
        try:
            return apply.load(self._places)
        except (FileNotFoundError, SettingsError):
            return None


def _lines(settings: Settings, facts: Facts) -> tuple[BannerLine, ...]:
    """Disabled interfaces are listed too, with an empty right side."""
    return tuple(
        BannerLine(
            descr=each.descr,
            key=each.key,
            nic=each.nic,
            kind="/DHCP4" if each.dhcp else "",
            address=str(facts.addresses.get(each.key, "")),
        )
        for each in settings.interfaces
    )


def platform() -> str:
    """As pfSense tells virtual machines apart: by the SMBIOS maker."""
    try:
        maker = (DMI / "sys_vendor").read_text().strip()
    except OSError:
        maker = ""
    return "QEMU Guest" if maker == "QEMU" else "Virtual Machine"


def device_id() -> str:
    """20 hexadecimal digits that stay the same for this machine."""
    from hashlib import sha256

    try:
        seed = (DMI / "product_uuid").read_bytes()
    except OSError:
        seed = os.uname().nodename.encode()
    return sha256(seed).hexdigest()[:20]


def run_in_foreground(argv: list[str], more_environment: dict[str, str] | None = None) -> int:
    """Run a program on this terminal, with the signals a person can type; its exit code."""
    environment = {"PATH": PATH, "HOME": "/root", "TERM": "vt100", "USER": "root", **(more_environment or {})}
    return fork_in_foreground(lambda: become(argv, environment))


def fork_in_foreground(body: Callable[[], None]) -> int:
    """Run `body` in a child on this terminal, with the signals a person can type; its exit code."""
    pid = os.fork()
    if pid == 0:
        try:
            reset_signals()
            body()
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    take_back_terminal()
    return os.waitstatus_to_exitcode(status)


def reset_signals() -> None:
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGCHLD, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def take_back_terminal() -> None:
    """A shell that was killed leaves the terminal to a process group that is gone, and in whatever mode it was."""
    if not os.isatty(0):
        return
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        os.tcsetpgrp(0, os.getpgrp())
        make_sane(0)
    except OSError:
        pass
    finally:
        signal.signal(signal.SIGTTOU, before)


def become(argv: list[str], environment: dict[str, str]) -> None:
    """Turn this process into a program; never returns."""
    reset_signals()
    try:
        os.chdir(environment.get("HOME", "/"))
    except OSError:
        os.chdir("/")
    try:
        os.execvpe(argv[0], argv, environment)
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
        os._exit(127)

"""A firewall of either kind, told and asked over its serial console alone."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from lab.appliances.appliance import BOOT_COMPLETE, CONFIG_FOUND, MENU, Appliance
from lab.appliances.carp_text import SYSCTLS, CarpWord, parse_carp
from lab.appliances.node_word import ASK_MODE, NodeWord, ask_states, parse_word
from lab.console.command_line import Output
from lab.console.log import ConsoleLog
from lab.console.shell import FirewallShell, firewall_shell
from lab.errors import LabError

NEW_CONFIG = "/cf/conf/config.new"
INSTALL = f"mv {NEW_CONFIG} /cf/conf/config.xml && rm -f /tmp/config.cache && /etc/rc.reload_all"
"""The cache would be read in place of the file."""
SYNCHRONISE = "/etc/rc.filter_synchronize"
SYSTEM_LOG = "/var/log/system.log"

ASK_CARP = f"sysctl -n {' '.join(SYSCTLS)}; ifconfig"

COUNT_STATES = 's=`pfctl -ss`; for w in {words}; do echo "$s" | grep -cF -- "$w"; done'
"""The table is asked for once: an emulated firewall takes a second to list it."""

HIDDEN = "(hidden)"
READ_CONFIG = f"sed -E 's,<(password|bcrypt-hash|prv)>.+</,<\\1>{HIDDEN}</,' /cf/conf/config.xml"


@dataclass(frozen=True)
class Firewall:
    """One node of the cluster. slowness: how many times slower than real time its processor is; limits grow by it."""

    name: str
    appliance: Appliance
    socket: Path
    log: Path
    slowness: float = 1.0

    @property
    def boot_limit(self) -> float:
        return self.appliance.boot_seconds * self.slowness

    @property
    def step_limit(self) -> float:
        return self.appliance.step_seconds * self.slowness

    @property
    def return_limit(self) -> float:
        return self.appliance.return_seconds * self.slowness

    def run(self, command: str, purpose: str = "exec") -> Output:
        """One command in /bin/sh. Raises LabError where the console does not answer."""
        with firewall_shell(self.socket, self.log, self.step_limit, purpose) as shell:
            return shell.run(command, self.step_limit)

    @contextmanager
    def shell(self, purpose: str) -> Iterator[FirewallShell]:
        """A shell for several commands in a row. Raises LabError where the console does not answer."""
        with firewall_shell(self.socket, self.log, self.step_limit, purpose) as shell:
            yield shell

    def leave_behind(self, command: str, purpose: str) -> None:
        """Have a command run a second from now: one that ends the console itself."""
        self.run(f"nohup sh -c 'sleep 1; {command}' </dev/null >/dev/null 2>&1 &", purpose)

    def reboot(self) -> None:
        """As pfSense's own script does it: CARP off first, no farewell (etc/rc.reboot). Returns when it has been told."""
        self.leave_behind("/etc/rc.reboot", "reboot")

    def halt(self) -> None:
        """The command etc/rc.halt ends in. Returns when it has been told."""
        self.leave_behind("shutdown -p now", "halt")

    def states(self, words: Sequence[str]) -> tuple[int, ...]:
        """How many lines of the state table have each of these words. Raises LabError where it does not say so."""
        if not words:
            return ()
        command = COUNT_STATES.format(words=" ".join(shlex.quote(word) for word in words))
        said = self.run(command, "looking at the states").text.split()
        if len(said) != len(words) or not all(each.isdigit() for each in said):
            raise LabError(
                f"{self.name} did not count its states",
                expected=f"{len(words)} numbers",
                seen=" ".join(said)[-2000:],
                log=str(self.log),
            )
        return tuple(int(each) for each in said)

    def log_tail(self, lines: int = 60) -> str:
        """The firewall's own time as `2026 Nov 22 16:05:01`, then the end of its system log."""
        return self.run(f"date '+%Y %b %d %H:%M:%S'; tail -n {lines} /var/log/system.log", "reading the log").text

    def wait_booted(self, console: ConsoleLog, alive: Callable[[], bool], with_config: bool) -> None:
        """Wait for the end of a boot on a console log opened before power on. with_config: it must first find its config.xml."""
        if with_config:
            console.wait_for(CONFIG_FOUND, self.boot_limit, alive)
        console.wait_for(BOOT_COMPLETE, self.boot_limit, alive)
        console.wait_for(MENU, self.step_limit, alive)

    def carp(self) -> CarpWord:
        """The firewall's own word about CARP."""
        output = self.run(ASK_CARP, "reading CARP's state")
        try:
            return parse_carp(output.text)
        except ValueError as error:
            raise self._odd(ASK_CARP, output.text) from error

    def word(self, sync: Sequence[IPv4Address]) -> NodeWord:
        """All it says of the cluster: CARP, maintenance mode, state sync, states. sync: both nodes' addresses there."""
        commands = (ASK_CARP, ask_states(sync), ASK_MODE)
        with self.shell("reading the cluster's state") as shell:
            carp, states, mode = (shell.run(command, self.step_limit).text for command in commands)
        try:
            return parse_word(carp, states + mode)
        except ValueError as error:
            raise self._odd("; ".join(commands), f"{carp}\n{states}{mode}") from error

    def config(self) -> bytes:
        """Its config.xml as it is stored, secrets left out: what crosses the console is written down."""
        output = self.run(READ_CONFIG, "reading config.xml")
        if output.code:
            raise LabError(
                f"{self.name} did not show its config.xml", expected=READ_CONFIG, seen=output.text, log=str(self.log)
            )
        return output.text.encode()

    def _odd(self, asked: str, said: str) -> LabError:
        return LabError(
            f"{self.name} described its CARP in a way that is not understood",
            expected=f"FreeBSD's formats, from: {asked}",
            seen=said[-2000:],
            log=str(self.log),
        )

    def set_clock(self) -> None:
        """Give it the time of day, after a restore; one that follows its RTC by itself has it within a second or two."""
        if self.appliance.set_clock is None:
            return
        output = self.run(self.appliance.set_clock.format(epoch=round(time.time())), "setting the clock")
        if output.code:
            raise LabError(
                f"{self.name} did not take the time of day", expected="exit code 0", seen=output.text, log=str(self.log)
            )

    def carp_off(self) -> None:
        """ "Temporarily disable CARP", as the web page's button does it (pfSsh.php playback disablecarp)."""
        self._playback("disablecarp")

    def carp_on(self) -> None:
        self._playback("enablecarp")

    def maintenance(self, enter: bool) -> None:
        """Persistent CARP maintenance mode: skew 254, kept over a reboot."""
        self._playback("enablecarpmaint" if enter else "disablecarpmaint")

    def install_config(self, data: bytes) -> None:
        """Make `data` the stored configuration and obey it, without a reboot: what diag_backup.php and rc.reload_all do.

        Nothing is written where it does not arrive whole. Raises LabError.
        """
        with firewall_shell(self.socket, self.log, self.step_limit, "new configuration") as shell:
            shell.put(data, NEW_CONFIG, self.step_limit)
            output = shell.run(INSTALL, self.reload_limit)
        if output.code:
            raise LabError(
                f"{self.name} did not obey its new configuration",
                expected=f"exit code 0 of {INSTALL}",
                seen=f"exit code {output.code}\n{output.text}",
                log=str(self.log),
            )

    def synchronise(self) -> str:
        """Give this node's configuration to the other one, now; what it logged about it. Raises LabError."""
        with firewall_shell(self.socket, self.log, self.step_limit, "configuration sync") as shell:
            lines = shell.run(f"wc -l <{SYSTEM_LOG}", self.step_limit).text.strip() or "0"
            shell.run(SYNCHRONISE, self.reload_limit)
            said = shell.run(f"tail -n +{int(lines) + 1} {SYSTEM_LOG} | grep rc.filter_synchronize", self.step_limit)
        return said.text

    @property
    def reload_limit(self) -> float:
        """For what touches everything: a real pfSense also waits 31 s for pfsync."""
        return self.appliance.return_seconds * self.slowness + self.step_limit

    def demote(self, by: int) -> None:
        """Add to net.inet.carp.demotion, as its sysctl does; `by` may be negative."""
        output = self.run(f"sysctl net.inet.carp.demotion={by}", "demotion")
        if output.code:
            raise LabError(
                f"{self.name} refused a demotion", expected="exit code 0", seen=output.text, log=str(self.log)
            )

    def _playback(self, name: str) -> None:
        output = self.run(f"pfSsh.php playback {name}", f"playback {name}")
        if output.code:
            raise LabError(
                f"{self.name} refused: pfSsh.php playback {name}",
                expected="exit code 0",
                seen=f"exit code {output.code}\n{output.text}",
                log=str(self.log),
            )

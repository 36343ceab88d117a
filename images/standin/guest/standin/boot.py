"""The boot: from a kernel with modules to a firewall whose menu is up. Prints what pfSense prints for what is really done."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from lab.console.catalogue import boot as texts
from lab.console.catalogue.text import Text
from standin import apply, cluster, dhcp, ecl, network, power
from standin.facts import Facts
from standin.machine import RealMachine
from standin.places import Places
from standin.run import CommandError
from standin.settings import Settings
from standin.terminal import Speaker
from standin.xmlnode import SettingsError

# pfSense gives its client 60 s (dhclient.conf, timeout). A lease that comes later is taken too: it only delays its interface.
LEASE_LIMIT = 60.0
POLL = 0.02

NO_CONFIG = "No configuration found: {path} does not exist and no disk carries one.\n"
BAD_CONFIG = "The configuration cannot be used: {reason}\n"
LEFT_OUT = "Not offered by the stand-in: {note}\n"
FAILED = "failed.\n{reason}\n"


CMDLINE = Path("/proc/cmdline")
DELAY = "uranus.delay="


def wished_delay() -> float:
    """Seconds that every step comes late: what drives a console must live with a slow firewall."""
    words = CMDLINE.read_text().split()
    return next((float(word.removeprefix(DELAY)) for word in words if word.startswith(DELAY)), 0.0)


@dataclass
class Clock:
    """Seconds since the kernel started, and since the step before, one line a step. delay: seconds before each."""

    last: float = field(default_factory=lambda: time.clock_gettime(time.CLOCK_BOOTTIME))
    lines: list[str] = field(default_factory=list)
    delay: float = 0.0

    def step(self, name: str) -> None:
        if self.delay:
            time.sleep(self.delay)
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        self.lines.append(f"{now:8.2f} {now - self.last:7.2f} {name}")
        self.last = now


class Boot:
    """One boot. Every step that fails says so and the boot goes on: the menu must come."""

    def __init__(self, places: Places, speaker: Speaker, start_carpd: Callable[[], None]) -> None:
        self._places, self._speaker, self._start_carpd = places, speaker, start_carpd
        self.clock = Clock(delay=wished_delay())

    def run(self) -> None:
        self.clock.step("process 1 is up")
        self._speaker.say(texts.WELCOME)
        self._prepare_kernel()
        ecl.locate(self._places, self._speaker.say, ecl.other_slices())
        self.clock.step("external configuration")
        self._speaker.say(texts.LAUNCHING)
        self._speaker.say(texts.LAUNCHED)
        settings = self._load()
        if settings:
            self._bring_up(settings)
        self._speaker.say(texts.BOOT_COMPLETE)
        self.clock.step("boot complete")
        self._places.boot_log.parent.mkdir(parents=True, exist_ok=True)
        self._places.boot_log.write_text("\n".join(self.clock.lines) + "\n")

    def _prepare_kernel(self) -> None:
        network.apply(network.rename_plan(network.read_nics()))
        for name in network.write_sysctls():
            self.clock.step(f"this kernel has no {name}")
        self.clock.step("NIC names and kernel switches")

    def _load(self) -> Settings | None:
        self._speaker.say(texts.LOADING_CONFIGURATION)
        try:
            settings = apply.load(self._places)
        except FileNotFoundError:
            self._speaker.write("\n" + NO_CONFIG.format(path=self._places.config))
            return None
        except SettingsError as error:
            self._speaker.write("\n" + BAD_CONFIG.format(reason=error))
            return None
        self._speaker.say(texts.DONE)
        for note in settings.notes:
            self._speaker.write(LEFT_OUT.format(note=note))
        settings = self._assign(settings)
        self.clock.step("configuration")
        return settings

    def _assign(self, settings: Settings) -> Settings:
        """While the file names NICs that do not exist, a person at the console has to say which NIC is which, as on pfSense."""
        while missing := network.missing_nics(settings):
            if settings.revised:
                self._speaker.say(texts.MISMATCH, missing=" ".join(missing))
            else:
                self._speaker.say(texts.NO_DEFAULTS)
            if not os.isatty(0):
                break
            from standin.dialogues.assign import assign_interfaces

            machine = RealMachine(self._places)
            while not assign_interfaces(self._speaker, machine, booting=True):
                if not machine.nics():
                    self._speaker.say(texts.NO_CARD)
                    power.ask(power.HALT)
                    return settings
            settings = apply.load(self._places)
        return settings

    def _bring_up(self, settings: Settings) -> None:
        with apply.one_at_a_time(self._places):
            self._start_carpd()
            self._interfaces(settings)
            facts = self._leases(settings)
            self._carp(settings)
            self._firewall(settings, facts)
        self._enable_carp(settings)

    def _interfaces(self, settings: Settings) -> None:
        """All at once, under the first line, which takes the time; DHCP clients search meanwhile."""
        self._step(texts.CONFIGURING_LOOPBACK, partial(apply.apply_interfaces, self._places, settings))
        for interface in settings.enabled:
            if not interface.dhcp:
                self._speaker.say(texts.CONFIGURING_INTERFACE, descr=interface.descr)
                self._speaker.say(texts.DONE)
        self.clock.step("static interfaces")

    def _leases(self, settings: Settings) -> Facts:
        """Wait for leases, then set the addresses and routes they bring."""
        end = time.monotonic() + LEASE_LIMIT
        for interface in (each for each in settings.enabled if each.dhcp):
            self._speaker.say(texts.CONFIGURING_INTERFACE, descr=interface.descr)
            while dhcp.read_lease(self._places.lease(interface.nic)) is None and time.monotonic() < end:
                time.sleep(POLL)
            facts = apply.current_facts(self._places, settings)
            network.apply(network.lease_plan(facts, interface, network.present_addresses(interface.nic)))
            self._speaker.say(texts.DONE)
        self.clock.step("leases")
        apply.note_leases(self._places, settings)
        facts = apply.current_facts(self._places, settings)
        self._step(texts.SETTING_ROUTES, lambda: network.apply(network.route_plan(settings, facts)))
        apply.write_resolver(self._places, settings)
        return facts

    def _carp(self, settings: Settings) -> None:
        def configure() -> None:
            cluster.wait_for_daemon()
            cluster.configure(settings)
            cluster.start_state_sync(self._places, settings)

        self._step(texts.CONFIGURING_CARP, configure)
        self.clock.step("CARP configured, not enabled")

    def _firewall(self, settings: Settings, facts: Facts) -> None:
        """Rules first, forwarding after: a node without rules forwards nothing."""

        def load() -> None:
            apply.apply_filter(self._places, settings, facts)
            network.forward_packets(True)

        self._step(texts.CONFIGURING_FIREWALL, load)
        self.clock.step("ruleset")

    def _enable_carp(self, settings: Settings) -> None:
        """Last of all, and without a word, as on pfSense."""
        try:
            cluster.enable(self._places, settings)
        except cluster.ClusterError as error:
            self._speaker.write(FAILED.format(reason=error))
        self.clock.step("states fetched, CARP enabled")

    def _step(self, text: Text, action: Callable[[], None], **fields: object) -> None:
        self._speaker.say(text, **fields)
        try:
            action()
        except (CommandError, cluster.ClusterError, OSError) as error:
            self._speaker.write(FAILED.format(reason=error))
        else:
            self._speaker.say(texts.DONE)

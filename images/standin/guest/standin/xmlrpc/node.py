"""The machine this runs on, as the methods of xmlrpc.php see it."""

from __future__ import annotations

import os
import time

from standin import apply, cluster, config_store, events, network, power
from standin.places import Places
from standin.run import CommandError
from standin.system_log import SystemLog
from standin.xmlnode import SettingsError
from standin.xmlrpc.config_array import dump, parse
from standin.xmlrpc.php import Array

SYSTEM_USER = "(system)"
CHANGED = "Configuration Change: {description}"
FAILED = "That could not be applied: {reason}"


class RealNode:
    """script: what log lines begin with (`/xmlrpc.php`). program: who syslog says it was (`php-fpm`)."""

    def __init__(self, places: Places, script: str, program: str) -> None:
        self._places, self._script = places, script
        self._program = f"{program}[{os.getpid()}]"
        self._log = SystemLog(places.system_log)

    def config(self) -> Array:
        """Raises SettingsError, FileNotFoundError."""
        return parse(self._places.config.read_bytes())

    def store(self, config: Array, description: str, user: str) -> None:
        """write_config(): revision, backup, file, log line, and the event that starts the sync. user: `@ADDRESS` or ""."""
        by = SYSTEM_USER + user
        stamped = {each: value for each, value in config.items() if each != "revision"}
        stamped["revision"] = {"time": int(time.time()), "description": f"{by}: {description}", "username": by}
        config_store.install(self._places, dump(stamped))
        self.log(CHANGED.format(description=f"{by}: {description}"))
        events.send(self._places, events.FILTER_SYNC)

    def obey(self, virtual_ips: bool) -> None:
        """A refusal is logged, as pfSense does it: the caller is told that the configuration was taken."""
        with apply.one_at_a_time(self._places):
            try:
                settings = apply.load(self._places)
                if virtual_ips:
                    cluster.reconfigure(settings)
                facts = apply.current_facts(self._places, settings)
                apply.apply_filter(self._places, settings, facts)
                network.apply(network.route_plan(settings, facts))
            except (CommandError, SettingsError, cluster.ClusterError) as refusal:
                self.log(FAILED.format(reason=refusal))

    def configure_virtual_ips(self) -> None:
        with apply.one_at_a_time(self._places):
            try:
                settings = apply.load(self._places)
                cluster.configure(settings)
                if settings.vips:
                    cluster.set_sysctl("allow", 1)
            except (SettingsError, cluster.ClusterError) as refusal:
                self.log(FAILED.format(reason=refusal))

    def reboot(self) -> None:
        power.end_politely(power.REBOOT)

    def kernel(self) -> str:
        """The release up to its first dash, as pfSense shortens its own."""
        return os.uname().release.partition("-")[0]

    def log(self, message: str) -> None:
        self._log.write([f"{self._script}: {message}"], self._program)

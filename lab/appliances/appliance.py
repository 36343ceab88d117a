"""The two firewalls that obey config.xml and a serial console, as data: what differs between them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lab.console.log import Mark
from lab.errors import LabError

MENU = Mark("the console menu", re.compile(rb"Enter an option: "))
BOOT_COMPLETE = Mark("the end of the boot", re.compile(rb"Bootup complete"))
CONFIG_FOUND = Mark("config.xml taken from its disk", re.compile(rb"-> found config\.xml"))


@dataclass(frozen=True)
class Appliance:
    """One kind of firewall.

    image:          its guest image.
    boot_seconds:   limit from power on to the menu, on the reference machine (lab.host.accelerator) without acceleration.
    step_seconds:   limit of one answer on the console, likewise.
    return_seconds: how long after its boot or `enablecarp` CARP may stay silent (pfSense waits 31 s for pfsync:
                    interfaces_sync_setup() in interfaces.inc), likewise.
    set_clock:      shell command that sets its clock after it stood still; {epoch}: seconds since 1970. None where it does that itself.
    """

    name: str
    image: str
    boot_seconds: float
    step_seconds: float
    return_seconds: float
    set_clock: str | None


STANDIN = Appliance("standin", "standin", boot_seconds=90, step_seconds=30, return_seconds=30, set_clock=None)
PFSENSE = Appliance(
    "pfsense", "pfsense", boot_seconds=1800, step_seconds=120, return_seconds=120, set_clock="date -u -f %s {epoch}"
)
APPLIANCES = {appliance.name: appliance for appliance in (STANDIN, PFSENSE)}


def appliance(name: str) -> Appliance:
    """Raises LabError for an unknown name."""
    if name in APPLIANCES:
        return APPLIANCES[name]
    raise LabError(
        f"There is no firewall called {name}",
        expected=", ".join(APPLIANCES),
        seen=name,
        cure="`--firewall standin` needs nothing; `--firewall pfsense` needs your own 2.7.0 image",
    )

"""pfSense's scripted sessions (`playback NAME`) that the stand-in offers: the ones about CARP."""

from __future__ import annotations

from collections.abc import Callable

from lab.console.catalogue import shell as texts
from standin import apply, cluster
from standin.config_store import change
from standin.places import Places
from standin.terminal import Speaker
from standin.tree import set_flag

MAINTENANCE_TAG = "virtualip_carp_maintenancemode"


def enable_carp(speaker: Speaker, places: Places) -> None:
    speaker.say(texts.ENABLE_CARP)
    cluster.enable(places, apply.load(places))


def disable_carp(speaker: Speaker, places: Places) -> None:
    speaker.say(texts.DISABLE_CARP)
    cluster.disable()


def enable_maintenance(speaker: Speaker, places: Places) -> None:
    speaker.say(texts.ENABLE_MAINTENANCE)
    set_maintenance(places, True)


def disable_maintenance(speaker: Speaker, places: Places) -> None:
    speaker.say(texts.DISABLE_MAINTENANCE)
    set_maintenance(places, False)


def set_maintenance(places: Places, on: bool) -> None:
    """interfaces_carp_set_maintenancemode(): the tag first, so that it survives a reboot, then the skew of every VIP.

    It also switches CARP on where it was off.
    """
    with apply.one_at_a_time(places):
        if apply.load(places).maintenance != on:
            words = "Enter" if on else "Leave"
            change(places, lambda root: set_flag(root, MAINTENANCE_TAG, on), f"{words} CARP maintenance mode")
        cluster.configure(apply.load(places))
        cluster.set_sysctl("allow", 1)


PLAYBACKS: dict[str, Callable[[Speaker, Places], None]] = {
    "disablecarp": disable_carp,
    "disablecarpmaint": disable_maintenance,
    "enablecarp": enable_carp,
    "enablecarpmaint": enable_maintenance,
}

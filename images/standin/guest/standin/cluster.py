"""The node's part in the cluster: its CARP daemon and its state sync, told what config.xml says."""

from __future__ import annotations

import time
from typing import Any

from standin.carp_client import CARP_SOCKET, ask
from standin.places import Places
from standin.settings import Settings
from standin.state_sync import ConntrackSync, StateSyncError

PREFIX = "net.inet.carp."
# Seconds for the daemon to open its socket; it has been forked from a warm process.
START_LIMIT = 30.0
POLL = 0.02


class ClusterError(Exception):
    """The CARP daemon refused, or does not answer."""


def request(message: dict[str, Any]) -> dict[str, Any]:
    """One request to the CARP daemon.

    Raises ClusterError with its reason when it refuses or is not there.
    """
    try:
        answer = ask(message)
    except OSError as error:
        raise ClusterError(f"the CARP daemon at {CARP_SOCKET} does not answer: {error}") from None
    if "error" in answer:
        raise ClusterError(str(answer["error"]))
    return answer


def wait_for_daemon() -> None:
    end = time.monotonic() + START_LIMIT
    while True:
        try:
            ask({"do": "status"})
            return
        except OSError:
            if time.monotonic() > end:
                raise ClusterError(f"the CARP daemon did not open {CARP_SOCKET} within {START_LIMIT:.0f} s") from None
            time.sleep(POLL)


def configure(settings: Settings) -> None:
    """Run exactly the VIPs of config.xml."""
    request({"do": "configure", "vips": [_as_dict(vip) for vip in settings.vips]})


def reconfigure(settings: Settings) -> None:
    """The same while everything runs; where a VIP was made or changed, CARP is on afterwards (interfaces_sync_setup)."""
    before = _law(request({"do": "status"}))
    configure(settings)
    if settings.vips and _law(request({"do": "status"})) != before:
        set_sysctl("allow", 1)


def _law(status: dict[str, Any]) -> list[tuple[object, ...]]:
    """What of the VHIDs is configured, without what came of it."""
    return [
        (each["nic"], each["vhid"], each["advbase"], each["advskew"], each["addresses"]) for each in status["vhids"]
    ]


def set_sysctl(name: str, value: int) -> int:
    """Write `net.inet.carp.NAME`; its value afterwards (a written demotion is added)."""
    return int(request({"do": "sysctl", "name": PREFIX + name, "value": value})["value"])


def enable(places: Places, settings: Settings) -> None:
    """What pfSense does to bring CARP (back) up: VIPs, states from the peer, and only then `allow`."""
    configure(settings)
    resync(places, settings)
    set_sysctl("allow", 1)


def disable() -> None:
    """ "Temporarily disable CARP": first no adverts, then no addresses. Nothing is saved."""
    set_sysctl("allow", 0)
    request({"do": "remove_vips"})


def start_state_sync(places: Places, settings: Settings) -> None:
    """Start conntrackd where `<hasync>` wants states shared, end it where it does not."""
    try:
        if settings.state_sync:
            ConntrackSync(settings.state_sync, places.run).start()
    except (StateSyncError, OSError) as error:
        raise ClusterError(str(error)) from None


def refresh_state_sync(places: Places, settings: Settings) -> None:
    """Make the state sync what is configured while everything runs; one that is right is left alone."""
    sync = ConntrackSync(settings.state_sync, places.run)
    try:
        if settings.state_sync is None:
            sync.stop()
        elif not sync.is_current():
            sync.start()
            sync.resync_from_peer()
    except (StateSyncError, OSError) as error:
        raise ClusterError(str(error)) from None


def resync(places: Places, settings: Settings) -> None:
    """Have the peer's states before this node can become MASTER; a peer that is not there costs some seconds."""
    if settings.state_sync:
        ConntrackSync(settings.state_sync, places.run).resync_from_peer()


def _as_dict(vip: Any) -> dict[str, Any]:
    return {**vars(vip), "address": str(vip.address)}

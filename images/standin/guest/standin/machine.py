"""The firewall as a dialogue sees it: its configuration, its NICs, and what can be reloaded."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from xml.etree.ElementTree import Element

from standin import apply, config_store
from standin.config_store import Backup
from standin.places import Places
from standin.settings import Settings

MIB = 1 << 20
VIRTIO = "VirtIO Networking Adapter"


@dataclass(frozen=True)
class NicState:
    """One NIC in the assignment dialogue. up: it has carrier."""

    name: str
    mac: str
    up: bool
    about: str = VIRTIO


class Machine(Protocol):
    """A test answers in the firewall's place."""

    def settings(self) -> Settings: ...

    def nics(self) -> list[NicState]: ...

    def change(self, edit: Callable[[Element], None], description: str) -> None:
        """Edit the stored configuration."""

    def reload(self) -> None:
        """Obey the stored configuration: interfaces, routes, rules, VIPs."""

    def memory(self) -> tuple[int, int]:
        """Installed, and what the kernel has to give: MiB."""

    def backups(self) -> list[Backup]:
        """Earlier configurations, the newest first."""

    def restore(self, backup: Backup) -> None:
        """Raises OSError and SettingsError."""

    def restart_web(self) -> None:
        """Start the server of web interface and XML-RPC anew."""

    def remove_rpc_lock(self) -> bool:
        """Whether a lock of XML-RPC was left."""


class RealMachine:
    """The machine this runs on."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def settings(self) -> Settings:
        return apply.load(self._places)

    def nics(self) -> list[NicState]:
        from standin.commands.ifconfig import read_cards

        return [NicState(card.name, card.mac, card.carrier) for card in read_cards({})]

    def change(self, edit: Callable[[Element], None], description: str) -> None:
        config_store.change(self._places, edit, description)

    def reload(self) -> None:
        apply.reload_all(self._places)

    def memory(self) -> tuple[int, int]:
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // MIB
        return pages, pages

    def backups(self) -> list[Backup]:
        return config_store.backups(self._places)

    def restore(self, backup: Backup) -> None:
        config_store.restore(self._places, backup)

    def restart_web(self) -> None:
        """End the process that answers, if one does: process 1 has the socket, and starts another for the next who comes."""
        with contextlib.suppress(OSError, ValueError):
            os.kill(int(self._places.web_pid.read_text()), signal.SIGTERM)

    def remove_rpc_lock(self) -> bool:
        found = self._places.xmlrpc_lock.exists()
        self._places.xmlrpc_lock.unlink(missing_ok=True)
        return found

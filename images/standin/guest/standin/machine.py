"""The firewall as a dialogue sees it: its configuration, its NICs, and what can be reloaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from xml.etree.ElementTree import Element

from standin import apply, config_store
from standin.places import Places
from standin.settings import Settings

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

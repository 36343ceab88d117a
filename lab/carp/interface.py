"""One network interface of a CARP host: its addresses, its VHIDs, what it can send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.carp.events import LINK_UP, MASTER, OK
from lab.carp.kernel import Kernel
from lab.carp.outcomes import Multicast, Promiscuous
from lab.carp.packet import GROUP4, GROUP6

if TYPE_CHECKING:
    from lab.carp.vhid import Vhid

SOLICITED_NODES = bytes.fromhex("ff0200000000000000000001ff000000")
GROUPS = {4: (GROUP4,), 6: (GROUP6, SOLICITED_NODES)}


def family_of(address: bytes) -> int:
    """4 or 6."""
    return 4 if len(address) == 4 else 6


class Address:
    """An address of an interface. vhid: the VHID it belongs to, or None."""

    def __init__(self, packed: bytes) -> None:
        self.packed = packed
        self.family = family_of(packed)
        self.vhid: Vhid | None = None


class Interface:
    """`addresses` in the order they were configured; `vhids` oldest first.

    has_carp: whether CARP is attached, which lasts from the first VHID to the removal of the last one's last address.
    """

    def __init__(self, kernel: Kernel, name: str, mac: bytes, link: int, up: bool) -> None:
        self.kernel = kernel
        self.name = name
        self.mac = mac
        self.link = link
        self.up = up
        self.send_error = OK
        self.addresses: list[Address] = []
        self.vhids: list[Vhid] = []
        self.has_carp = False
        self._joined = {4: 0, 6: 0}

    @property
    def running(self) -> bool:
        """Up, with a link that is known to be up."""
        return self.up and self.link == LINK_UP

    def vhid(self, number: int) -> Vhid | None:
        """The VHID of this number."""
        return next((vhid for vhid in self.vhids if vhid.number == number), None)

    def find(self, packed: bytes) -> Address | None:
        """The address with this value."""
        return next((address for address in self.addresses if address.packed == packed), None)

    def listening(self, number: int, family: int) -> Vhid | None:
        """The VHID that hears adverts of a family: it needs an address of that family."""
        vhid = self.vhid(number)
        return vhid if vhid and vhid.has_family(family) else None

    def best_source(self, family: int) -> bytes:
        """Where adverts come from: the first ordinary address, else a VIP, that of a MASTER preferred, else zeros."""
        candidates = [address for address in self.addresses if address.family == family]
        ordinary = (a for a in candidates if a.vhid is None)
        ruling = (a for a in candidates if a.vhid is not None and a.vhid.state == MASTER)
        best = next(ordinary, None) or next(ruling, None) or next(iter(candidates), None)
        return best.packed if best else bytes(4 if family == 4 else 16)

    def add_vhid(self, vhid: Vhid) -> None:
        """A new VHID; with the first the interface goes promiscuous."""
        if not self.has_carp:
            self.has_carp = True
            self.kernel.emit(Promiscuous(self.kernel.now, self.name, True))
        self.vhids.append(vhid)

    def release(self) -> None:
        """Let go of CARP where no VHID is left."""
        if self.has_carp and not self.vhids:
            self.has_carp = False
            self.kernel.emit(Promiscuous(self.kernel.now, self.name, False))

    def join(self, family: int) -> None:
        """One more VIP of a family; the first joins the groups."""
        if not self._joined[family]:
            self._groups(family, True)
        self._joined[family] += 1

    def leave(self, family: int) -> None:
        """One VIP of a family less; the last leaves the groups."""
        self._joined[family] -= 1
        if not self._joined[family]:
            self._groups(family, False)

    def _groups(self, family: int, join: bool) -> None:
        for group in GROUPS[family]:
            self.kernel.emit(Multicast(self.kernel.now, self.name, family, group, join))

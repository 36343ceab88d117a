"""From the VIPs that run to the VIPs that are wanted: the engine events in between. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from lab.carp.engine import Host
from lab.carp.events import AddressAdd, AddressDelete, Event, VhidSet
from lab.carp.packet import pack_address, password_key

from .virtual_mac import virtual_nic

MISSING = "a VIP lacks {field}"
BAD_VIP = "VHID {vhid} on {nic}: {field} {value} is not possible"
TWO_WAYS = "VHID {vhid} on {nic} is given with different advbase, advskew or password"

_LIMITS = {"vhid": (1, 255), "advbase": (1, 255), "advskew": (0, 254)}


class VipError(ValueError):
    """A VIP that cannot be configured."""


class Vip(NamedTuple):
    """One VIP as the daemon needs it. address: packed; uniqid and descr are only carried along."""

    nic: str
    vhid: int
    advbase: int
    advskew: int
    key: bytes
    address: bytes
    prefix: int
    about: dict[str, str]

    @property
    def law(self) -> tuple[int, int, bytes]:
        return self.advbase, self.advskew, self.key


def read_vip(given: dict[str, Any]) -> Vip:
    """A CarpVip as a dict, its address as text with or without prefix length. Raises VipError."""
    try:
        nic, address = str(given["nic"]), str(given["address"])
        numbers = {field: int(given[field]) for field in _LIMITS}
        key = password_key(str(given["password"]))
    except KeyError as missing:
        raise VipError(MISSING.format(field=missing.args[0])) from None
    except (TypeError, ValueError):
        raise VipError(BAD_VIP.format(vhid=given["vhid"], nic=given["nic"], field="number", value=given)) from None
    for field, (low, high) in _LIMITS.items():
        if not low <= numbers[field] <= high:
            raise VipError(BAD_VIP.format(vhid=numbers["vhid"], nic=nic, field=field, value=numbers[field]))
    try:
        virtual_nic(nic, numbers["vhid"])
    except ValueError as error:
        raise VipError(str(error)) from None
    text, _, prefix = address.partition("/")
    try:
        packed, length = pack_address(text), int(prefix or 32)
    except ValueError:
        packed, length = b"", 0
    if len(packed) != 4 or not 0 < length <= 32:
        raise VipError(BAD_VIP.format(vhid=numbers["vhid"], nic=nic, field="address", value=address))
    about = {field: str(given.get(field, "")) for field in ("key", "uniqid", "descr")}
    return Vip(nic, numbers["vhid"], numbers["advbase"], numbers["advskew"], key, packed, length, about)


def group(vips: Iterable[Vip]) -> dict[tuple[str, int], list[Vip]]:
    """VIPs by (nic, vhid), in the order given. VipError when the members of a VHID disagree on its law."""
    groups: dict[tuple[str, int], list[Vip]] = {}
    for vip in vips:
        groups.setdefault((vip.nic, vip.vhid), []).append(vip)
    for (nic, vhid), members in groups.items():
        if len({vip.law for vip in members}) > 1:
            raise VipError(TWO_WAYS.format(nic=nic, vhid=vhid))
    return groups


def changes(host: Host, wanted: dict[tuple[str, int], list[Vip]]) -> Iterator[Event]:
    """What to tell the engine so that it runs exactly the wanted VIPs; nothing for a VHID that is right already.

    To be consumed while the events are handled. New addresses come before old ones go, since a VHID dies with its
    last address; the skew comes before the address, since an address starts the VHID.
    """
    for running in host.vhids():
        if (running.interface, running.vhid) not in wanted:
            for address in running.addresses:
                yield AddressDelete(running.interface, address)
    for (nic, number), members in wanted.items():
        vhid = host.vhid(nic, number)
        first = members[0]
        if vhid is None or (vhid.advbase, vhid.advskew, vhid.key) != first.law:
            yield VhidSet(nic, number, first.advbase, first.advskew, first.key)
        present = [address.packed for address in vhid.addresses] if vhid else []
        addresses = list(dict.fromkeys(vip.address for vip in members))
        for address in addresses:
            if address not in present:
                yield AddressAdd(nic, address, number)
        for address in present:
            if address not in addresses:
                yield AddressDelete(nic, address)

"""Addresses and gateways as they are now: from config.xml, and from leases where it says DHCP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface

from standin.settings import Settings


@dataclass(frozen=True)
class Lease:
    """What a DHCP server gave one interface."""

    address: IPv4Interface
    router: IPv4Address | None = None
    dns: tuple[IPv4Address, ...] = ()


@dataclass(frozen=True)
class Facts:
    """addresses: by interface key; an interface without one is absent. gateways: by gateway name and by interface key."""

    addresses: Mapping[str, IPv4Interface]
    gateways: Mapping[str, IPv4Address]
    default_gateway: IPv4Address | None


def gather(settings: Settings, leases: Mapping[str, Lease]) -> Facts:
    """Facts of a node. leases: by interface key."""
    addresses: dict[str, IPv4Interface] = {}
    gateways: dict[str, IPv4Address] = {}
    for interface in settings.enabled:
        lease = leases.get(interface.key) if interface.dhcp else None
        address = interface.address or (lease.address if lease else None)
        if address:
            addresses[interface.key] = address
        if lease and lease.router:
            gateways[interface.key] = lease.router
            # The name pfSense gives a dynamic gateway.
            gateways[f"{interface.descr.upper()}_DHCP"] = lease.router
    for gateway in settings.gateways:
        known = gateway.address or gateways.get(gateway.interface)
        if known:
            gateways[gateway.name] = known
            gateways.setdefault(gateway.interface, known)
    return Facts(addresses, gateways, _default(settings, gateways))


def _default(settings: Settings, gateways: Mapping[str, IPv4Address]) -> IPv4Address | None:
    """The chosen default gateway; without a choice ("automatic"), that of the first interface that has one."""
    if settings.default_gateway in gateways:
        return gateways[settings.default_gateway]
    return next((gateways[each.key] for each in settings.enabled if each.key in gateways), None)

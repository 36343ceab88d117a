"""The checks a received advert passes before a VHID hears it (FreeBSD ip_carp.c: carp_input, carp6_input)."""

from __future__ import annotations

from lab.carp.interface import Interface, family_of
from lab.carp.kernel import Kernel
from lab.carp.packet import BADLEN, BADVHID, BadAdvert, Heard, parse_packet, refusal
from lab.carp.vhid import Vhid

REFUSED = "carp: {reason} on {interface}"
FOREIGN = "badif"


def deliver(kernel: Kernel, interface: Interface, packet: bytes, strict_ttl: bool) -> None:
    """Count the packet and hand its advert to the VHID it is for, or count why not.

    strict_ttl: refuse a multicast advert whose TTL is not 255; without it IPv4 is judged as FreeBSD does by mistake.
    """
    family = 6 if packet[:1] and packet[0] >> 4 == 6 else 4
    kernel.count("ipackets" if family == 4 else "ipackets6")
    if not kernel.sysctls["allow"]:
        return None
    if family == 6 and not interface.has_carp:
        return _refuse(kernel, interface, FOREIGN)
    try:
        heard = parse_packet(packet)
    except BadAdvert as error:
        return _refuse(kernel, interface, error.reason)
    if heard is None:
        return _refuse(kernel, interface, BADLEN)
    vhid = interface.listening(heard.advert.vhid, family)
    if vhid is None:
        return _refuse(kernel, interface, FOREIGN if _looped(interface, heard) else BADVHID)
    reason = refusal(heard, vhid.authenticator, not _ttl_matters(vhid, family, strict_ttl))
    if reason:
        return _refuse(kernel, interface, reason)
    return vhid.hear(heard.advert, family)


def _ttl_matters(vhid: Vhid, family: int, strict_ttl: bool) -> bool:
    group = vhid.group[family]
    if family == 6:
        return group[0] == 0xFF
    # FreeBSD asks the last byte whether 224.0.0.18 is multicast: a missing byte swap.
    return group[0 if strict_ttl else 3] >> 4 == 0xE


def _looped(interface: Interface, heard: Heard) -> bool:
    """VHID 0 from one of our own VIPs."""
    return heard.advert.vhid == 0 and any(
        address.vhid and address.packed == heard.source and address.family == family_of(heard.source)
        for address in interface.addresses
    )


def _refuse(kernel: Kernel, interface: Interface, reason: str) -> None:
    kernel.count(reason)
    kernel.debug(REFUSED.format(reason=reason, interface=interface.name))

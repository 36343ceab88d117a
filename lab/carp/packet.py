"""The CARP advert on the wire: header, checksum, HMAC, IP packet, Ethernet frame; and the two announcements.

Layouts follow FreeBSD (ip_carp.h, ip_carp.c): one 36 byte header for IPv4 and IPv6, a checksum without pseudo-header,
HMAC-SHA1 over constants, VHID, the sorted addresses of the VHID and a counter. Addresses are packed bytes (4 or 16),
MACs six bytes. Reading needs no key: who sends what, with which skew, stands in clear; `refusal` applies the key.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from typing import NamedTuple

PROTOCOL = 112
VERSION = 2
ADVERTISEMENT = 1
TTL = 255
MAX_SKEW_ON_WIRE = 240  # CARP_MAXSKEW
KEY_LENGTH = 20
AUTHLEN = 7  # 32 bit words: counter 2, MAC 5
DEFAULT_DSCP = 56
HEADER_LENGTH = 36
GROUP4 = bytes((224, 0, 0, 18))
GROUP6 = bytes.fromhex("ff020000000000000000000000000012")
GROUP4_MAC = bytes.fromhex("01005e000012")
GROUP6_MAC = bytes.fromhex("333300000012")
BROADCAST_MAC = b"\xff" * 6
ALL_NODES = bytes.fromhex("ff020000000000000000000000000001")
ALL_NODES_MAC = bytes.fromhex("333300000001")

BADLEN = "badlen"
BADSUM = "badsum"
BADVHID = "badvhid"
BADVER = "badver"
BADTTL = "badttl"
BADAUTH = "badauth"

_HEADER = struct.Struct(">BBBBBBHQ20s")
_IPV4 = struct.Struct(">BBHHHBBH4s4s")
_IPV6 = struct.Struct(">IHBB16s16s")
_ARP = struct.Struct(">HHBBH6s4s6s4s")
_ETHERTYPE_IPV4 = 0x0800
_ETHERTYPE_ARP = 0x0806
_ETHERTYPE_VLAN = 0x8100
_ETHERTYPE_IPV6 = 0x86DD
_DONT_FRAGMENT = 0x4000
_ICMPV6 = 58
_NEIGHBOUR_ADVERTISEMENT = 136
_OVERRIDE = 0x20000000
_TARGET_LINK_ADDRESS = 2


class BadAdvert(ValueError):
    """An advert that cannot be read. `reason` is the kernel's counter for it: badlen or badsum."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Advert(NamedTuple):
    """One CARP header.

    advskew: what the packet says (the effective skew of its sender). counter: 64 bit. mac: 20 bytes.
    """

    vhid: int
    advbase: int
    advskew: int
    counter: int
    mac: bytes = bytes(20)
    version: int = VERSION
    type: int = ADVERTISEMENT
    authlen: int = AUTHLEN
    pad: int = 0

    def pack(self) -> bytes:
        """The 36 bytes, checksum filled in."""
        return _with_checksum(self, checksum(_with_checksum(self, 0)))


class Heard(NamedTuple):
    """An advert together with the IP header it came in."""

    family: int
    source: bytes
    destination: bytes
    ttl: int
    tos: int
    advert: Advert

    @property
    def ttl_ok(self) -> bool:
        """Whether the packet can only come from this segment."""
        return self.ttl == TTL


class Sighting(NamedTuple):
    """A frame of protocol 112. `heard` is None where `reason` (badlen, badsum, badver) says why it is no advert."""

    source_mac: bytes
    destination_mac: bytes
    heard: Heard | None
    reason: str = ""


class Authenticator:
    """HMAC-SHA1 of one VHID: `key` (at most 20 bytes count), number and addresses fixed, the counter varies.

    Both families' addresses are hashed in every advert: IPv4 ascending, then IPv6 ascending with the scope of
    link-local ones zeroed, each once; all-zero and all-one addresses never (ip_carp.c, carp_hmac_prepare).
    """

    def __init__(self, key: bytes, vhid: int, addresses: Iterable[bytes]) -> None:
        block = key[:KEY_LENGTH].ljust(64, b"\0")
        four, six = hashed_addresses(addresses)
        message = bytes((VERSION, ADVERTISEMENT, vhid)) + b"".join(four) + b"".join(six)
        self._inner = hashlib.sha1(bytes(byte ^ 0x36 for byte in block) + message)
        self._outer = hashlib.sha1(bytes(byte ^ 0x5C for byte in block))

    def inner(self, counter: int) -> bytes:
        """The inner SHA1, as the test vectors give it."""
        inner = self._inner.copy()
        inner.update(counter.to_bytes(8, "big"))
        return inner.digest()

    def mac(self, counter: int) -> bytes:
        """The 20 bytes that go into the advert."""
        outer = self._outer.copy()
        outer.update(self.inner(counter))
        return outer.digest()

    def sign(self, advert: Advert) -> Advert:
        """The same advert with its MAC."""
        return advert._replace(mac=self.mac(advert.counter))

    def accepts(self, advert: Advert) -> bool:
        """Whether the MAC is right. Nothing but the counter is covered."""
        return self.mac(advert.counter) == advert.mac


def password_key(password: str) -> bytes:
    """The kernel's key of a password: 19 bytes at most (ifconfig copies a C string into 20), zero padded."""
    return password.encode().split(b"\0")[0][: KEY_LENGTH - 1].ljust(KEY_LENGTH, b"\0")


def hashed_addresses(addresses: Iterable[bytes]) -> tuple[list[bytes], list[bytes]]:
    """The IPv4 and the IPv6 addresses in the order in which they are hashed."""
    given = [unscoped(address) for address in addresses]
    usable = {address for address in given if any(address) and any(byte != 0xFF for byte in address)}
    return sorted(a for a in usable if len(a) == 4), sorted(a for a in usable if len(a) == 16)


def unscoped(address: bytes) -> bytes:
    """An address without the scope FreeBSD embeds in bytes 2-3 of a link-local one."""
    if len(address) == 16 and address[0] == 0xFE and address[1] & 0xC0 == 0x80:
        return address[:2] + b"\0\0" + address[4:]
    return address


def virtual_mac(vhid: int) -> bytes:
    """00:00:5e:00:01:VHID."""
    return b"\x00\x00\x5e\x00\x01" + bytes((vhid,))


def checksum(data: bytes) -> int:
    """Internet checksum (RFC 1071) of `data`; over data that carries its own checksum the result is 0."""
    if len(data) % 2:
        data += b"\0"
    # 2^16 is 1 modulo 65535, so the remainder is the folded sum of the 16 bit words.
    total = int.from_bytes(data, "big")
    folded = total % 0xFFFF or (0xFFFF if total else 0)
    return 0xFFFF - folded


def parse_advert(data: bytes, offset: int = 0) -> Advert:
    """Read 36 bytes at `offset`. Raises BadAdvert (badlen, badsum)."""
    if len(data) < offset + HEADER_LENGTH:
        raise BadAdvert(BADLEN)
    if checksum(data[offset : offset + HEADER_LENGTH]):
        raise BadAdvert(BADSUM)
    first, vhid, advskew, authlen, pad, advbase, _, counter, mac = _HEADER.unpack_from(data, offset)
    return Advert(vhid, advbase, advskew, counter, mac, first >> 4, first & 0x0F, authlen, pad)


def parse_packet(packet: bytes) -> Heard | None:
    """Read an IP packet; None where it is not protocol 112. Raises BadAdvert (badlen, badsum)."""
    if len(packet) >= 20 and packet[0] >> 4 == 4:
        if packet[9] != PROTOCOL:
            return None
        header, tos, _, _, _, ttl, _, _, source, destination = _IPV4.unpack_from(packet)
        return Heard(4, source, destination, ttl, tos, parse_advert(packet, (header & 0x0F) * 4))
    if len(packet) >= 40 and packet[0] >> 4 == 6:
        flow, _, protocol, ttl, source, destination = _IPV6.unpack_from(packet)
        if protocol != PROTOCOL:
            return None
        return Heard(6, source, destination, ttl, flow >> 20 & 0xFF, parse_advert(packet, 40))
    return None


def parse_frame(frame: bytes) -> Sighting | None:
    """Read an Ethernet frame, with or without one VLAN tag; None where it is not IP protocol 112."""
    ethertype, start = frame[12:14], 14
    if ethertype == _ETHERTYPE_VLAN.to_bytes(2, "big"):
        ethertype, start = frame[16:18], 18
    if ethertype not in (b"\x08\x00", b"\x86\xdd"):
        return None
    try:
        heard = parse_packet(frame[start:])
    except BadAdvert as error:
        return Sighting(frame[6:12], frame[:6], None, error.reason)
    if heard is None:
        return None
    if heard.advert.version != VERSION:
        return Sighting(frame[6:12], frame[:6], None, BADVER)
    return Sighting(frame[6:12], frame[:6], heard)


def refusal(heard: Heard, authenticator: Authenticator, any_ttl: bool = False) -> str:
    """Why a receiver that has this VHID refuses the advert: badver, badttl, badauth, in that order; "" if it does not.

    any_ttl: let a packet pass that crossed a router, as FreeBSD's check by mistake does for IPv4.
    """
    if heard.advert.version != VERSION:
        return BADVER
    if not (any_ttl or heard.ttl_ok):
        return BADTTL
    return "" if authenticator.accepts(heard.advert) else BADAUTH


def ipv4_packet(source: bytes, advert: bytes, destination: bytes = GROUP4, dscp: int = DEFAULT_DSCP) -> bytes:
    """An advert in IPv4: no options, DF, ID 0, TTL 255."""
    length = 20 + len(advert)

    def header(total: int) -> bytes:
        return _IPV4.pack(0x45, dscp << 2, length, 0, _DONT_FRAGMENT, TTL, PROTOCOL, total, source, destination)

    return header(checksum(header(0))) + advert


def ipv6_packet(source: bytes, advert: bytes, destination: bytes = GROUP6, dscp: int = DEFAULT_DSCP) -> bytes:
    """An advert in IPv6: hop limit 255, DSCP in the traffic class."""
    return _IPV6.pack(6 << 28 | dscp << 22, len(advert), PROTOCOL, TTL, source, destination) + advert


def ethernet_frame(source_mac: bytes, destination_mac: bytes, packet: bytes) -> bytes:
    """An IP packet in a frame; the packet's version gives the type."""
    ethertype = _ETHERTYPE_IPV4 if packet[0] >> 4 == 4 else _ETHERTYPE_IPV6
    return destination_mac + source_mac + ethertype.to_bytes(2, "big") + packet


def advert_frame(vhid: int, packet: bytes) -> bytes:
    """A multicast advert as FreeBSD sends it: from the virtual MAC, which is what moves a switch's table."""
    return ethernet_frame(virtual_mac(vhid), GROUP4_MAC if packet[0] >> 4 == 4 else GROUP6_MAC, packet)


def garp_frame(own_mac: bytes, virtual: bytes, address: bytes) -> bytes:
    """The announcement of an IPv4 VIP: a broadcast ARP request whose *sender* is the virtual MAC, sent from the own."""
    arp = _ARP.pack(1, _ETHERTYPE_IPV4, 6, 4, 1, virtual, address, bytes(6), address)
    return BROADCAST_MAC + own_mac + _ETHERTYPE_ARP.to_bytes(2, "big") + arp


def na_frame(virtual: bytes, source: bytes, address: bytes) -> bytes:
    """The announcement of an IPv6 VIP: unsolicited, Override without Router, to all nodes, from the virtual MAC."""
    option = bytes((_TARGET_LINK_ADDRESS, 1)) + virtual
    body = _OVERRIDE.to_bytes(4, "big") + unscoped(address) + option
    message = bytes((_NEIGHBOUR_ADVERTISEMENT, 0, 0, 0)) + body
    pseudo = unscoped(source) + ALL_NODES + struct.pack(">II", len(message), _ICMPV6)
    message = message[:2] + checksum(pseudo + message).to_bytes(2, "big") + message[4:]
    packet = _IPV6.pack(6 << 28, len(message), _ICMPV6, TTL, unscoped(source), ALL_NODES) + message
    return ethernet_frame(virtual, ALL_NODES_MAC, packet)


def pack_address(text: str) -> bytes:
    """Packed form of an IPv4 or IPv6 address; a zone (`%em0`) is dropped. Raises ValueError."""
    from ipaddress import ip_address

    return ip_address(text.partition("%")[0]).packed


def address_text(packed: bytes) -> str:
    """Text of a packed address. Raises ValueError."""
    from ipaddress import ip_address

    return str(ip_address(packed))


def pack_mac(text: str) -> bytes:
    """Six bytes of `aa:bb:cc:dd:ee:ff`. Raises ValueError."""
    packed = bytes.fromhex(text.replace(":", ""))
    if len(packed) != 6:
        raise ValueError(text)
    return packed


def mac_text(mac: bytes) -> str:
    """`aa:bb:cc:dd:ee:ff`."""
    return mac.hex(":")


def _with_checksum(advert: Advert, total: int) -> bytes:
    first = advert.version << 4 | advert.type
    middle = (first, advert.vhid, advert.advskew, advert.authlen, advert.pad, advert.advbase)
    return _HEADER.pack(*middle, total, advert.counter, advert.mac)

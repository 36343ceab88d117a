"""The codec against the vectors of the reference sheet (carp-freebsd.md §1.6) and a frame of Debian's ucarp."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.carp import packet
from lab.carp.packet import Advert, Authenticator, BadAdvert, pack_address, pack_mac, password_key


class Vector(NamedTuple):
    password: str
    vhid: int
    advbase: int
    advskew: int
    addresses: tuple[str, ...]
    counter: int
    inner: str
    mac: str
    head: str

    @property
    def authenticator(self) -> Authenticator:
        return Authenticator(password_key(self.password), self.vhid, map(pack_address, self.addresses))

    @property
    def advert(self) -> Advert:
        return self.authenticator.sign(Advert(self.vhid, self.advbase, self.advskew, self.counter))


VECTORS = {
    "V1": Vector(
        "secret",
        *(1, 1, 0),
        ("192.0.2.1",),
        0x0123456789ABCDEF,
        "2eae6b08bcf2b84bf57678dd055767925b5fc602",
        "08ba7693f61e8b926873518e0350be85e1786463",
        "2101000700017e1e0123456789abcdef",
    ),
    "V2": Vector(
        "secret",
        *(10, 1, 100),
        ("198.51.100.20", "192.0.2.1", "fd00::1", "fe80::1"),
        1,
        "54b13a0034c62d4932984cb20b905bf2b3e8e1f5",
        "439176f302c6fb68126fa7ca9962eb5cb3440944",
        "210a64070001c6b60000000000000001",
    ),
    "V3": Vector(
        "",
        *(200, 2, 240),
        ("10.0.0.1",),
        2**64 - 1,
        "812d690c0ec5de6e2aa99979e974fcdcb2c69136",
        "223f40a3eda18b990a16f1b20454ec31419c5816",
        "21c8f00700028c0effffffffffffffff",
    ),
}
UCARP = bytes.fromhex(
    "01005e00001200005e000001080045100038c7714000ff70a98cc6336401e0000012"
    "210132070001300607a001e24470066fa39d7f19cba048199fe0a7d52bf797354c6e9acc"
)
UCARP_KEY = Authenticator(password_key("secret"), 1, [pack_address("198.51.100.254")])
each_vector = pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)


@each_vector
def test_vectors(vector: Vector) -> None:
    assert vector.authenticator.inner(vector.counter).hex() == vector.inner
    assert vector.advert.mac.hex() == vector.mac
    assert vector.advert.pack().hex() == vector.head + vector.mac
    assert packet.parse_advert(vector.advert.pack()) == vector.advert


def test_a_frame_of_ucarp() -> None:
    seen = packet.parse_frame(UCARP)
    assert seen is not None
    assert seen.heard is not None
    assert (seen.source_mac.hex(":"), seen.reason) == ("00:00:5e:00:00:01", "")
    assert (seen.heard.tos, seen.heard.ttl, seen.heard.advert.advskew) == (0x10, 255, 50)
    assert packet.address_text(seen.heard.source) == "198.51.100.1"
    assert packet.refusal(seen.heard, UCARP_KEY) == ""
    ours = UCARP_KEY.sign(Advert(1, 1, 50, 0x07A001E24470066F)).pack()
    assert UCARP.endswith(ours)


@given(st.text(max_size=30), st.integers(0, 2**64 - 1), st.lists(st.ip_addresses(), max_size=6), st.integers(0, 255))
def test_the_mac_is_a_plain_hmac_of_the_stated_message(password, counter, addresses, vhid):
    packed = [address.packed for address in addresses]
    key = password_key(password)
    four = sorted({a for a in packed if len(a) == 4} - {bytes(4), b"\xff" * 4})
    six = [a[:2] + bytes(2) + a[4:] if a[0] == 0xFE and a[1] & 0xC0 == 0x80 else a for a in packed if len(a) == 16]
    six = sorted(set(six) - {bytes(16), b"\xff" * 16})
    message = bytes([2, 1, vhid]) + b"".join(four + six) + counter.to_bytes(8, "big")
    expected = hmac.new(key, message, hashlib.sha1).digest()
    assert Authenticator(key, vhid, packed).mac(counter) == expected
    assert Authenticator(key, vhid, packed[::-1] + packed).mac(counter) == expected


def test_nineteen_characters_of_a_password_count() -> None:
    assert password_key("x" * 19) == password_key("x" * 25) == b"x" * 19 + b"\0"
    assert password_key("x" * 18) != password_key("x" * 19)
    assert password_key("") == bytes(20)


def test_neither_base_nor_skew_nor_source_is_signed() -> None:
    advert = VECTORS["V1"].advert
    assert VECTORS["V1"].authenticator.accepts(advert._replace(advbase=9, advskew=9, pad=1, authlen=0))
    assert not VECTORS["V1"].authenticator.accepts(advert._replace(counter=advert.counter + 1))


adverts = st.builds(
    Advert,
    *[st.integers(0, 255)] * 3,
    st.integers(0, 2**64 - 1),
    st.binary(min_size=20, max_size=20),
    *[st.integers(0, 15)] * 2,
    *[st.integers(0, 255)] * 2,
)


@given(adverts)
def test_any_advert_survives_the_wire(advert):
    assert packet.parse_advert(advert.pack()) == advert
    assert packet.checksum(advert.pack()) == 0


@given(adverts, st.integers(0, 35), st.integers(1, 255))
def test_any_single_changed_byte_is_a_bad_sum(advert, position, change):
    spoilt = bytearray(advert.pack())
    spoilt[position] ^= change
    with pytest.raises(BadAdvert, match="badsum"):
        packet.parse_advert(bytes(spoilt))


@given(st.binary(max_size=200))
def test_the_checksum_is_the_folded_sum_of_words(data):
    total = sum(int.from_bytes(data[i : i + 2].ljust(2, b"\0"), "big") for i in range(0, len(data), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    assert packet.checksum(data) == 0xFFFF - total


@given(st.binary(max_size=120))
def test_no_frame_is_a_traceback(data):
    packet.parse_frame(data)
    packet.parse_frame(UCARP[:12] + data)
    packet.parse_frame(UCARP[:14] + data)
    packet.parse_frame(UCARP[:34] + data)


def test_packets_as_freebsd_sends_them() -> None:
    advert = VECTORS["V1"].advert.pack()
    four = packet.ipv4_packet(pack_address("192.0.2.2"), advert)
    assert four[:20].hex() == "45e0003800004000ff70d860c0000202e0000012"
    assert packet.checksum(four[:20]) == 0
    six = packet.ipv6_packet(pack_address("fe80::2"), advert)
    assert six[:8].hex() == "6e000000002470ff"
    assert six[24:40] == pack_address("ff02::12")
    for built, family, group in ((four, 4, "01005e000012"), (six, 6, "333300000012")):
        frame = packet.advert_frame(1, built)
        assert frame[:12].hex() == group + "00005e000101"
        seen = packet.parse_frame(frame)
        assert seen is not None
        assert seen.heard is not None
        assert (seen.heard.family, seen.heard.tos, seen.heard.ttl_ok) == (family, 0xE0, True)
        assert packet.parse_frame(frame[:12] + bytes.fromhex("81000005") + frame[12:]) == seen


def test_reasons_of_rejection() -> None:
    key, advert = VECTORS["V1"].authenticator, VECTORS["V1"].advert
    source = pack_address("192.0.2.2")

    def sighted(header: bytes) -> packet.Sighting:
        seen = packet.parse_frame(packet.advert_frame(1, packet.ipv4_packet(source, header)))
        assert seen is not None
        return seen

    assert sighted(advert.pack()[:35]).reason == "badlen"
    assert sighted(advert.pack() + b"more").reason == ""
    assert sighted(advert.pack()[:-1] + b"\0").reason == "badsum"
    assert sighted(advert._replace(version=3).pack()).reason == "badver"
    assert sighted(advert._replace(version=3).pack()).heard is None
    good = sighted(advert.pack()).heard
    assert good is not None
    assert packet.refusal(good, key) == ""
    assert packet.refusal(good, UCARP_KEY) == "badauth"
    far = good._replace(ttl=64)
    assert (far.ttl_ok, packet.refusal(far, key), packet.refusal(far, key, any_ttl=True)) == (False, "badttl", "")
    worse = far._replace(advert=advert._replace(version=3))
    assert packet.refusal(worse, UCARP_KEY) == "badver"
    assert packet.refusal(far, UCARP_KEY) == "badttl"


def test_what_is_no_carp_is_none() -> None:
    arp = packet.garp_frame(bytes(6), bytes(6), bytes(4))
    udp = UCARP[:23] + b"\x11" + UCARP[24:]
    assert [packet.parse_frame(frame) for frame in (arp, udp, b"", UCARP[:20])] == [None] * 4


def test_the_garp_announces_the_virtual_mac_from_the_own_one() -> None:
    own = pack_mac("02:00:00:00:00:01")
    frame = packet.garp_frame(own, packet.virtual_mac(1), pack_address("192.0.2.101"))
    assert frame.hex() == ("ffffffffffff0200000000010806000108000604000100005e000101c0000265000000000000c0000265")


def test_the_neighbour_advertisement_overrides_from_the_virtual_mac() -> None:
    frame = packet.na_frame(packet.virtual_mac(1), pack_address("fe80::2"), pack_address("fd00::101"))
    assert frame[:14].hex() == "33330000000100005e00010186dd"
    ip, message = frame[14:54], frame[54:]
    assert (ip[6], ip[7], ip[8:24]) == (58, 255, pack_address("fe80::2"))
    assert message[:2] + message[4:8] == bytes.fromhex("880020000000")
    assert message[8:] == pack_address("fd00::101") + bytes.fromhex("020100005e000101")
    pseudo = ip[8:40] + len(message).to_bytes(4, "big") + (58).to_bytes(4, "big")
    assert packet.checksum(pseudo + message) == 0


def test_ten_thousand_frames_are_read_well_within_a_second() -> None:
    frames = [UCARP] * 10_000
    start = time.process_time()
    for frame in frames:
        packet.parse_frame(frame)
    assert time.process_time() - start < 1.0


def test_macs_and_addresses_as_text() -> None:
    assert packet.mac_text(packet.virtual_mac(255)) == "00:00:5e:00:01:ff"
    assert packet.address_text(pack_address("fe80::1%em0")) == "fe80::1"
    for wrong in ("00:00", "zz:00:00:00:00:00"):
        with pytest.raises(ValueError):
            pack_mac(wrong)
    with pytest.raises(ValueError):
        pack_address("192.0.2.256")

"""Frames as a capture would give them: adverts, pings and TCP openings, on a clock of the test's own."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address

from lab.carp.packet import Advert, advert_frame, checksum, ipv4_packet
from lab.experiment.pcap import Frame
from lab.paths import project_root
from lab.topology.load import load_topology
from lab.topology.model import Topology

EPOCH = 1_700_000_000
"""Second zero of every test."""


def uranus() -> Topology:
    return load_topology("uranus", project_root() / "topologies")


def frame(time: float, link: str, data: bytes) -> Frame:
    return Frame(EPOCH * 10**9 + round(time * 1e9), link, len(data), data)


def advert(time: float, network: str, vhid: int, source: str, skew: int = 0, counter: int = 0, base: int = 1) -> Frame:
    header = Advert(vhid, base, skew, counter or round(time * 1e6) + 1).pack()
    return frame(time, f"br-{network}", advert_frame(vhid, ipv4_packet(IPv4Address(source).packed, header)))


def adverts(network: str, vhid: int, source: str, skew: int, start: float, end: float) -> list[Frame]:
    """A master's steady pace from `start` on, before `end`."""
    found, time = [], start
    while time < end:
        found.append(advert(time, network, vhid, source, skew))
        time += 1 + skew / 256
    return found


def _ip(protocol: int, source: str, destination: str, payload: bytes) -> bytes:
    addresses = IPv4Address(source).packed + IPv4Address(destination).packed
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0) + addresses
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    return bytes(12) + b"\x08\x00" + head + payload


def echo(time: float, link: str, source: str, destination: str, ident: int, number: int, reply: bool = False) -> Frame:
    kind = 0 if reply else 8
    ends = (destination, source) if reply else (source, destination)
    return frame(time, link, _ip(1, *ends, struct.pack(">BBHHH", kind, 0, 0, ident, number & 0xFFFF) + bytes(16)))


def segment(
    time: float, link: str, ends: tuple[str, int, str, int], flags: int, sequence: int = 7, acknowledged: int = 0
) -> Frame:
    """ends: source, port, destination, port."""
    source, source_port, destination, port = ends
    tcp = struct.pack(">HHIIBBHHH", source_port, port, sequence, acknowledged, 0x50, flags, 1024, 0, 0)
    return frame(time, link, _ip(6, source, destination, tcp))

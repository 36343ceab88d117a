"""What a segment carries, from a capture on its switch: each frame once, with the host's clock."""

from __future__ import annotations

import struct
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from lab.carp.packet import Heard, parse_frame
from tests.wire.namespaces import Network, until

_PCAP_HEADER = 24
_RECORD = struct.Struct("<IIII")
_ARP_REQUEST, _ARP_REPLY = 1, 2


class Frame(NamedTuple):
    """time: seconds of the host's wall clock."""

    time: float
    data: bytes

    @property
    def source(self) -> bytes:
        return self.data[6:12]


class Arp(NamedTuple):
    time: float
    ethernet_source: bytes
    is_reply: bool
    sender_mac: bytes
    sender: bytes
    target_mac: bytes
    target: bytes


class Advert(NamedTuple):
    time: float
    ethernet_source: bytes
    heard: Heard

    @property
    def vhid(self) -> int:
        return self.heard.advert.vhid


class Capture:
    """tcpdump on one segment's bridge. Used as a context; the frames are complete after it."""

    def __init__(self, network: Network, segment: str, directory: Path, what: str = "arp or proto 112") -> None:
        self.file = directory / f"{segment}.pcap"
        self._log = directory / f"{segment}.tcpdump"
        self._command = ["tcpdump", "-i", f"br-{segment}", "-U", "--immediate-mode", "-w", str(self.file)]
        self._command += ["--time-stamp-precision=nano", "-B", "4096", *what.split()]
        self._network = network
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Capture:
        self._process = self._network.start_in_switch(self._command, self._log)
        until(lambda: "listening on" in self._log.read_text())
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process
        time.sleep(0.1)  # what is under way to the capture
        self._process.terminate()
        self._process.wait()

    def frames(self) -> list[Frame]:
        data = self.file.read_bytes()
        found, at = [], _PCAP_HEADER
        while at + _RECORD.size <= len(data):
            seconds, nanoseconds, length, _ = _RECORD.unpack_from(data, at)
            at += _RECORD.size
            if at + length > len(data):
                break
            found.append(Frame(seconds + nanoseconds / 1e9, data[at : at + length]))
            at += length
        return found

    def arps(self) -> list[Arp]:
        return [
            Arp(f.time, f.source, f.data[21] == _ARP_REPLY, *_parts(f.data[22:42]))
            for f in self.frames()
            if f.data[12:14] == b"\x08\x06"
        ]

    def adverts(self) -> list[Advert]:
        sightings = [(frame, parse_frame(frame.data)) for frame in self.frames()]
        return [Advert(frame.time, seen.source_mac, seen.heard) for frame, seen in sightings if seen and seen.heard]


def _parts(body: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    return body[:6], body[6:10], body[10:16], body[16:20]

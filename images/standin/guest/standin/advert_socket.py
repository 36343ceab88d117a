"""Adverts and gratuitous ARP on one NIC, through AF_PACKET."""

from __future__ import annotations

import socket
import struct
from array import array

from lab.carp.packet import GROUP4_MAC, PROTOCOL

_ETH_P_ALL = 0x0003
_SOL_PACKET, _ADD_MEMBERSHIP, _IGNORE_OUTGOING, _MR_MULTICAST = 263, 1, 23, 0
_SO_ATTACH_FILTER = 26

# Classic BPF: EtherType IPv4 and protocol 112, else nothing. (code, jump if true, jump if false, operand)
_FILTER = (
    (0x28, 0, 0, 12),
    (0x15, 0, 3, 0x0800),
    (0x30, 0, 0, 23),
    (0x15, 0, 1, PROTOCOL),
    (0x06, 0, 0, 0x40000),
    (0x06, 0, 0, 0),
)


class AdvertSocket:
    """Non-blocking. Registered in a selector by its `fileno`.

    It listens to every EtherType, before the macvlans: a private macvlan keeps for itself each multicast
    frame whose source is its own MAC, and that is what the adverts of a second master look like.
    """

    def __init__(self, nic: str, index: int) -> None:
        self.nic, self.index = nic, index
        # Protocol 0 until filter and membership stand: nothing is queued before.
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, 0)
        try:
            _attach(self._socket, _FILTER)
            self._socket.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
            membership = struct.pack("=iHH8s", index, _MR_MULTICAST, len(GROUP4_MAC), GROUP4_MAC)
            self._socket.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, membership)
            self._socket.bind((nic, _ETH_P_ALL))
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def send(self, frame: bytes) -> None:
        """OSError (ENETDOWN, ENOBUFS, …) when the frame did not leave."""
        self._socket.send(frame)

    def receive(self) -> list[bytes]:
        """Every frame that waits; none when the NIC has just gone down."""
        frames = []
        while True:
            try:
                frames.append(self._socket.recv(2048))
            except BlockingIOError:
                return frames
            except OSError:
                return frames


def _attach(sock: socket.socket, program: tuple[tuple[int, int, int, int], ...]) -> None:
    code = array("B", b"".join(struct.pack("=HBBI", *step) for step in program))
    address, _ = code.buffer_info()
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", len(program), address))

"""Telling process 1 that something happened, without waiting for what it makes of it (pfSense's send_event)."""

from __future__ import annotations

import os
import socket

from standin.places import Places

FILTER_SYNC = ("rc.filter_synchronize", "--event")
"""After every change of the stored configuration: give it to the other node."""


def send(places: Places, argv: tuple[str, ...]) -> None:
    """Have a command run by itself. Where nobody listens (a test, the boot) nothing happens."""
    if places.booting.exists():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        try:
            link.connect(str(places.control_socket))
        except OSError:
            return
        nowhere = os.open(os.devnull, os.O_RDWR)
        try:
            socket.send_fds(link, ["\0".join(argv).encode()], [nowhere] * 3)
        finally:
            os.close(nowhere)

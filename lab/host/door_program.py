"""A process with one foot in a lab's namespace: it connects there and hands each connection out.

    python3 -I door_program.py SOCKET REQUEST     REQUEST: {"link", "spares", "target", "port"} as JSON

Run as root inside the namespace by `lab.host.door`, which listens at SOCKET. The namespace's own end has no address: one of
`spares` is put on the bridge `link` while this runs, with a route to `target` alone, and taken away at the end. Standard
library only. One packet a request; the answer is b"+" with a connected socket, or b"-" and why not.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from ipaddress import IPv4Address
from types import FrameType

CONNECT_SECONDS = 20.0
GIVEN, NOT_GIVEN = b"+", b"-"
NO_ADDRESS = "no free address on {link}"


def main(path: str, request: str) -> int:
    words = json.loads(request)
    signal.signal(signal.SIGTERM, _end)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as front:
        front.connect(path)
        source = claim(words["link"], words["spares"])
        if not source:
            front.send(NOT_GIVEN + NO_ADDRESS.format(link=words["link"]).encode())
            return 1
        route = ["route", "add", f"{words['target']}/32", "dev", words["link"], "src", source, "metric", metric(source)]
        try:
            try:
                ip(*route)
                front.send(GIVEN)
                while front.recv(16):
                    answer(front, source, words["target"], words["port"])
            finally:
                # A SIGTERM on top of the end must not cut the clearing up short.
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
        finally:
            route[1] = "del"
            ip(*route)
            ip("addr", "del", f"{source}/32", "dev", words["link"])
    return 0


def claim(link: str, spares: list[str]) -> str:
    """The first spare address that is not on the bridge yet: another door may hold one. "" when all are taken."""
    return next((each for each in spares if ip("addr", "add", f"{each}/32", "dev", link)), "")


def metric(source: str) -> str:
    """Two doors to one target have routes that differ in this."""
    return str(int(IPv4Address(source)) & 0xFFFF)


def answer(front: socket.socket, source: str, target: str, port: int) -> None:
    """Connect, and hand the connection over, or say why there is none."""
    try:
        link = socket.create_connection((target, port), CONNECT_SECONDS, (source, 0))
    except OSError as error:
        front.send(NOT_GIVEN + str(error.strerror or error).encode())
        return
    with link:
        link.settimeout(None)
        socket.send_fds(front, [GIVEN], [link.fileno()])


def ip(*words: str) -> bool:
    """Whether `ip` did it."""
    return subprocess.run(["ip", *words], stderr=subprocess.DEVNULL, check=False).returncode == 0


def _end(number: int, frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

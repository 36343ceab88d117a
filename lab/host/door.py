"""A way into a lab's namespace for connections: sockets that live there, used from here, without any rights.

Nothing listens on the host, and the namespace stays closed: one process inside (`door_program`) connects and passes each
connected socket out over a Unix socket.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from lab.errors import LabError
from lab.host.door_program import GIVEN
from lab.host.sudo import Inside
from lab.host.world import World

PROGRAM = Path(__file__).with_name("door_program.py")
OPEN_SECONDS, DIAL_SECONDS = 30.0, 30.0
SPARES = 16
"""How many doors to one network there may be at a time."""

NOT_OPENED = "The lab's namespace could not be entered"
NOT_CONNECTED = "{target} port {port} cannot be reached from inside the lab"
CONNECTED = "a connection"
CURE = "`./inv lab.status` shows whether the machine runs; a firewall that still boots needs more time"


class Door:
    """Connections to one port of one address, from a free address of its segment. Use as a context."""

    def __init__(self, world: World, link: str, spares: Iterable[object], target: object, port: int) -> None:
        """link: the bridge. spares: addresses of its network that nobody has."""
        self._target, self._port = str(target), port
        self._world = world
        addresses = [str(each) for each in islice(spares, SPARES)]
        self._request = json.dumps({"link": link, "spares": addresses, "target": self._target, "port": port})
        self._lock = threading.Lock()
        self._inside: Inside | None = None
        self._front: socket.socket | None = None

    def __enter__(self) -> Door:
        folder = Path(tempfile.mkdtemp(prefix="uranus-door-", dir="/tmp"))
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
                listening.bind(str(folder / "door"))
                listening.listen(1)
                listening.settimeout(OPEN_SECONDS)
                command = ["python3", "-I", str(PROGRAM), str(folder / "door"), self._request]
                self._inside = self._world.spawn(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                self._front, _ = listening.accept()
        except OSError as error:
            self.close()
            raise LabError(NOT_OPENED, seen=str(error), cure=CURE) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self._front.settimeout(DIAL_SECONDS)
        said = self._front.recv(1024)
        if said != GIVEN:
            self.close()
            raise LabError(NOT_OPENED, seen=said[1:].decode(errors="replace"), cure=CURE)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._front:
            self._front.close()
            self._front = None
        if self._inside:
            self._inside.stop()
            self._inside = None

    def dial(self) -> socket.socket:
        """One more connection. Raises LabError where nobody accepts it."""
        assert self._front is not None, "a door is used as a context"
        with self._lock:
            try:
                self._front.send(b"?")
                said, handles, _, _ = socket.recv_fds(self._front, 1024, 1)
            except OSError as error:
                said, handles = b"-" + str(error).encode(), []
        if said != GIVEN or not handles:
            raise LabError(
                NOT_CONNECTED.format(target=self._target, port=self._port),
                expected=CONNECTED,
                seen=said[1:].decode(errors="replace") or "nothing",
                cure=CURE,
            )
        return socket.socket(fileno=handles[0])

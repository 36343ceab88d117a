"""`lab.gui`: a firewall's web interface on the loopback of this computer, for as long as the command runs."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
import threading
from collections.abc import Callable

from lab.commands import present
from lab.commands.session import opened
from lab.errors import LabError
from lab.render.config.system import ADMIN

LOOPBACK = "127.0.0.1"
SHOWN = """\
The web interface of {node}: https://{host}:{port}
  user {user}, password: "admin" in {secrets}
  its certificate is its own, so a browser warns. Ctrl-C ends this."""
ENDED = "ended"
GONE = "Lab {lab} was ended."
LOOK_SECONDS = 1.0
"""Between two looks whether the lab is still there."""
CHUNK = 1 << 16


def run(name: str | None, node: str, port: int) -> int:
    """The command. Ends with Ctrl-C or SIGTERM. port: 0 for any that is free."""

    def body() -> int:
        with opened(name) as session, session.door(node) as door, _listening(port) as front:
            door.dial().close()  # a firewall that does not answer is told now, not to a browser
            # A shell starts a background command with SIGINT ignored, but whoever sends one means it.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.default_int_handler)
            place = front.getsockname()[1]
            text = SHOWN.format(node=node, host=LOOPBACK, port=place, user=ADMIN, secrets=session.paths.secrets)
            print(text, flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                forward(front, door.dial, session.world.exists)
                print(GONE.format(lab=session.paths.name))
            # A second Ctrl-C must not cut the clearing up short.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
        print(ENDED)
        return 0

    return present.run(body)


def _listening(port: int) -> socket.socket:
    """Raises LabError where the port is taken."""
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError as error:
        raise LabError(
            f"Port {port} of {LOOPBACK} cannot be used",
            expected="a free port",
            seen=error.strerror or str(error),
            cure="leave --port out: a free one is taken",
        ) from error


def forward(front: socket.socket, dial: Callable[[], socket.socket], alive: Callable[[], bool]) -> None:
    """Every connection to `front` goes to one that `dial` gives, until interrupted, or until the lab is no longer alive."""
    front.settimeout(LOOK_SECONDS)
    while alive():
        try:
            near, _ = front.accept()
        except TimeoutError:
            continue
        near.settimeout(None)
        threading.Thread(target=_serve, args=(near, dial), daemon=True).start()


def _serve(near: socket.socket, dial: Callable[[], socket.socket]) -> None:
    with near:
        try:
            far = dial()
        except LabError as error:
            print(f"error: {error}", file=sys.stderr)
            return
        with far:
            back = threading.Thread(target=_copy, args=(far, near), daemon=True)
            back.start()
            _copy(near, far)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Until the source ends; then the target is told that no more comes."""
    with contextlib.suppress(OSError):
        while data := source.recv(CHUNK):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)

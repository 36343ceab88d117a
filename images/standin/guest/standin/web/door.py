"""The listening socket of the web interface, and the process that is started when somebody knocks.

Process 1 holds the socket and nothing else; the first connection makes a child that imports what it needs, serves until it
has been idle for a while, and ends.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

BACKLOG = 16


class Door:
    """port: of the web interface. serve: what the child does with the socket; it returns when there is nothing to do."""

    def __init__(self, port: int, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self.pid = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("0.0.0.0", port))
        self.socket.listen(BACKLOG)

    def knock(self, fork: Callable[[Callable[[], None]], int]) -> None:
        """Somebody is there: make the child. Until it `ended`, the socket is its own to accept from."""
        self.pid = fork(lambda: self._serve(self.socket))

    def ended(self, pid: int) -> bool:
        """Whether that was our child; then the socket is to be watched again."""
        if pid != self.pid or not pid:
            return False
        self.pid = 0
        return True

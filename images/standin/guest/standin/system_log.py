"""Messages in a log file, one line each, in the form pfSense's system.log has (RFC 3164)."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from pathlib import Path

LINE = "{stamp} {host} {program}: {message}\n"
KERNEL = "kernel"


class SystemLog:
    """Opened for each write, so that the file may be rotated; a full disk costs the line, not the daemon."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, messages: Iterable[str], program: str = KERNEL) -> None:
        stamp, host = time.strftime("%b %e %H:%M:%S"), socket.gethostname()
        lines = [LINE.format(stamp=stamp, host=host, program=program, message=message) for message in messages]
        if not lines:
            return
        try:
            with self._path.open("a") as log:
                log.writelines(lines)
        except OSError:
            pass

"""Ask the CARP daemon of this node."""

from __future__ import annotations

import json
import socket
from typing import Any

CARP_SOCKET = "/run/standin/carpd.sock"


def ask(request: dict[str, Any], path: str = CARP_SOCKET, timeout: float = 30.0) -> dict[str, Any]:
    """One request, one answer; the requests are those of `standin.carp_control`.

    An answer that carries `error` means that nothing was changed. timeout: seconds.
    OSError when no daemon listens at `path`, TimeoutError when it does not answer in time.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(timeout)
        link.connect(path)
        link.sendall(json.dumps(request, default=str).encode() + b"\n")
        with link.makefile("rb") as answers:
            line = answers.readline()
    if not line:
        raise ConnectionResetError(path)
    answer: dict[str, Any] = json.loads(line)
    return answer

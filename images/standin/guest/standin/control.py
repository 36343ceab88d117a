"""Commands run in the warm process: a client sends its arguments and its three file descriptors, a fork of us does the work.

A start of Python costs far more than a fork of one that has everything imported, all the more on an emulated processor.
"""

from __future__ import annotations

import array
import os
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

MESSAGE_LIMIT = 1 << 16
DESCRIPTORS = 3

Command = Callable[[Sequence[str]], int]


def listen(path: Path) -> socket.socket:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    server.bind(str(path))
    path.chmod(0o600)
    server.listen(16)
    return server


def accept_and_fork(server: socket.socket, run: Command) -> int | None:
    """Serve one client in a child; the child's pid, or None when nobody was there any more."""
    try:
        client, _ = server.accept()
    except BlockingIOError:
        return None
    pid = os.fork()
    if pid:
        client.close()
        return pid
    server.close()
    _serve(client, run)
    raise AssertionError("unreachable")


def _serve(client: socket.socket, run: Command) -> None:
    """In the child: take the client's streams, run, send the exit code, end."""
    code = 70
    try:
        reset_signals()
        client.setblocking(True)
        data, ancillary, _, _ = client.recvmsg(MESSAGE_LIMIT, socket.CMSG_SPACE(DESCRIPTORS * 4))
        descriptors = array.array("i")
        for level, kind, payload in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                descriptors.frombytes(payload)
        for number, descriptor in enumerate(descriptors[:DESCRIPTORS]):
            os.dup2(descriptor, number)
        for descriptor in descriptors:
            if descriptor >= DESCRIPTORS:
                os.close(descriptor)
        code = run(data.decode().split("\0"))
        client.sendall(f"{code}\n".encode())
    except BrokenPipeError:
        pass
    except Exception:
        from traceback import format_exc

        os.write(2, format_exc().encode())
    finally:
        os._exit(code)


def reset_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)

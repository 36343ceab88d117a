"""One serial line, spoken on by one user at a time. Others are told who holds it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pexpect.socket_pexpect import SocketSpawn

from lab.console.broker import Role
from lab.console.seat import HELD, HELD_CURE, UNREACHABLE, UNREACHABLE_CURE, Refused, brokered, take_place, told
from lab.console.size_queries import SizeQueries
from lab.errors import LabError

if TYPE_CHECKING:
    _BytesSpawn = SocketSpawn[bytes]
else:
    _BytesSpawn = SocketSpawn


class SerialLine(_BytesSpawn):
    """A serial line as pexpect sees it, which also answers a terminal's size queries as they pass, however they are split."""

    def __init__(self, sock: socket.socket, timeout: float) -> None:
        super().__init__(sock, timeout=timeout, maxread=4096)
        self._queries = SizeQueries()

    def read_nonblocking(self, size: int = 1, timeout: float | None = -1) -> bytes:
        data: bytes = super().read_nonblocking(size, timeout)
        for answer in self._queries.answers(data):
            self.send(answer)
        return data


@contextmanager
def open_line(socket_path: Path, timeout: float, purpose: str, wait: float = 20.0) -> Iterator[SerialLine]:
    """Hold a serial line. timeout: seconds an expect may take; wait: seconds to wait for another holder.

    The line of a machine in a running lab comes from the lab's broker, any other from its socket itself.
    Raises LabError when somebody else holds it for longer than that, or when nothing listens there.
    """
    paths = brokered(socket_path)
    if paths is None:
        with hold_line(socket_path, purpose, wait):
            yield from _speaking(_connected(socket_path), timeout)
        return
    try:
        place = take_place(paths, socket_path.stem, Role.WRITE, purpose, wait)
    except Refused as refused:
        raise _held(socket_path.stem, told(refused.holder)) from None
    yield from _speaking(place.link, timeout)


def _speaking(sock: socket.socket, timeout: float) -> Iterator[SerialLine]:
    line = SerialLine(sock, timeout)
    try:
        yield line
    finally:
        line.close()


def _connected(socket_path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.connect(str(socket_path))
    except OSError as error:
        sock.close()
        raise LabError(
            UNREACHABLE.format(name=socket_path.stem),
            expected=f"a serial line at {socket_path}",
            seen=str(error),
            cure=UNREACHABLE_CURE,
        ) from error
    return sock


def _held(name: str, holder: str) -> LabError:
    return LabError(HELD.format(name=name), expected="a free serial line", seen=holder, cure=HELD_CURE)


@contextmanager
def hold_line(socket_path: Path, purpose: str, wait: float) -> Iterator[None]:
    """The right to speak on a line that no broker owns: a lock beside its socket that says who holds it."""
    path = socket_path.with_suffix(".held")
    with path.open("a+") as file:
        _lock(file, socket_path.stem, wait)
        file.truncate(0)
        json.dump({"pid": os.getpid(), "purpose": purpose, "command": " ".join(sys.argv[:3])}, file)
        file.flush()
        yield


def _lock(file: IO[str], name: str, wait: float) -> None:
    end = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > end:
                raise _held(name, _holder(file)) from None
            time.sleep(0.05)


def _holder(file: IO[str]) -> str:
    file.seek(0)
    try:
        holder = json.load(file)
    except ValueError:
        return "a process that did not give its name"
    return f"pid {holder['pid']}: {holder['purpose']} ({holder['command']})"

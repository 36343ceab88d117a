"""The one owner of a lab's serial lines: `python -m lab.console.broker LAB-DIRECTORY`, one process a lab.

QEMU lets one client on a serial line. This process is that client of every line that anybody asked for, and shares it: all see
what the machine writes, one at a time may type. It is started with the lab inside its namespace (lab.host.privileged), so it
ends with the lab, whoever else died; when it is killed itself the next one who needs a line has it started again.

A client connects to LAB-DIRECTORY/console/broker.sock and sends one line of JSON, see Asked. It is answered by one line of JSON,
see Answered; what follows is the line itself, both ways. The right to type ends with the connection, so with its process.
The record of a line is QEMU's own log file, which needs nobody: this process only reads its end.
Standard library alone: it starts in no time and lives long.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

SOCKET = "broker.sock"
PAST_BYTES = 16384
"""How much of what a machine wrote a newcomer is shown."""

BACKLOG_BYTES = 1 << 20
"""What waits for a client that does not read. Beyond this it is let go: the others must not wait for it."""

HELLO_BYTES = 4096
READ_BYTES = 65536
TICK_SECONDS = 0.2
"""How often deadlines of those who wait for a seat are looked at, while there are any."""

NOT_THERE = "the machine's serial line is not there"
BAD_HELLO = "not understood"


class Role(StrEnum):
    """WATCH: see. WRITE: see and type. TYPE: type without seeing, for one who watches already. WHO: who is there, no line."""

    WATCH = "watch"
    WRITE = "write"
    TYPE = "type"
    WHO = "who"


@dataclass(frozen=True)
class Asked:
    """line: the machine's name. purpose, command: what others are told. wait: seconds to wait for the seat."""

    role: Role
    line: str = ""
    purpose: str = ""
    command: str = ""
    wait: float = 0.0


@dataclass(frozen=True)
class Holder:
    """Who may type. pid: as the kernel says. since: seconds since 1970."""

    pid: int
    purpose: str
    command: str
    since: float


class Client:
    """One connection from the time it said what it wants."""

    def __init__(self, link: socket.socket, asked: Asked, pid: int) -> None:
        self.link, self.asked = link, asked
        self.deadline = time.monotonic() + asked.wait
        self.holder = Holder(pid, asked.purpose, asked.command, time.time())
        self.backlog = bytearray()

    @property
    def sees(self) -> bool:
        return self.asked.role in (Role.WATCH, Role.WRITE)


class Line:
    """One machine's serial line and who is at it. machine: the connection with QEMU while there is one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.machine: socket.socket | None = None
        self.past = bytearray()
        self.unsent = bytearray()
        self.writer: Client | None = None
        self.waiting: list[Client] = []
        self.there: list[Client] = []


class Broker:
    """Serves until a signal ends it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._selector = selectors.DefaultSelector()
        self._lines: dict[str, Line] = {}
        path = folder / SOCKET
        path.unlink(missing_ok=True)
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        path.chmod(0o600)
        self._server.listen(64)
        self._server.setblocking(False)
        self._watch(self._server, self._accept)

    def run(self) -> None:
        while True:
            waiting = any(line.waiting for line in self._lines.values())
            for key, events in self._selector.select(TICK_SECONDS if waiting else None):
                # What an earlier event of this round closed is not asked any more.
                if self._registered(key.fileobj):
                    key.data(events)
            for line in list(self._lines.values()):
                self._refuse_late(line)

    # -- those who come

    def _accept(self, _: int) -> None:
        with contextlib.suppress(OSError):
            link, _address = self._server.accept()
            link.setblocking(False)
            self._watch(link, lambda _events: self._hear(link))

    def _hear(self, link: socket.socket) -> None:
        """The first line of a client, which it sends in one piece."""
        try:
            data = link.recv(HELLO_BYTES)
            head, _, rest = data.partition(b"\n")
            words = json.loads(head)
            asked = Asked(**{**words, "role": Role(words["role"])})
        except (OSError, ValueError, TypeError, KeyError):
            with contextlib.suppress(OSError):
                link.send(json.dumps({"refused": BAD_HELLO}).encode() + b"\n")
            self._drop(link)
            return
        pid = struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        client = Client(link, asked, pid)
        if asked.role is Role.WHO:
            self._answer(client, lines={name: self._state(line) for name, line in self._lines.items()})
            self._drop(link)
            return
        line = self._open(asked.line)
        if line is None:
            self._answer(client, refused=NOT_THERE)
            self._drop(link)
            return
        line.there.append(client)
        self._selector.modify(link, selectors.EVENT_READ, lambda events: self._serve(line, client, events))
        if asked.role is Role.WATCH:
            self._answer(client, **self._state(line), past=len(line.past))
            self._give(line, client, bytes(line.past))
        else:
            line.waiting.append(client)
            self._seat_next(line)
        if rest:
            self._typed(line, client, rest)

    def _answer(self, client: Client, **words: object) -> None:
        client.backlog += json.dumps(words).encode() + b"\n"
        self._flush(client)

    @staticmethod
    def _state(line: Line) -> dict[str, object]:
        return {
            "holder": asdict(line.writer.holder) if line.writer else None,
            "watching": sum(client.asked.role is Role.WATCH for client in line.there),
        }

    # -- the seat

    def _seat_next(self, line: Line) -> None:
        if line.writer is None and line.waiting:
            line.writer = client = line.waiting.pop(0)
            client.holder = Holder(client.holder.pid, client.asked.purpose, client.asked.command, time.time())
            self._answer(client, granted=True)

    def _refuse_late(self, line: Line) -> None:
        for client in [each for each in line.waiting if time.monotonic() >= each.deadline]:
            self._answer(client, granted=False, **self._state(line))
            self._leave(line, client)

    def _leave(self, line: Line, client: Client) -> None:
        """Also of one who was let go already."""
        if client not in line.there:
            return
        line.there.remove(client)
        if client in line.waiting:
            line.waiting.remove(client)
        self._drop(client.link)
        if line.writer is client:
            line.writer = None
            self._seat_next(line)

    # -- bytes

    def _serve(self, line: Line, client: Client, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._flush(client)
        if events & selectors.EVENT_READ:
            try:
                data = client.link.recv(READ_BYTES)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if data:
                self._typed(line, client, data)
            else:
                self._leave(line, client)

    def _typed(self, line: Line, client: Client, data: bytes) -> None:
        """From one who has no seat it goes nowhere."""
        if line.writer is client and line.machine is not None:
            line.unsent += data
            self._push(line)

    def _push(self, line: Line) -> None:
        if line.machine is None:
            return
        with contextlib.suppress(OSError):  # that the machine is gone shows when it is read from
            del line.unsent[: line.machine.send(line.unsent)]
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if line.unsent else 0)
        self._selector.modify(line.machine, wanted, lambda events: self._from_machine(line, events))

    def _from_machine(self, line: Line, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._push(line)
        if line.machine is None or not events & selectors.EVENT_READ:
            return
        try:
            data = line.machine.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(line)
            return
        line.past += data
        del line.past[:-PAST_BYTES]
        for client in list(line.there):
            if client.sees and client not in line.waiting:
                self._give(line, client, data)

    def _give(self, line: Line, client: Client, data: bytes) -> None:
        client.backlog += data
        self._flush(client)
        if len(client.backlog) > BACKLOG_BYTES:
            self._leave(line, client)

    def _flush(self, client: Client) -> None:
        try:
            while client.backlog:
                del client.backlog[: client.link.send(client.backlog)]
        except BlockingIOError:
            pass
        except OSError:  # it shows when it is read from
            client.backlog.clear()
        key = self._registered(client.link)
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.backlog else 0)
        if key and key.events != wanted:
            self._selector.modify(client.link, wanted, key.data)

    # -- lines

    def _open(self, name: str) -> Line | None:
        """The line of a machine, None where there is none now."""
        line = self._lines.get(name)
        if line is not None and line.machine is not None:
            return line
        path = self._folder / f"{name}.sock"
        machine = socket.socket(socket.AF_UNIX)
        try:
            machine.connect(str(path))
        except OSError:
            machine.close()
            return None
        machine.setblocking(False)
        line = self._lines[name] = Line(name)
        line.machine = machine
        line.past += tail(path.with_suffix(".log"))
        self._watch(machine, lambda events: self._from_machine(line, events))
        return line

    def _close(self, line: Line) -> None:
        """The machine was switched off: everybody at its line hears it as the end of the line."""
        if line.machine is not None:
            self._drop(line.machine)
            line.machine = None
        del self._lines[line.name]
        line.waiting.clear()
        for client in list(line.there):
            self._leave(line, client)

    def _registered(self, link: Any) -> selectors.SelectorKey | None:
        """A closed socket has no place there either."""
        try:
            return self._selector.get_key(link)
        except (KeyError, ValueError):
            return None

    def _watch(self, link: socket.socket, data: Callable[[int], None]) -> None:
        self._selector.register(link, selectors.EVENT_READ, data)

    def _drop(self, link: socket.socket) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(link)
        link.close()


def tail(log: Path) -> bytes:
    """The last PAST_BYTES of a log, nothing where there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(os.fstat(file.fileno()).st_size - PAST_BYTES, 0))
            return file.read()
    except OSError:
        return b""


def main(root: str) -> None:
    """Never returns but by SIGTERM."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    broker = Broker(Path(root) / "console")
    os.chdir("/")
    broker.run()


if __name__ == "__main__":
    main(sys.argv[1])

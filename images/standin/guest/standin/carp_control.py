"""The Unix socket on which the CARP daemon is told and asked: one JSON object a line, one answer a line."""

from __future__ import annotations

import json
import os
import selectors
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

Answer = dict[str, Any]
Handler = Callable[[dict[str, Any]], Answer]

_LINE_LIMIT = 1 << 20

NOT_AN_OBJECT = "expected one JSON object on a line, saw: {line}"


class RefusedRequestError(Exception):
    """A request that asks for something impossible; its text is the answer's `error`."""


class ControlServer:
    """Accepts and answers within the caller's selector; keys carry a callable without arguments as data."""

    def __init__(self, path: Path, selector: selectors.BaseSelector, handler: Handler) -> None:
        self._path, self._selector, self._handler = path, selector, handler
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        umask = os.umask(0o177)  # requests carry passwords
        try:
            self._socket.bind(str(path))
        finally:
            os.umask(umask)
        self._socket.listen(8)
        self._selector.register(self._socket, selectors.EVENT_READ, self._accept)

    def close(self) -> None:
        self._selector.unregister(self._socket)
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        try:
            link, _ = self._socket.accept()
        except BlockingIOError:
            return
        link.setblocking(False)
        buffer = bytearray()
        self._selector.register(link, selectors.EVENT_READ, lambda: self._read(link, buffer))

    def _read(self, link: socket.socket, buffer: bytearray) -> None:
        try:
            data = link.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        buffer += data
        while (end := buffer.find(b"\n")) >= 0:
            line = bytes(buffer[:end])
            del buffer[: end + 1]
            if not self._reply(link, self._answer(line)):
                data = b""
        if not data or len(buffer) > _LINE_LIMIT:
            self._selector.unregister(link)
            link.close()

    def _answer(self, line: bytes) -> Answer:
        try:
            request = json.loads(line)
        except ValueError:
            request = None
        if not isinstance(request, dict):
            return {"error": NOT_AN_OBJECT.format(line=line[:80].decode(errors="replace"))}
        try:
            return self._handler(request)
        except RefusedRequestError as refusal:
            return {"error": str(refusal)}

    @staticmethod
    def _reply(link: socket.socket, answer: Answer) -> bool:
        """False when the asker does not take its answer: the daemon waits for nobody."""
        try:
            data = json.dumps(answer).encode() + b"\n"
            return link.send(data) == len(data)
        except OSError:
            return False

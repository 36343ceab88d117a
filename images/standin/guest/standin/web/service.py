"""The child that serves the web interface: TLS, one process a connection, and an end when nobody comes any more."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import socket
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.console.catalogue.text import STANDIN
from standin.places import Places
from standin.web.http import Refusal, Request, Response, read_request
from standin.xmlrpc.config_array import parse
from standin.xmlrpc.node import RealNode
from standin.xmlrpc.php import Array, text_at
from standin.xmlrpc.server import SCRIPT, Caller, Server

if TYPE_CHECKING:
    import ssl

IDLE_SECONDS = 300.0
"""How long this process stays for another connection: a browser's next click need not wait for a start."""
REQUEST_SECONDS = 60.0
"""How long a client may be silent within its request (nginx: client_header_timeout, client_body_timeout)."""
AT_ONCE = 8
NICENESS = 5
"""Packets and CARP come first."""

XML = "text/xml; charset=utf-8"
PHP = "php-fpm"
REFUSED = "<html><head><title>{status} {reason}</title></head><body><h1>{status} {reason}</h1></body></html>\n"


class Service:
    """places: of this node. The lock that lets one XML-RPC call in at a time is pfSense's: a file, waited for without limit."""

    def __init__(self, places: Places, request_seconds: float = REQUEST_SECONDS) -> None:
        self._places, self._request_seconds = places, request_seconds

    def serve(self, door: socket.socket, idle_seconds: float = IDLE_SECONDS) -> None:
        """Accept until nobody has come for a while."""
        os.nice(NICENESS)
        config = parse(self._places.config.read_bytes())
        context = self._context(config) if text_at(config, "system", "webgui", "protocol") != "http" else None
        children: set[int] = set()
        door.setblocking(False)
        last = time.monotonic()
        while children or time.monotonic() - last < idle_seconds:
            ready = len(children) < AT_ONCE and select.select([door], [], [], 1.0 if children else idle_seconds)[0]
            if ready:
                with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
                    link, (address, _) = door.accept()
                    children.add(self._child(door, link, address, context))
                    link.close()
                    last = time.monotonic()
            elif children:
                time.sleep(0.05)
            children -= _reaped(children)

    def _child(self, door: socket.socket, link: socket.socket, address: str, context: ssl.SSLContext | None) -> int:
        pid = os.fork()
        if pid:
            return pid
        try:
            door.close()
            self.talk(link, address, context)
        except Exception:
            report()
        finally:
            os._exit(0)

    def talk(self, link: socket.socket, address: str, context: ssl.SSLContext | None) -> None:
        """One connection: one request, one answer."""
        link.settimeout(self._request_seconds)
        try:
            stream = context.wrap_socket(link, server_side=True) if context else link
        except OSError:  # no TLS, or gone
            return
        try:
            request = read_request(stream)
            if request is None:
                return
            answer = self.answer(request, address)
        except Refusal as refusal:
            answer = refused(refusal.status)
        except TimeoutError:
            answer = refused(408)
        except Exception:  # the client is told, the log knows why
            report()
            answer = refused(500)
        with contextlib.suppress(OSError):
            stream.sendall(answer.encode())
            stream.shutdown(socket.SHUT_WR)
        stream.close()

    def answer(self, request: Request, address: str) -> Response:
        """Raises Refusal."""
        if request.path == SCRIPT:
            return Response(body=self._xmlrpc(request, address), kind=XML)
        from standin.web.gui import Gui

        return Gui(self._places).answer(request, address)

    def _xmlrpc(self, request: Request, address: str) -> bytes:
        user, password = request.login
        node = RealNode(self._places, SCRIPT, PHP)
        with one_call(self._places):
            return Server(node, Caller(address, user, password), STANDIN).answer(request.body)

    def _context(self, config: Array) -> ssl.SSLContext:
        import ssl

        from standin.web.certificate import certificate

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(*certificate(self._places, config))
        return context


@contextlib.contextmanager
def one_call(places: Places) -> Iterator[None]:
    """lock('xmlrpc', LOCK_EX): whoever holds it is waited for."""
    places.xmlrpc_lock.parent.mkdir(parents=True, exist_ok=True)
    with places.xmlrpc_lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def report() -> None:
    """The exception being handled, for the daemons' log."""
    from traceback import format_exc

    os.write(2, format_exc().encode())


def refused(status: int) -> Response:
    return Response(status, REFUSED.format(status=status, reason=Refusal(status)).encode())


def _reaped(children: set[int]) -> set[int]:
    return {pid for pid in children if os.waitpid(pid, os.WNOHANG)[0]}

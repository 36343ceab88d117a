"""One HTTP POST to the other node. Its certificate is not checked, as pfSense does not check it."""

from __future__ import annotations

import errno
import os
import socket
from base64 import b64encode

from standin.xmlrpc.sync import NoConnectionError, NotXmlRpcError, Peer

CONNECT_SECONDS = 75.0
"""FreeBSD's net.inet.tcp.keepinit: how long a SYN may stay without answer."""
ANSWER_SECONDS = 900.0

HEAD = (
    "POST /xmlrpc.php HTTP/1.0\r\nHost: {host}:{port}\r\nAuthorization: Basic {login}\r\n"
    "Content-Type: text/xml; charset=utf-8\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
)
"""1.0: the answer then comes in one piece, whatever server it is."""
NO_CONNECTION = "Unable to connect to {scheme}://{host}:{port}. Error: {reason}"
ENDED = "Malformed response: {line}"
BAD_STATUS = "Received non-200 HTTP Code: {status}. Response body:{body}"
TIMED_OUT = "Operation timed out"


def post(peer: Peer, body: bytes) -> bytes:
    """Raises NoConnectionError, NotXmlRpcError."""
    login = b64encode(f"{peer.user}:{peer.password}".encode()).decode()
    head = HEAD.format(host=peer.host, port=peer.port, login=login, length=len(body))
    with _connect(peer) as link:
        try:
            link.sendall(head.encode() + body)
            answer = _read_all(link)
        except OSError as error:
            raise NoConnectionError(reason_of(error)) from None
    start, _, content = answer.partition(b"\r\n\r\n")
    words = start.split(b"\r\n", 1)[0].decode(errors="replace").split()
    if len(words) < 2 or not words[0].startswith("HTTP/"):
        raise NotXmlRpcError(ENDED.format(line=" ".join(words)))
    if words[1] != "200":
        raise NotXmlRpcError(BAD_STATUS.format(status=words[1], body=content.decode(errors="replace")))
    return content


def _connect(peer: Peer) -> socket.socket:
    scheme = "tls" if peer.tls else "tcp"
    try:
        link = socket.create_connection((peer.host, peer.port), CONNECT_SECONDS)
        link.settimeout(ANSWER_SECONDS)
        if not peer.tls:
            return link
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(link)
    except OSError as error:
        reason = reason_of(error)
        raise NoConnectionError(
            NO_CONNECTION.format(scheme=scheme, host=peer.host, port=peer.port, reason=reason)
        ) from None


def reason_of(error: OSError) -> str:
    """In FreeBSD's words."""
    if isinstance(error, TimeoutError) or error.errno == errno.ETIMEDOUT:
        return TIMED_OUT
    # Failures of TLS and of name resolution have numbers of their own.
    of_the_system = error.errno in errno.errorcode and type(error).__module__ != "ssl"
    return os.strerror(error.errno or 0) if of_the_system else str(error)


def _read_all(link: socket.socket) -> bytes:
    pieces = []
    while data := link.recv(65536):
        pieces.append(data)
    return b"".join(pieces)

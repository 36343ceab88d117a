"""As much of HTTP/1.1 as a configuration sync and a browser at one page need: one request, one answer, then the connection ends."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

HEAD_LIMIT = 1 << 14
BODY_LIMIT = 1 << 23
"""Bytes. pfSense's nginx takes 200 MB; the largest section of a real configuration stays far below this."""

REASONS = {
    200: "OK",
    302: "Found",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Not Allowed",
    408: "Request Time-out",
    411: "Length Required",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
}
ALWAYS = (
    "Server: uranus-standin",
    "Connection: close",
    "X-Frame-Options: SAMEORIGIN",
    "X-Content-Type-Options: nosniff",
)


class Refusal(Exception):
    """The request is answered with this status and nothing is done."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(REASONS[status])


class Reader(Protocol):
    def recv(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class Request:
    """headers: by name in lower case. path: without the query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def login(self) -> tuple[str, str]:
        """User and password of Basic authentication, two empty strings without it."""
        scheme, _, word = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return "", ""
        try:
            user, _, password = b64decode(word, validate=True).decode().partition(":")
        except (Base64Error, UnicodeDecodeError):
            return "", ""
        return user, password

    def cookie(self, name: str) -> str:
        pairs = (each.strip().partition("=") for each in self.headers.get("cookie", "").split(";"))
        return next((value for key, _, value in pairs if key == name), "")

    def form(self) -> dict[str, str]:
        """A body as a browser sends it, fields by name, the last of each name."""
        if not self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return {}
        pairs = (each.partition("=") for each in self.body.decode(errors="replace").split("&"))
        return {_unquote(key): _unquote(value) for key, _, value in pairs}


@dataclass(frozen=True)
class Response:
    status: int = 200
    body: bytes = b""
    kind: str = "text/html; charset=utf-8"
    headers: tuple[str, ...] = field(default=())

    def encode(self) -> bytes:
        lines = (
            f"HTTP/1.1 {self.status} {REASONS[self.status]}",
            *ALWAYS,
            f"Content-Type: {self.kind}",
            f"Content-Length: {len(self.body)}",
            *self.headers,
        )
        return "\r\n".join((*lines, "", "")).encode() + self.body


def read_request(source: Reader) -> Request | None:
    """The request that comes, None when the other end left before it was whole. Raises Refusal; TimeoutError passes through."""
    data = b""
    while b"\r\n\r\n" not in data:
        if len(data) > HEAD_LIMIT:
            raise Refusal(400)
        piece = source.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise Refusal(400)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    if "transfer-encoding" in headers:
        raise Refusal(411)
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise Refusal(400)
    if int(length) > BODY_LIMIT:
        raise Refusal(413)
    while len(body) < int(length):
        piece = source.recv(65536)
        if not piece:
            return None
        body += piece
    return Request(words[0], words[1].partition("?")[0], headers, body[: int(length)])


def _unquote(text: str) -> str:
    pieces = text.replace("+", " ").encode().split(b"%")
    plain = pieces[0]
    for piece in pieces[1:]:
        try:
            plain += bytes([int(piece[:2], 16)]) + piece[2:]
        except ValueError:
            plain += b"%" + piece
    return plain.decode(errors="replace")

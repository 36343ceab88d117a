"""Requests as they come off the wire: in pieces, too long, not whole."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from standin.places import Places
from standin.web.http import BODY_LIMIT, Refusal, Request, Response, read_request
from standin.web.service import Service


class Pieces:
    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)

    def recv(self, _: int) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


def test_a_request_in_pieces() -> None:
    found = read_request(
        Pieces(b"POST /xmlrpc.php?x HT", b"TP/1.1\r\nContent-Len", b"gth: 6\r\n\r\nab", b"cd", b"efgh")
    )
    assert found == Request("POST", "/xmlrpc.php", {"content-length": "6"}, b"abcdef")


@pytest.mark.parametrize("cut", [b"", b"POST / HT", b"POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\nab"])
def test_a_client_that_leaves_is_no_request(cut: bytes) -> None:
    assert read_request(Pieces(cut)) is None


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"x" * 20000, 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (f"POST / HTTP/1.1\r\nContent-Length: {BODY_LIMIT + 1}\r\n\r\n".encode(), 413),
    ],
)
def test_a_bad_request_is_refused(data: bytes, status: int) -> None:
    with pytest.raises(Refusal) as refusal:
        read_request(Pieces(data, data))
    assert refusal.value.status == status


def test_basic_authentication_cookies_and_forms() -> None:
    headers = {"authorization": "Basic YWRtaW46YTpi", "cookie": "x=1; PHPSESSID=abc"}
    request = Request("GET", "/", headers, b"")
    assert (request.login, request.cookie("PHPSESSID"), request.cookie("y")) == (("admin", "a:b"), "abc", "")
    assert Request("GET", "/", {"authorization": "Basic %%"}, b"").login == ("", "")
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert Request("POST", "/", form, b"a=1+2%26%C3%A9&b=%zz").form() == {"a": "1 2&é", "b": "%zz"}


def test_a_client_that_stalls_is_sent_away(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    service = Service(Places(tmp_path), request_seconds=0.2)
    thread = threading.Thread(target=service.talk, args=(ours, "10.0.0.1", None))
    thread.start()
    theirs.sendall(b"POST /xmlrpc.php HTTP/1.1\r\nContent-Length: 50\r\n\r\n<methodCall>")
    assert theirs.recv(4096).startswith(b"HTTP/1.1 408 Request Time-out\r\n")
    thread.join()
    theirs.close()


def test_a_failure_of_ours_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(b"POST /xmlrpc.php HTTP/1.1\r\nContent-Length: 81\r\n\r\n")
    theirs.sendall(b"<methodCall><methodName>pfsense.reboot</methodName><params></params></methodCall>")
    Service(Places(tmp_path)).talk(ours, "10.0.0.1", None)  # there is no config.xml
    assert theirs.recv(4096).startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert "config.xml" in capfd.readouterr().err
    theirs.close()


def test_an_answer_names_its_length() -> None:
    assert b"Content-Length: 2\r\n" in Response(body=b"ok").encode()

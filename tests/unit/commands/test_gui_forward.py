"""The forwarder of `lab.gui`: carries bytes both ways, and ends with its lab."""

from __future__ import annotations

import socket
import threading

import pytest

from lab.commands import gui
from lab.commands.gui import forward


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gui, "LOOK_SECONDS", 0.02)


def test_bytes_go_both_ways_and_it_ends_with_the_lab() -> None:
    with socket.create_server(("127.0.0.1", 0)) as far, socket.create_server(("127.0.0.1", 0)) as front:
        there, gone = far.getsockname(), threading.Event()
        ends = threading.Thread(
            target=forward, args=(front, lambda: socket.create_connection(there), lambda: not gone.is_set())
        )
        ends.start()
        with socket.create_connection(front.getsockname()) as near:
            server, _ = far.accept()
            with server:
                near.sendall(b"question")
                assert server.recv(100) == b"question"
                server.sendall(b"answer")
                assert near.recv(100) == b"answer"
        gone.set()
        ends.join(10.0)
        assert not ends.is_alive()

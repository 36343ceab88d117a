"""The owner of a lab's serial lines lives in the lab's namespace: it outlives commands, and ends with the lab whoever else died."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from lab.console.line import open_line
from lab.errors import LabError
from lab.host import serial_lines
from lab.host.world import World
from lab.paths import LabPaths

pytestmark = pytest.mark.wire


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(LabPaths(tmp_path / "lines"))
    made.create(())
    made.paths.record.write_text("{}")
    yield made
    made.destroy()


def brokers(world: World) -> list[int]:
    return [each.pid for each in world.processes() if serial_lines.PROGRAM in each.command]


def alive(pid: int) -> bool:
    """A zombie that nobody reaps is not."""
    try:
        os.readlink(f"/proc/{pid}/exe")  # noqa: PTH115
    except OSError:
        return False
    return True


def echo(path: Path) -> None:
    """A machine that answers every byte with itself."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(1)

    def serve() -> None:
        with suppress(OSError):
            while True:
                line, _ = listener.accept()
                while data := line.recv(4096):
                    line.sendall(data)

    threading.Thread(target=serve, daemon=True).start()


def test_it_is_there_once_survives_its_starter_and_ends_with_the_lab(world: World) -> None:
    world.start_broker()
    world.start_broker()
    (pid,) = brokers(world)
    assert os.stat(f"/proc/{pid}").st_uid == os.getuid()  # noqa: PTH116
    world.destroy()
    assert not alive(pid)
    assert not (world.paths.root / "console" / serial_lines.SOCKET).exists()


def test_a_killed_one_is_started_again_by_the_next_who_needs_a_line(world: World) -> None:
    world.start_broker()
    echo(world.paths.console_socket("master"))
    with open_line(world.paths.console_socket("master"), 10, "first") as line:
        line.send("abc")
        line.expect_exact("abc")
        with (
            pytest.raises(LabError, match=f"first .*pid {os.getpid()}"),
            open_line(world.paths.console_socket("master"), 10, "second", wait=0.2),
        ):
            pass
    (pid,) = brokers(world)
    os.kill(pid, signal.SIGKILL)
    while alive(pid):
        time.sleep(0.01)
    with open_line(world.paths.console_socket("master"), 10, "third") as line:
        line.send("def")
        line.expect_exact("def")
    assert brokers(world) not in ([], [pid])


def test_a_line_that_is_not_there_is_told_as_such(world: World) -> None:
    with (
        pytest.raises(LabError, match="cannot be reached"),
        open_line(world.paths.console_socket("nobody"), 5, "test"),
    ):
        pass

"""The owner of serial lines, as a process of its own, between people, drivers and a machine that is only a socket."""

from __future__ import annotations

import os
import pty
import select
import signal
import socket
import subprocess
import sys
import time
import tty
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lab.console.broker import PAST_BYTES, Role
from lab.console.seat import Place, Refused, lines, own_command, take_place, told
from lab.console.viewer import Viewer
from lab.errors import LabError
from lab.host import serial_lines
from lab.host.world import World
from lab.paths import LabPaths, project_root

LIMIT = 30.0

HOLDER = """
import sys, time
from lab.console.broker import Role
from lab.console.seat import take_place
from lab.paths import LabPaths
from pathlib import Path
place = take_place(LabPaths(Path(sys.argv[1])), "master", Role.WRITE, "a driver")
print("seated", flush=True)
time.sleep(600)
"""


@dataclass
class Machine:
    """QEMU's side of one serial line: one client at a time."""

    path: Path
    listener: socket.socket = field(default_factory=lambda: socket.socket(socket.AF_UNIX))
    line: socket.socket | None = None

    def __post_init__(self) -> None:
        self.listener.bind(str(self.path))
        self.listener.listen(1)
        self.listener.settimeout(LIMIT)

    def connected(self) -> socket.socket:
        if self.line is None:
            self.line, _ = self.listener.accept()
            self.line.settimeout(LIMIT)
        return self.line

    def off(self) -> None:
        if self.line:
            self.line.close()
        self.listener.close()
        self.path.unlink(missing_ok=True)


@dataclass
class Desk:
    """A lab's directory with a broker at work in it."""

    paths: LabPaths
    broker: subprocess.Popen[bytes]

    def start(self) -> None:
        self.broker = subprocess.Popen(
            [sys.executable, "-m", serial_lines.PROGRAM, str(self.paths.root)], cwd=project_root()
        )
        until(lambda: serial_lines.answers(self.paths))

    def place(self, role: Role, purpose: str = "somebody", wait: float = 0.0) -> Place:
        return take_place(self.paths, "master", role, purpose, wait)


def until(condition: object) -> None:
    assert callable(condition)
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def read(link: socket.socket, wanted: bytes) -> bytes:
    """Everything up to and with `wanted`."""
    link.settimeout(LIMIT)
    found = b""
    while wanted not in found:
        data = link.recv(65536)
        assert data, f"the line ended after {found!r}"
        found += data
    return found


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    paths = LabPaths(tmp_path / "lab")
    (paths.root / "console").mkdir(parents=True)
    made = Desk(paths, subprocess.Popen(["true"]))
    made.broker.wait()
    monkeypatch.setattr(World, "start_broker", lambda world: made.start())
    made.start()
    yield made
    made.broker.kill()
    made.broker.wait()


@pytest.fixture
def machine(desk: Desk) -> Iterator[Machine]:
    desk.paths.console_log("master").write_bytes(b"x" * PAST_BYTES + b"an old line\r\nlogin: ")
    made = Machine(desk.paths.console_socket("master"))
    yield made
    made.off()


def test_all_see_the_line_and_what_was_before_and_one_types(desk: Desk, machine: Machine) -> None:
    driver = desk.place(Role.WRITE, "exec")
    machine.connected().sendall(b"hello ")
    assert read(driver.link, b"hello ") == b"hello "
    viewers = [desk.place(Role.WATCH) for _ in range(3)]
    for viewer in viewers:
        assert viewer.holder is not None
        assert (viewer.holder.purpose, viewer.holder.pid) == ("exec", os.getpid())
        seen = read(viewer.link, b"hello ")
        assert len(seen) == viewer.past == PAST_BYTES
        assert seen.endswith(b"an old line\r\nlogin: hello ")
    machine.connected().sendall(b"world")
    assert [read(place.link, b"world") for place in (driver, *viewers)] == [b"world"] * 4
    viewers[0].link.sendall(b"not me")
    driver.link.sendall(b"me")
    assert read(machine.connected(), b"me") == b"me"


def test_the_second_is_told_who_types_and_since_when(desk: Desk, machine: Machine) -> None:
    before = time.time()
    first = desk.place(Role.WRITE, "lab.exec")
    with pytest.raises(Refused) as refused:
        desk.place(Role.TYPE)
    holder = refused.value.holder
    assert (holder.purpose, holder.pid) == ("lab.exec", os.getpid())
    assert before - 1 <= holder.since <= time.time()
    assert f"pid {os.getpid()}, since " in told(holder)
    assert lines(desk.paths) == {"master": holder}
    first.link.close()
    until(lambda: lines(desk.paths) == {"master": None})
    desk.place(Role.TYPE)


def test_a_command_is_named_as_it_was_typed() -> None:
    assert (
        own_command(["/x/invoke", "--search-root", "/lab", "lab.exec", "master", "a b", "--name", "n"])
        == "lab.exec master"
    )
    assert own_command(["/x/python", "-m", "drive"]) == "python -m drive"


def test_who_waits_is_next(desk: Desk, machine: Machine) -> None:
    first = desk.place(Role.WRITE, "the first")
    second = subprocess.Popen(
        [sys.executable, "-c", HOLDER.replace('"a driver")', '"a driver", 60.0)'), str(desk.paths.root)],
        cwd=project_root(), stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert second.stdout is not None
        assert not select.select([second.stdout], [], [], 0.5)[0]
        first.link.close()
        assert second.stdout.readline() == b"seated\n"
        with pytest.raises(Refused, match=f"a driver .*pid {second.pid}"):
            desk.place(Role.WRITE, wait=0.3)
    finally:
        second.kill()
        second.communicate()


def test_a_killed_writer_frees_the_seat(desk: Desk, machine: Machine) -> None:
    driver = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(desk.paths.root)], cwd=project_root(), stdout=subprocess.PIPE
    )
    assert driver.stdout is not None
    assert driver.stdout.readline() == b"seated\n"
    with pytest.raises(Refused):
        desk.place(Role.WRITE)
    driver.send_signal(signal.SIGKILL)
    driver.communicate()
    desk.place(Role.WRITE, wait=LIMIT)


def test_a_viewer_that_does_not_read_holds_nobody_up(desk: Desk, machine: Machine) -> None:
    sleeper, driver = desk.place(Role.WATCH), desk.place(Role.WRITE)
    block, count = b"y" * 65536, 64
    for _ in range(count):
        machine.connected().sendall(block)
        left = len(block)
        while left:
            left -= len(driver.link.recv(left))
    assert sum(iter(lambda: len(sleeper.link.recv(65536)), 0)) < count * len(block)


def test_a_machine_that_is_switched_off_ends_its_line_and_another_begins(desk: Desk, machine: Machine) -> None:
    viewer, driver = desk.place(Role.WATCH), desk.place(Role.WRITE)
    machine.connected()
    machine.off()
    for place in (viewer, driver):
        while place.link.recv(65536):
            pass
    with pytest.raises(LabError, match="cannot be reached"):
        desk.place(Role.WRITE)
    again = Machine(desk.paths.console_socket("master"))
    try:
        place = desk.place(Role.WRITE)
        again.connected().sendall(b"booting")
        assert read(place.link, b"booting")
    finally:
        again.off()


def test_a_killed_broker_comes_back_with_the_next_who_asks(desk: Desk, machine: Machine) -> None:
    place = desk.place(Role.WRITE)
    machine.connected()
    desk.broker.kill()
    desk.broker.wait()
    assert place.link.recv(1) == b""
    assert lines(desk.paths) == {}
    machine.line = None
    again = desk.place(Role.WRITE)
    machine.connected().sendall(b"still here")
    assert read(again.link, b"still here")


def test_nonsense_is_refused_and_harms_nobody(desk: Desk, machine: Machine) -> None:
    for words in (b"\n", b"[1]\n", b'{"role": "king"}\n', b'{"role": "write", "line": "../../x"}\n'):
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(desk.paths.root / "console" / serial_lines.SOCKET))
            link.sendall(words)
            assert b"refused" in read(link, b"\n")
    desk.place(Role.WRITE)


def test_a_viewer_types_only_with_the_seat(desk: Desk, machine: Machine) -> None:
    """A terminal that answers the machine's question for its size has not typed."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    held = desk.place(Role.WRITE, "a driver")
    machine.connected()
    pid = os.fork()
    if pid == 0:
        try:
            held.link.close()
            viewer = Viewer(desk.paths, "master")
            viewer.run(slave, slave)
        finally:
            os._exit(0)
    terminal = os.fdopen(master, "r+b", buffering=0)

    def shown(wanted: bytes) -> bytes:
        found = b""
        while wanted not in found:
            assert select.select([terminal], [], [], LIMIT)[0], found
            found += terminal.read(4096)
        return found

    try:
        shown(b"login: ")
        terminal.write(b"\x1b[24;80R")
        assert not select.select([terminal], [], [], 0.5)[0]
        terminal.write(b"a")
        assert b"[held by a driver (" in shown(b"go nowhere")
        held.link.close()
        until(lambda: lines(desk.paths) == {"master": None})
        terminal.write(b"b")
        assert read(machine.connected(), b"b") == b"b"
        terminal.write(b"\x1d")
        assert os.waitpid(pid, 0)[1] == 0
        pid = 0
        until(lambda: lines(desk.paths) == {"master": None})
    finally:
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

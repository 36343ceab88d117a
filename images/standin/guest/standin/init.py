"""Process 1: boots the firewall, keeps its console, its CARP daemon and its command server alive, ends the machine."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from lab.console.catalogue.text import STANDIN
from standin import apply, cluster, console, control, power
from standin.boot import Boot
from standin.commands import preload, run_command
from standin.places import Places
from standin.state_sync import take_charge_command
from standin.stood_still import LOOK, StoodStill
from standin.system import RealSystem
from standin.terminal import FileTerminal, Speaker
from standin.web.door import Door
from standin.xmlnode import SettingsError

CONSOLE = "/dev/ttyS0"
LATER = Path("/etc/uranus/later")
REAL_TIME_BUDGET = Path("/proc/sys/kernel/sched_rt_runtime_us")
"""Lifted. A firewall put back from a checkpoint was seen with its daemon ready to run and kept from the processor for as long as the
checkpoint was old. What fits is that the kernel had booked that time to it: it makes real-time processes wait that used up their share."""

REHEARSAL_NIC = "vtnet0"
KEPT_SIGNALS = (signal.SIGCHLD, signal.SIGHUP, power.REBOOT, power.HALT, power.REROOT)
# Seconds that programs get between "please end" and "end".
GRACE = 1.0


class Init:
    """The children of process 1, and what to do when one of them ends."""

    def __init__(self, places: Places, device: str) -> None:
        self._places, self._device = places, device
        self._system = RealSystem(places, STANDIN)
        self._carpd = 0
        self._console = 0
        self._console_started = 0.0
        self._pending: set[int] = set()
        self._door: Door | None = None
        # Where another line is the console, this is no machine of its own, and the clock is somebody else's.
        self._clock = StoodStill() if device == CONSOLE else None

    def run(self) -> None:
        """Boot, then serve for ever."""
        os.environ["PATH"] = os.defpath = "/usr/sbin:/usr/bin:/sbin:/bin"
        reader, writer = socket.socketpair()
        for end in (reader, writer):
            end.setblocking(False)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        for number in KEPT_SIGNALS:
            signal.signal(number, self._note)
        server = control.listen(self._places.control_socket)
        # Before CARP is switched on at the end of the boot: nothing may compete with a take-over.
        preload()
        if LATER.exists():
            fork(lambda: os.execv(LATER, [str(LATER)]), self._places.daemon_log)
        self._boot()
        self._start_console()
        poller = select.poll()
        poller.register(server, select.POLLIN)
        poller.register(reader, select.POLLIN)
        while True:
            self._watch_door(poller)
            for descriptor, _ in poller.poll(LOOK * 1000 if self._clock else None):
                if descriptor == server.fileno():
                    control.accept_and_fork(server, lambda argv: run_command(argv, self._places))
                elif descriptor == reader.fileno():
                    reader.recv(4096)
                elif self._door:
                    poller.unregister(self._door.socket)
                    self._door.knock(lambda body: fork(body, self._places.daemon_log))
            self._act_on_signals()
            now = self._clock.noticed() if self._clock else None
            if now:
                time.clock_settime(time.CLOCK_REALTIME, now)

    def _boot(self) -> None:
        self._places.booting.parent.mkdir(parents=True, exist_ok=True)
        self._places.booting.touch()
        try:
            Boot(self._places, Speaker(FileTerminal(), STANDIN), self.start_carpd).run()
        except Exception:
            report()
        self._places.booting.unlink(missing_ok=True)
        if not self._places.config.exists():
            return  # nothing says who may log in
        try:
            self._door = Door(apply.load(self._places).webgui_port, self._serve_web)
        except (OSError, SettingsError):
            report()

    def _serve_web(self, door: socket.socket) -> None:
        from standin.web.service import Service

        self._places.web_pid.write_text(f"{os.getpid()}\n")
        Service(self._places).serve(door)

    def _watch_door(self, poller: select.poll) -> None:
        if self._door and not self._door.pid:
            poller.register(self._door.socket, select.POLLIN)

    def start_carpd(self) -> None:
        """Fork the CARP daemon; it opens its socket by itself. CARP stays off until the end of the boot."""
        log = str(self._places.system_log)
        self._places.system_log.parent.mkdir(parents=True, exist_ok=True)

        def body() -> None:
            from standin import carpd, rehearsal

            rehearsal.rehearse(REHEARSAL_NIC)
            # FreeBSD's CARP is in its kernel: nothing that a process does makes it wait. Its children start as usual.
            REAL_TIME_BUDGET.write_text("-1")
            os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
            options = ["--allow", "0", "--run-dir", str(self._places.run), "--log", log]
            os._exit(carpd.main([*options, "--on-master", take_charge_command(self._places.run)]))

        self._carpd = fork(body, self._places.daemon_log)
        (self._places.run / "carpd.pid").write_text(f"{self._carpd}\n")

    def _start_console(self) -> None:
        self._console_started = time.monotonic()

        def body() -> None:
            console.serve(self._device, self._system)

        self._console = fork(body)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._pending.add(number)

    def _act_on_signals(self) -> None:
        pending, self._pending = self._pending, set()
        if power.REBOOT in pending:
            end_machine("reboot")
        if power.HALT in pending:
            end_machine("poweroff")
        if power.REROOT in pending:
            end_all()
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
        if signal.SIGHUP in pending:
            fork(lambda: apply.apply_leases(self._places), self._places.daemon_log)
        self._reap()

    def _reap(self) -> None:
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._console:
                console.pause_if_hasty(self._console_started)
                self._start_console()
            if self._door and self._door.ended(pid):
                self._places.web_pid.unlink(missing_ok=True)
                continue
            if pid == self._carpd:
                self.start_carpd()
                fork(self._restore_carp, self._places.daemon_log)

    def _restore_carp(self) -> None:
        """The CARP daemon died: bring its successor to where it was."""
        cluster.wait_for_daemon()
        cluster.enable(self._places, apply.load(self._places))


def fork(body: Callable[[], None], log: Path | None = None) -> int:
    """Run `body` in a child, with default signals; its pid.

    log: where it writes, and what it starts; without one it may write on the console. What it raises is written too.
    """
    pid = os.fork()
    if pid:
        return pid
    code = 0
    try:
        control.reset_signals()
        if log:
            _write_to(log)
        body()
    except BaseException:
        report()
        code = 1
    finally:
        os._exit(code)


def _write_to(log: Path) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number in (1, 2):
        os.dup2(descriptor, number)
    os.close(descriptor)


def report() -> None:
    """The exception being handled, on standard error."""
    from traceback import format_exc

    os.write(2, format_exc().encode())


def end_machine(how: str) -> None:
    """Stop every program, flush the disks, and go. how: `reboot` or `poweroff`."""
    end_all()
    os.sync()
    os.execvp("busybox", ["busybox", how, "-f"])


def end_all() -> None:
    """End every other process."""
    for number, seconds in ((signal.SIGTERM, GRACE), (signal.SIGKILL, 0.0)):
        with contextlib.suppress(ProcessLookupError):  # nobody else is left
            os.kill(-1, number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and _others_left():
            time.sleep(0.02)


def _others_left() -> bool:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def main(device: str = CONSOLE) -> None:
    """Never returns as process 1. A failure outside everything else leaves a shell, so that the disk can be looked at."""
    try:
        Init(Places(), device).run()
    except BaseException:
        report()
        os.execvp("/bin/sh", ["sh"])

"""The CARP daemon of the stand-in: the engine of lab.carp on real NICs.

    python3 -S -m standin.carpd [--run-dir DIR] [--log FILE] [--allow 0] [--on-master COMMAND]

Adverts and announcements leave through AF_PACKET; the addresses of a VHID stand on a macvlan with the virtual MAC
while it is MASTER. The clock is CLOCK_MONOTONIC. SIGTERM ends it and removes the macvlans; there is no farewell
advert, as FreeBSD has none.
"""

from __future__ import annotations

import argparse
import os
import selectors
import signal
import socket
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from lab.carp.engine import Host
from lab.carp.events import ENXIO, MASTER, AddressAdd, Event, InterfaceNew, LinkChange, Receive, Sent, Sysctl
from lab.carp.outcomes import Devd, Done, Garp, Log, Outcome, Tx
from lab.carp.packet import garp_frame

from .advert_socket import AdvertSocket
from .carp_config import Vip, changes, group
from .carp_control import ControlServer
from .carp_requests import CarpRequests
from .link_watch import LinkWatch
from .netlink import Rtnetlink
from .on_master import OnMaster
from .system_log import SystemLog
from .virtual_mac import VirtualMacs, prepare_arp

SOCKET_NAME = "carpd.sock"

_STALL = 250_000  # microseconds; a wake-up later than this means that the machine stood still
_GRACE = 0.05  # seconds; after such a stall adverts that came meanwhile may be read before timers fire

CANNOT_LISTEN = "carp: {nic}: adverts cannot be received: {reason}"
CANNOT_RAISE = "carp: {nic}: virtual MAC of vhid {vhid} is not possible: {reason}"


class Carpd:
    """One node's CARP: engine, sockets and macvlans, driven by one selector."""

    def __init__(self, log: SystemLog, on_master: str = "") -> None:
        self.selector = selectors.DefaultSelector()
        self.host = Host(lambda: int.from_bytes(os.urandom(8), "big"), deferred_sends=True)
        self.vips: dict[tuple[str, int], list[Vip]] = {}
        self.echoes = 0
        self._stopping = False
        self._log = log
        self._on_master = OnMaster(on_master, self.selector)
        self._netlink = Rtnetlink()
        self._watch = LinkWatch(self._netlink)
        self._macs = VirtualMacs(self._netlink)
        self._macs.sweep()
        self._known: set[str] = set()
        self._sockets: dict[str, AdvertSocket] = {}
        self.selector.register(self._watch, selectors.EVENT_READ, self._read_links)

    # -- what others ask of it

    def configure(self, vips: Iterable[Vip]) -> None:
        """Run exactly these VIPs; one that runs so already is left alone. Raises VipError, and then changes nothing."""
        wanted = group(vips)
        for nic, _ in wanted:
            self._learn(nic)
        self.vips = wanted
        for event in changes(self.host, wanted):
            self.handle(event)
        self._refresh_raised()

    def handle(self, event: Event) -> int:
        """Let the engine judge the event and do what comes of it. 0, or the errno it refused with (FreeBSD's)."""
        now, late = self._time()
        outcomes = self.host.handle(event, now, jump=late, event_first=late)
        self._act(outcomes)
        done = outcomes[-1]
        return done.rc if isinstance(done, Done) else 0

    def run_until(self, stop: socket.socket) -> None:
        """Serve until `stop` becomes readable."""
        self.selector.register(stop, selectors.EVENT_READ, self._stop)
        while not self._stopping:
            due = self.host.next_deadline()
            self._serve(None if due is None else max(0.0, (due - _microseconds()) / 1e6))
            if self._time()[1]:
                time.sleep(_GRACE)
                self._serve(0)
            now, late = self._time()
            self._act(self.host.advance(now, jump=late))

    def _serve(self, timeout: float | None) -> None:
        for key, _ in self.selector.select(timeout):
            key.data()

    def _stop(self) -> None:
        self._stopping = True

    def close(self) -> None:
        self._macs.drop_all()

    # -- time

    def _time(self) -> tuple[int, bool]:
        """Now in microseconds, and whether the next timer is so overdue that it must not count from when it was due.

        A timer that is only a little late counts from when it was due, so that intervals do not drift.
        """
        now = _microseconds()
        due = self.host.next_deadline()
        return now, due is not None and now - due > _STALL

    # -- what comes in

    def _learn(self, nic: str) -> None:
        """Tell the engine of a NIC that it does not know yet."""
        seen = self._watch.nic(nic)
        if nic not in self._known:
            self._known.add(nic)
            self.handle(InterfaceNew(nic, seen.mac, seen.link_state))
            for address in seen.addresses:
                self.handle(AddressAdd(nic, address))
        self._listen(nic)

    def _listen(self, nic: str) -> None:
        """Open the NIC's socket, anew when the device is another one than before."""
        index = self._watch.nic(nic).index
        known = self._sockets.get(nic)
        if known and known.index != index:
            self.selector.unregister(known)
            known.close()
            del self._sockets[nic]
        if index and nic not in self._sockets:
            try:
                prepare_arp(nic)
                opened = self._sockets[nic] = AdvertSocket(nic, index)
            except OSError as refusal:  # the device has gone again; its return is another link event
                self._log.write([CANNOT_LISTEN.format(nic=nic, reason=refusal.strerror)])
                return
            self.selector.register(opened, selectors.EVENT_READ, lambda: self._read_adverts(opened))

    def _read_links(self) -> None:
        for event in self._watch.read():
            if event.interface not in self._known:
                continue
            if isinstance(event, LinkChange):
                self._listen(event.interface)
            self.handle(event)

    def _read_adverts(self, source: AdvertSocket) -> None:
        nic = source.nic
        own = set(self._watch.nic(nic).addresses) | {vip.address for vip in self._vips_on(nic)}
        for frame in source.receive():
            if frame[26:30] in own:
                self.echoes += 1
                continue
            length = int.from_bytes(frame[16:18], "big")
            self.handle(Receive(nic, frame[14 : 14 + length]))

    def _vips_on(self, nic: str) -> list[Vip]:
        return [vip for (name, _), members in self.vips.items() if name == nic for vip in members]

    # -- what goes out

    def _act(self, outcomes: Iterable[Outcome]) -> None:
        """Do what the engine says, in its order; the log last.

        At a take-over the addresses are reachable before the advert leaves, as in FreeBSD, where the state alone decides
        that: the advert moves the segment's traffic here, and none of it may be lost.
        """
        queue = deque(outcomes)
        said: list[str] = []
        mastered = False
        while queue:
            outcome = queue.popleft()
            if isinstance(outcome, Tx):
                error = self._send(outcome.interface, outcome.frame)
                now, late = self._time()
                sent = Sent(outcome.interface, outcome.vhid, error)
                queue.extend(self.host.handle(sent, now, jump=late, event_first=late))
            elif isinstance(outcome, Devd):
                if outcome.state == MASTER:
                    said += self._raise([(outcome.interface, outcome.vhid)])
                    mastered = True
                else:
                    self._macs.drop(outcome.interface, outcome.vhid)
            elif isinstance(outcome, Garp):
                mac = self._watch.nic(outcome.interface).mac
                self._send(outcome.interface, garp_frame(mac, outcome.virtual_mac, outcome.address))
            elif isinstance(outcome, Log):
                said.append(outcome.message)
        self._log.write(said)
        if mastered:
            self._on_master.run()

    def _send(self, nic: str, frame: bytes) -> int:
        """0 or the errno."""
        sender = self._sockets.get(nic)
        if sender is None:
            return ENXIO
        try:
            sender.send(frame)
        except OSError as refusal:
            return refusal.errno or ENXIO
        return 0

    def _raise(self, vhids: Iterable[tuple[str, int]]) -> list[str]:
        """Put the addresses of these VHIDs on their virtual MAC. What went wrong, for the log."""
        failures = []
        for nic, vhid in vhids:
            addresses = {(vip.address, vip.prefix) for vip in self.vips.get((nic, vhid), [])}
            try:
                self._macs.raise_up(nic, self._watch.nic(nic).index, vhid, addresses)
            except OSError as refusal:
                failures.append(CANNOT_RAISE.format(nic=nic, vhid=vhid, reason=refusal.strerror))
        return failures

    def _refresh_raised(self) -> None:
        """Prefix lengths may have changed where nothing of the engine's has."""
        self._log.write(self._raise((v.interface, v.vhid) for v in self.host.vhids() if v.state == MASTER))


def _microseconds() -> int:
    return time.monotonic_ns() // 1000


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT. Exit code 0, or 2 for wrong options."""
    options = _options(arguments)
    run_dir = Path(options.run_dir)
    run_dir.mkdir(parents=True, exist_ok=True)
    wake, stop = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    carpd = Carpd(SystemLog(Path(options.log)), options.on_master)
    carpd.handle(Sysctl("allow", options.allow))
    carpd.handle(Sysctl("preempt", options.preempt))
    carpd.handle(Sysctl("senderr_demotion_factor", 0))  # as pfSense sets it (globals.inc)
    requests = CarpRequests(carpd)
    server = ControlServer(Path(options.socket or run_dir / SOCKET_NAME), carpd.selector, requests.answer)
    try:
        carpd.run_until(stop)
    finally:
        server.close()
        carpd.close()
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="standin.carpd", description="CARP daemon of the stand-in firewall")
    parser.add_argument("--run-dir", default="/run/standin", help="directory of the control socket")
    parser.add_argument("--socket", default="", help="control socket (default: carpd.sock in the run directory)")
    parser.add_argument("--log", default="/var/log/system.log", help="log file")
    parser.add_argument("--allow", type=int, default=1, choices=(0, 1), help="net.inet.carp.allow at the start")
    parser.add_argument("--preempt", type=int, default=1, choices=(0, 1), help="net.inet.carp.preempt at the start")
    parser.add_argument("--on-master", default="", help="shell command to run after a VHID has become MASTER")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())

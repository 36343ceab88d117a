"""CARP of one host, any number of interfaces and VHIDs, without I/O and without a clock.

Times are integer microseconds of any monotonic clock; they never go back.

How a daemon uses it::

    host = Host(random_counter=lambda: random.getrandbits(64), deferred_sends=True)
    act(host.handle(InterfaceNew("eth1", mac), now()))            # link and up as the system says
    act(host.handle(AddressAdd("eth1", pack_address("172.17.1.254")), now()))       # real addresses: adverts' source
    act(host.handle(VhidSet("eth1", 1, advbase=1, advskew=0, key=password_key("secret")), now()))
    act(host.handle(AddressAdd("eth1", pack_address("172.17.1.252"), vhid=1), now()))
    while True:
        wait until a packet, a link change, a command, or host.next_deadline()
        packet:   act(host.handle(Receive("eth1", ip_packet), now(), jump=True))
        link:     act(host.handle(LinkChange("eth1", LINK_DOWN), now(), jump=True))
        deadline: act(host.advance(now(), jump=True))

`jump=True` because a daemon is always a little late: overdue timers fire once, at `now`. A simulation leaves it out:
timers fire at the very instant they are due.

`act` walks the outcomes in order: send `Tx.frame`, `Garp.frame`, `Na.frame`; on `Devd` set the data plane for MASTER
or not; log `Log.message`; the rest (Timer, Fire, Route, Multicast, Promiscuous) may be ignored. With deferred_sends
the daemon reports every Tx: `host.handle(Sent(interface, vhid, errno or 0), now(), jump=True)`, and acts on what comes
of it. The last outcome of `handle` is `Done`: rc 0 or a FreeBSD errno. Read an Ethernet frame's IP packet from byte 14
on, and hand over protocol 112 only; own frames that a bridge or socket gives back must not be handed over.

`carp off` is Sysctl("allow", 0); maintenance is VhidSet(..., advskew=254) on each VHID; `sysctl
net.inet.carp.demotion=N` is Sysctl("demotion", N) and adds. `vhids()`, `demotion`, `statistics` tell the state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from lab.carp import events
from lab.carp.events import EADDRNOTAVAIL, EEXIST, EINVAL, ENOENT, ENOPROTOOPT, ENXIO, MASTER, OK, Event
from lab.carp.interface import Address, Interface, family_of
from lab.carp.kernel import Kernel, wrapped
from lab.carp.outcomes import AD, MD, MD6, Done, Outcome
from lab.carp.packet import virtual_mac
from lab.carp.receive import deliver
from lab.carp.vhid import Vhid

MAX_VHID = 255
MAX_ADVBASE = 255
MAX_ADVSKEW = 254
MAX_DSCP = 63
MAINTENANCE_SKEW = 254

TIME_WENT_BACK = "time went back from {was} to {now} microseconds"


class VhidView(NamedTuple):
    """A VHID as it stands. addresses packed, in attach order; ad, md, md6: when the timer fires, or None."""

    interface: str
    vhid: int
    state: str
    advbase: int
    advskew: int
    effective_skew: int
    addresses: tuple[bytes, ...]
    ad: int | None
    md: int | None
    md6: int | None
    suppressed: bool
    send_errors: int
    send_successes: int


class Host:
    """One host.

    random_counter: gives 64 random bits for adverts sent before any was heard.
    strict_ttl: refuse IPv4 adverts whose TTL is not 255. False is what FreeBSD does in spite of itself.
    deferred_sends: each Tx is answered by a `Sent` event; else the standing `SendError` of the interface answers.
    """

    def __init__(
        self, random_counter: Callable[[], int], *, strict_ttl: bool = True, deferred_sends: bool = False
    ) -> None:
        self._kernel = Kernel(random_counter)
        self._strict_ttl = strict_ttl
        self._deferred_sends = deferred_sends
        self._interfaces: dict[str, Interface] = {}
        self._newest_first: list[Vhid] = []
        self._handlers: dict[type[Event], Callable[..., int]] = {
            events.InterfaceNew: self._interface_new,
            events.AddressAdd: self._address_add,
            events.AddressDelete: self._address_delete,
            events.VhidSet: self._vhid_set,
            events.LinkChange: self._link_change,
            events.InterfaceUp: self._interface_up,
            events.InterfaceDown: self._interface_down,
            events.Sysctl: self._sysctl,
            events.Demote: self._demote,
            events.SendError: self._send_error,
            events.Sent: self._sent,
            events.Receive: self._receive,
            events.ForUs: self._for_us,
            events.Run: self._run,
        }

    # -- time and events

    def handle(self, event: Event, now: int, jump: bool = False, event_first: bool = False) -> list[Outcome]:
        """Fire what is due up to and including `now`, then do the event. The last outcome is `Done`.

        jump: see `advance`. event_first: leave overdue timers to the next `advance`; so an advert that waited while
        the machine stood still keeps a BACKUP from taking over. Raises ValueError where time goes back.
        """
        outcomes = [] if event_first else self.advance(now, jump)
        self._reach(now)
        rc = self._handlers[type(event)](event)
        self._finish()
        outcomes += self._kernel.drain()
        outcomes.append(Done(now, rc, self.next_deadline()))
        return outcomes

    def advance(self, now: int, jump: bool = False) -> list[Outcome]:
        """Let time pass. Timers fire when they are due; with `jump` overdue ones fire late, at `now`, and once.

        Raises ValueError where time goes back.
        """
        kernel = self._kernel
        self._reach(now)
        while popped := kernel.pop_due(now):
            due, (interface, number, timer) = popped
            kernel.now = now if jump else due
            kernel.fired((interface, number, timer))
            vhid = self._interfaces[interface].vhid(number)
            if vhid:
                vhid.fire(timer)
            self._finish()
        kernel.now = now
        return kernel.drain()

    def _reach(self, now: int) -> None:
        if now < self._kernel.now:
            raise ValueError(TIME_WENT_BACK.format(was=self._kernel.now, now=now))
        self._kernel.now = now

    def next_deadline(self) -> int | None:
        """When the earliest armed timer is due."""
        return self._kernel.timers.next_due()

    def _finish(self) -> None:
        """After an event that demoted: adverts of all masters, newest first, once however often it demoted."""
        while self._kernel.forced_pending:
            self._kernel.forced_pending = False
            for vhid in self._newest_first:
                if vhid.state == MASTER:
                    vhid.advertise()

    # -- what it looks like

    @property
    def now(self) -> int:
        """The time it has reached."""
        return self._kernel.now

    @property
    def demotion(self) -> int:
        """net.inet.carp.demotion."""
        return self._kernel.sysctls["demotion"]

    @property
    def statistics(self) -> dict[str, int]:
        """A copy of the packet counters, by their names in `netstat -s -p carp`."""
        return dict(self._kernel.statistics)

    def sysctl(self, name: str) -> int | None:
        """The value of net.inet.carp.NAME; None where there is none."""
        return self._kernel.sysctls.get(name)

    def vhids(self) -> tuple[VhidView, ...]:
        """All VHIDs, oldest first."""
        return tuple(self._view(vhid) for vhid in reversed(self._newest_first))

    def vhid(self, interface: str, number: int) -> Vhid | None:
        """The live VHID, to be looked at only."""
        known = self._interfaces.get(interface)
        return known.vhid(number) if known else None

    def _view(self, vhid: Vhid) -> VhidView:
        name = vhid.interface.name

        def due(timer: str) -> int | None:
            return self._kernel.timers.due((name, vhid.number, timer))

        return VhidView(
            name,
            vhid.number,
            vhid.state,
            vhid.advbase,
            vhid.advskew,
            vhid.effective_skew,
            tuple(address.packed for address in vhid.addresses),
            due(AD),
            due(MD),
            due(MD6),
            vhid.suppressed,
            vhid.send_errors,
            vhid.send_successes,
        )

    # -- one handler per event; each returns 0 or an errno

    def _interface_new(self, event: events.InterfaceNew) -> int:
        if event.interface in self._interfaces:
            return EEXIST
        interface = Interface(self._kernel, event.interface, event.mac, event.link, event.up)
        self._interfaces[event.interface] = interface
        return OK

    def _address_add(self, event: events.AddressAdd) -> int:
        interface = self._interfaces.get(event.interface)
        if interface is None:
            return ENXIO
        if existing := interface.find(event.address):
            self._forget(interface, existing, keep=True)
        address = Address(event.address)
        if event.vhid:
            if not interface.has_carp:
                return ENOPROTOOPT
            vhid = interface.vhid(event.vhid)
            if vhid is None:
                return ENOENT
            vhid.attach(address)
        interface.addresses.append(address)
        return OK

    def _address_delete(self, event: events.AddressDelete) -> int:
        interface = self._interfaces.get(event.interface)
        if interface is None:
            return ENXIO
        address = interface.find(event.address)
        if address is None:
            return EADDRNOTAVAIL
        self._forget(interface, address, event.keep)
        return OK

    def _forget(self, interface: Interface, address: Address, keep: bool) -> None:
        interface.addresses.remove(address)
        vhid = address.vhid
        if vhid is None:
            return
        vhid.detach(address)
        if keep:
            return
        if not vhid.addresses:
            vhid.destroy()
            interface.vhids.remove(vhid)
            self._newest_first.remove(vhid)
        interface.release()

    def _vhid_set(self, event: events.VhidSet) -> int:
        interface = self._interfaces.get(event.interface)
        if interface is None:
            return ENXIO
        if not 1 <= event.vhid <= MAX_VHID or event.advbase < 0 or (event.advskew or 0) < 0:
            return EINVAL
        vhid = interface.vhid(event.vhid) or self._create(interface, event.vhid)
        # As in the kernel, a refused value leaves what was set before it, a new VHID included.
        if event.advbase > MAX_ADVBASE:
            return EINVAL
        vhid.advbase = event.advbase or vhid.advbase
        if event.advskew is not None:
            if event.advskew > MAX_ADVSKEW:
                return EINVAL
            vhid.advskew = event.advskew
        if any(event.peer):
            vhid.group[family_of(event.peer)] = event.peer
        if event.key[:1].strip(b"\0"):
            vhid.set_key(event.key)
        if event.state is not None:
            vhid.request(event.state)
        return OK

    def _create(self, interface: Interface, number: int) -> Vhid:
        vhid = Vhid(self._kernel, interface, number, self._deferred_sends)
        interface.add_vhid(vhid)
        self._newest_first.insert(0, vhid)
        return vhid

    def _link_change(self, event: events.LinkChange) -> int:
        interface = self._interfaces.get(event.interface)
        if interface is None:
            return ENXIO
        interface.link = event.state
        return self._reconsider(interface)

    def _interface_up(self, event: events.InterfaceUp) -> int:
        return self._set_up(event.interface, True)

    def _interface_down(self, event: events.InterfaceDown) -> int:
        return self._set_up(event.interface, False)

    def _set_up(self, name: str, up: bool) -> int:
        interface = self._interfaces.get(name)
        if interface is None:
            return ENXIO
        interface.up = up
        return self._reconsider(interface)

    def _reconsider(self, interface: Interface) -> int:
        for vhid in interface.vhids:
            vhid.reconsider()
        return OK

    def _sysctl(self, event: events.Sysctl) -> int:
        kernel, name, value = self._kernel, event.name, wrapped(event.value)
        if name not in kernel.sysctls:
            return ENOENT
        if name == "dscp" and not 0 <= value <= MAX_DSCP:
            return EINVAL
        if name == "demotion":
            kernel.demote(value, "sysctl")
            return OK
        changed = value != kernel.sysctls[name]
        kernel.sysctls[name] = value
        if name == "allow" and changed:
            for vhid in self._newest_first:
                vhid.reconsider()
        return OK

    def _demote(self, event: events.Demote) -> int:
        self._kernel.demote(event.by, "pfsync")
        return OK

    def _send_error(self, event: events.SendError) -> int:
        interface = self._interfaces.get(event.interface)
        if interface is None:
            return ENXIO
        interface.send_error = event.error
        return OK

    def _sent(self, event: events.Sent) -> int:
        vhid = self.vhid(event.interface, event.vhid)
        if vhid is None:
            return ENOENT
        vhid.sent(event.error)
        return OK

    def _receive(self, event: events.Receive) -> int:
        interface = self._interfaces.get(event.interface)
        if interface is None:
            return ENXIO
        deliver(self._kernel, interface, event.packet, self._strict_ttl)
        return OK

    def _for_us(self, event: events.ForUs) -> int:
        interface = self._interfaces.get(event.interface)
        if interface is None:
            return 0
        return int(any(vhid.state == MASTER and virtual_mac(vhid.number) == event.mac for vhid in interface.vhids))

    def _run(self, event: events.Run) -> int:
        return OK

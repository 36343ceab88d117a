"""The state machine of one VHID on one interface (FreeBSD ip_carp.c: carp_sc_state, carp_setrun, carp_input_c, ...)."""

from __future__ import annotations

from lab.carp.events import BACKUP, INIT, MASTER
from lab.carp.interface import Address, Interface
from lab.carp.kernel import Kernel, interval
from lab.carp.outcomes import AD, MD, MD6, Devd, Garp, Na, Route, Tx
from lab.carp.packet import (
    GROUP4,
    GROUP6,
    KEY_LENGTH,
    Advert,
    Authenticator,
    ipv4_packet,
    ipv6_packet,
    virtual_mac,
)

DEFAULT_ADVBASE = 1
MAX_SEND_ERRORS = 3  # in a row: demote
MIN_SEND_SUCCESSES = 3  # in a row: take the demotion back
COUNTER_MODULUS = 1 << 64

INITIALISED = "initialization complete"
TIMED_OUT = "master timed out"
PREEMPTING = "preempting a slower master"
HOPELESS = "master will time out"
MORE_FREQUENT = "more frequent advertisement received"
REQUESTED = "user requested via ifconfig"
HARDWARE_DOWN = "hardware interface down"
HARDWARE_UP = "hardware interface up"
INTERFACE_DOWN = "interface down"
INTERFACE_UP = "interface up"
REMOVED = "vhid removed"
CHANGED = "carp: {vhid}@{interface}: {old} -> {new} ({reason})"
SEND_ERROR = "send error {error} on {interface}"
SEND_OK = "send ok on {interface}"


class Vhid:
    """One VHID.

    advskew is the configured skew; on the wire and in comparisons the effective one counts: the host's demotion added.
    suppressed: this VHID has demoted the host because its interface is down or CARP is not allowed.
    unheard: no valid advert was ever received, so every own advert takes a random counter.
    """

    def __init__(self, kernel: Kernel, interface: Interface, number: int, deferred_sends: bool) -> None:
        self.kernel = kernel
        self.interface = interface
        self.number = number
        self.state = INIT
        self.advbase = DEFAULT_ADVBASE
        self.advskew = 0
        self.key = bytes(KEY_LENGTH)
        self.group = {4: GROUP4, 6: GROUP6}
        self.addresses: list[Address] = []
        self.suppressed = False
        self.unheard = True
        self.counter = 0
        self.send_errors = 0
        self.send_successes = 0
        self._deferred_sends = deferred_sends
        self.authenticator = Authenticator(self.key, number, ())

    @property
    def effective_skew(self) -> int:
        """What this VHID would advertise now."""
        return self.kernel.effective_skew(self.advskew)

    def has_family(self, family: int) -> bool:
        """Whether any of its addresses is IPv4 (4) or IPv6 (6)."""
        return any(address.family == family for address in self.addresses)

    # -- configuration

    def set_key(self, key: bytes) -> None:
        """A new key, hashed from now on."""
        self.key = key
        self._prepare()

    def attach(self, address: Address) -> None:
        """One more address."""
        self.interface.join(address.family)
        self.addresses.append(address)
        address.vhid = self
        self._prepare()
        self.reconsider()

    def detach(self, address: Address) -> None:
        """One address less."""
        self.addresses.remove(address)
        self._delete_routes(address)
        self.interface.leave(address.family)
        address.vhid = None
        self._prepare()
        self.reconsider()

    def destroy(self) -> None:
        """Give the demotion back and fall silent."""
        if self.suppressed:
            self.kernel.demote(-self.kernel.sysctls["ifdown_demotion_factor"], REMOVED)
        self._stop(AD, MD, MD6)

    def request(self, state: str) -> None:
        """The state asked for by SIOCSVH. Only BACKUP and MASTER mean something, and nothing does in INIT."""
        if self.state == INIT or state == self.state:
            return
        if state == BACKUP:
            self._step_down(REQUESTED)
        elif state == MASTER:
            self._take_over(REQUESTED)

    # -- what drives it

    def reconsider(self) -> None:
        """The sc-state event: link, interface, `allow` or an address changed. Also throws a MASTER back to BACKUP."""
        if self.interface.running and self.kernel.sysctls["allow"]:
            self._enter(INIT, HARDWARE_UP)
            self._run()
            if self.suppressed:
                self.kernel.demote(-self.kernel.sysctls["ifdown_demotion_factor"], INTERFACE_UP)
            self.suppressed = False
        else:
            self._stop(AD, MD, MD6)
            self._enter(INIT, HARDWARE_DOWN)
            if not self.suppressed:
                self.kernel.demote(self.kernel.sysctls["ifdown_demotion_factor"], INTERFACE_DOWN)
            self.suppressed = True

    def fire(self, timer: str) -> None:
        """A timer has run out. A master-down timer left armed by a preemption means nothing to a MASTER."""
        if timer == AD:
            self.advertise()
        elif self.state == BACKUP:
            self._take_over(TIMED_OUT)

    def hear(self, advert: Advert, family: int) -> None:
        """A valid advert. Equal counts as better; the sender's address and old counters play no part."""
        self.unheard = False
        self.counter = advert.counter
        own = (self.advbase, self.effective_skew)
        peer = (advert.advbase, advert.advskew)
        if self.state == MASTER and peer <= own:
            self._step_down(MORE_FREQUENT)
        elif self.state == BACKUP:
            if self.kernel.sysctls["preempt"] and peer > own:
                self._take_over(PREEMPTING)
            elif peer > (3 * self.advbase, own[1]):
                self._take_over(HOPELESS)
            else:
                self._run(family)

    def advertise(self) -> None:
        """Send an advert per family and set the advert timer by the effective skew."""
        skew = self.effective_skew
        for family in (4, 6):
            if self.has_family(family):
                self._send(family, skew)
        self._arm(AD, interval(self.advbase, skew))

    def sent(self, error: int) -> None:
        """The result of one send: three errors in a row demote the host, three successes take that back."""
        if error:
            self.send_errors += 1
            if self.send_errors == MAX_SEND_ERRORS:
                reason = SEND_ERROR.format(error=error, interface=self.interface.name)
                self.kernel.demote(self.kernel.sysctls["senderr_demotion_factor"], reason)
            self.send_successes = 0
        elif self.send_errors:
            self.send_successes += 1
            if self.send_successes >= MIN_SEND_SUCCESSES:
                if self.send_errors >= MAX_SEND_ERRORS:
                    reason = SEND_OK.format(interface=self.interface.name)
                    self.kernel.demote(-self.kernel.sysctls["senderr_demotion_factor"], reason)
                self.send_errors = 0

    # -- transitions

    def _take_over(self, reason: str) -> None:
        self._enter(MASTER, reason)
        self.advertise()
        self._announce()
        self._run()  # the first gap follows the configured skew, demoted or not
        for address in self.addresses:
            self._add_routes(address)

    def _step_down(self, reason: str) -> None:
        self._stop(AD)
        self._enter(BACKUP, reason)
        self._run()
        for address in self.addresses:
            self._delete_routes(address)

    def _enter(self, state: str, reason: str) -> None:
        if state == self.state:
            return
        name = self.interface.name
        self.kernel.log(CHANGED.format(vhid=self.number, interface=name, old=self.state, new=state, reason=reason))
        self.state = state
        self.kernel.emit(Devd(self.kernel.now, name, self.number, state))

    def _run(self, family: int = 0) -> None:
        """Set the timers the state needs. family 0: the master-down timers of all families present."""
        if not (self.interface.running and self.kernel.sysctls["allow"] and self.addresses):
            return
        if self.state == INIT:
            self._enter(BACKUP, INITIALISED)
        if self.state == MASTER:
            self._arm(AD, interval(self.advbase, self.advskew))
            return
        self._stop(AD)
        master_down = interval(3 * self.advbase, self.advskew)
        for one, timer in ((4, MD), (6, MD6)):
            if one == family or (not family and self.has_family(one)):
                self._arm(timer, master_down)

    # -- what goes out

    def _send(self, family: int, skew: int) -> None:
        kernel = self.kernel
        self.counter = kernel.random_counter() if self.unheard else self.counter + 1
        self.counter %= COUNTER_MODULUS
        advert = self.authenticator.sign(Advert(self.number, self.advbase, skew, self.counter)).pack()
        source = self.interface.best_source(family)
        group = self.group[family]
        if family == 4:
            packet = ipv4_packet(source, advert, group, kernel.sysctls["dscp"])
            multicast = group[0] >> 4 == 0xE
        else:
            packet = ipv6_packet(source, advert, group, kernel.sysctls["dscp"])
            multicast = group[0] == 0xFF
        kernel.count("opackets" if family == 4 else "opackets6")
        mac = virtual_mac(self.number) if multicast else self.interface.mac
        error = 0 if self._deferred_sends else self.interface.send_error
        name = self.interface.name
        kernel.emit(
            Tx(kernel.now, name, family, self.number, self.advbase, skew, self.counter, mac, packet, error),
        )
        if not self._deferred_sends:
            self.sent(error)

    def _announce(self) -> None:
        now, name, mac = self.kernel.now, self.interface.name, virtual_mac(self.number)
        for address in self.addresses:
            if address.family == 4:
                self.kernel.emit(Garp(now, name, address.packed, mac, self.interface.mac))
        for address in self.addresses:
            if address.family == 6:
                self.kernel.emit(Na(now, name, address.packed, mac, self.interface.best_source(6)))

    def _add_routes(self, address: Address) -> None:
        for op in ("add_prefix", "add_host") if address.family == 4 else ("add_host", "add_lle"):
            self.kernel.emit(Route(self.kernel.now, op, address.packed, self.interface.name))

    def _delete_routes(self, address: Address) -> None:
        for op in ("del_host", "del_prefix") if address.family == 4 else ("del_host", "del_lle"):
            self.kernel.emit(Route(self.kernel.now, op, address.packed, self.interface.name))

    def _prepare(self) -> None:
        self.authenticator = Authenticator(self.key, self.number, [address.packed for address in self.addresses])

    def _arm(self, timer: str, delay: int) -> None:
        self.kernel.arm(self.interface.name, self.number, timer, delay)

    def _stop(self, *timers: str) -> None:
        for timer in timers:
            self.kernel.stop(self.interface.name, self.number, timer)

"""JSON lines in, JSON lines out: the engine in the vocabulary of the recorded kernel cases. Pure text to text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from lab.carp import events, outcomes
from lab.carp.engine import Host, VhidView
from lab.carp.events import BACKUP, INIT, MASTER, Event
from lab.carp.kernel import SECOND
from lab.carp.outcomes import Outcome
from lab.carp.packet import (
    Advert,
    Authenticator,
    address_text,
    ipv4_packet,
    ipv6_packet,
    mac_text,
    pack_address,
    pack_mac,
    password_key,
)
from lab.carp.vhid import COUNTER_MODULUS

STATES = (INIT, BACKUP, MASTER)  # by the kernel's numbers
OWN_MAC = "02:00:00:00:00:{:02x}"
PEER = {4: "192.0.2.3", 6: "fe80::3"}  # who sends an `rxad` that names no source
UNKNOWN_EVENT = "unknown event: {}"

Fields = dict[str, Any]


class Replay:
    """One host under replay. Raises ValueError or KeyError on a line that is no event."""

    def __init__(self, random_counter: Callable[[], int], *, strict_ttl: bool = False) -> None:
        self.host = Host(random_counter, strict_ttl=strict_ttl)
        self._interfaces = 0

    def feed(self, fields: Fields) -> Iterator[str]:
        """Do one event and give the lines of what comes of it."""
        now = round(fields["t"] * SECOND)
        jump = bool(fields.get("jump"))
        if fields["ev"] in ("dump", "stats"):
            for outcome in self.host.advance(now, jump):
                yield render(outcome)
            yield from self._state_lines() if fields["ev"] == "dump" else [self._statistics_line()]
            event: Event = events.Run()
        elif fields["ev"] == "rxad":
            for outcome in self.host.advance(now, jump):  # the MAC is that of the addresses present by then
                yield render(outcome)
            event = events.Receive(fields["if"], self._advert_packet(fields))
        else:
            event = self._event(fields)
        for outcome in self.host.handle(event, now, jump):
            yield render(outcome)

    def _event(self, fields: Fields) -> Event:
        name = fields["ev"]
        interface = fields.get("if", "")
        match name:
            case "ifnew":
                self._interfaces += 1
                mac = pack_mac(fields.get("mac") or OWN_MAC.format(self._interfaces))
                return events.InterfaceNew(interface, mac, fields.get("link", 2), bool(fields.get("up", 1)))
            case "addr":
                return events.AddressAdd(interface, pack_address(fields["addr"]), fields.get("vhid", 0))
            case "deladdr":
                return events.AddressDelete(interface, pack_address(fields["addr"]), bool(fields.get("keep", 0)))
            case "vhid":
                return _vhid_set(interface, fields)
            case "link":
                return events.LinkChange(interface, fields["state"])
            case "ifup":
                return events.InterfaceUp(interface)
            case "ifdown":
                return events.InterfaceDown(interface)
            case "sysctl":
                return events.Sysctl(fields["name"], fields["value"])
            case "demote":
                return events.Demote(fields["by"])
            case "senderr":
                return events.SendError(interface, fields["err"])
            case "rx":
                return events.Receive(interface, bytes.fromhex(fields["hex"]))
            case "forus":
                return events.ForUs(interface, pack_mac(fields["mac"]))
            case "run":
                return events.Run()
        raise ValueError(UNKNOWN_EVENT.format(name))

    def _advert_packet(self, fields: Fields) -> bytes:
        """The advert of an `rxad`: valid by the receiver's own key and addresses unless the event spoils it."""
        number = fields["vhid"]
        vhid = self.host.vhid(fields["if"], number)
        authenticator = vhid.authenticator if vhid else Authenticator(b"", number & 0xFF, ())
        base, skew = fields.get("advbase", 1) & 0xFF, fields.get("advskew", 0) & 0xFF
        counter = fields.get("counter", 1) % COUNTER_MODULUS
        mac = authenticator.mac(counter)
        if fields.get("badmac"):
            mac = bytes((mac[0] ^ 1,)) + mac[1:]
        shape = (fields.get("ver", 2) & 0xF, fields.get("type", 1) & 0xF, fields.get("authlen", 7) & 0xFF)
        header = bytearray(Advert(number & 0xFF, base, skew, counter, mac, *shape).pack())
        if fields.get("badsum"):
            header[6] ^= 1
        family = fields.get("af", 4)
        source = pack_address(fields.get("src") or PEER[family])
        packet = bytearray((ipv4_packet if family == 4 else ipv6_packet)(source, bytes(header)))
        packet[8 if family == 4 else 7] = fields.get("ttl", 255) & 0xFF
        return bytes(packet)

    def _state_lines(self) -> Iterator[str]:
        for view in self.host.vhids():
            yield _state_line(self.host.now, view)
        names = ("demotion", "allow", "preempt", "dscp", "log")
        yield _line(self.host.now, "host", **{name: self.host.sysctl(name) for name in names})

    def _statistics_line(self) -> str:
        return _line(self.host.now, "stats", **self.host.statistics)


def render(outcome: Outcome) -> str:
    """One outcome as a line, fields and number format as the recordings have them."""
    match outcome:
        case outcomes.Devd(t, interface, vhid, state):
            return _line(t, "devd", system="CARP", subsystem=f"{vhid}@{interface}", type=state)
        case outcomes.Log(t, priority, message):
            return _line(t, "log", pri=priority, msg=message)
        case outcomes.Tx():
            return _tx_line(outcome)
        case outcomes.Timer(t, name, vhid, interface, delay, due):
            return _line(t, "timer", name=name, vhid=vhid, **{"if": interface, "in": _time(delay), "at": _time(due)})
        case outcomes.Fire(t, name, vhid):
            return _line(t, "fire", name=name, vhid=vhid)
        case outcomes.Garp(t, interface, address, virtual_mac):
            return _line(t, "garp", **{"if": interface}, addr=address_text(address), sha=mac_text(virtual_mac))
        case outcomes.Na(t, interface, address, virtual_mac):
            return _line(t, "na", **{"if": interface}, addr=address_text(address), tlladdr=mac_text(virtual_mac))
        case outcomes.Route(t, op, address, interface):
            return _line(t, "route", op=op, addr=address_text(address), **{"if": interface})
        case outcomes.Multicast(t, interface, family, _, join):
            return _line(t, "mcast", **{"if": interface}, fam=family, join=int(join))
        case outcomes.Promiscuous(t, interface, on):
            return _line(t, "promisc", **{"if": interface}, on=int(on))
        case outcomes.Done(t, rc, due):
            return _line(t, "done", rc=rc, next=_time(due))


def case_events(case: Fields) -> list[Fields]:
    """The events of a recorded case, with the time that passes after the last one."""
    return [*case["events"], {"t": case["end"], "ev": "run"}]


class _Number(float):
    """Seconds, printed with six decimals."""

    def __repr__(self) -> str:
        return f"{float(self):.6f}"


def _time(microseconds: int | None) -> _Number | None:
    return None if microseconds is None else _Number(microseconds / SECOND)


def _line(t: int, out: str, **fields: Any) -> str:
    parts = [f'"t":{_time(t)!r}', f'"out":"{out}"']
    for name, value in fields.items():
        text = repr(value) if isinstance(value, _Number) else json.dumps(value)
        parts.append(f'"{name}":{text}')
    return "{" + ",".join(parts) + "}"


def _tx_line(tx: outcomes.Tx) -> str:
    # The kernel hands the packet down before IP fills in its checksum (IPv4) or its length (IPv6).
    blank = slice(10, 12) if tx.family == 4 else slice(4, 6)
    packet = bytearray(tx.packet)
    packet[blank] = bytes(2)
    by_mistake = int(tx.family == 4 and tx.destination[3] >> 4 == 0xE)  # the missing byte swap again
    return _line(
        tx.t,
        "tx",
        **{"if": tx.interface},
        af=tx.family,
        vhid=tx.vhid,
        advbase=tx.advbase,
        advskew=tx.advskew,
        counter=tx.counter,
        smac=mac_text(tx.source_mac),
        mcastflag=by_mistake,
        err=tx.error,
        hex=packet.hex(),
    )


def _state_line(now: int, view: VhidView) -> str:
    return _line(
        now,
        "state",
        **{"if": view.interface},
        vhid=view.vhid,
        state=view.state,
        advbase=view.advbase,
        advskew=view.advskew,
        effskew=view.effective_skew,
        ad=_time(view.ad),
        md=_time(view.md),
        md6=_time(view.md6),
        suppress=int(view.suppressed),
        send_errors=view.send_errors,
        send_success=view.send_successes,
        addrs=[address_text(address) for address in view.addresses],
    )


def _vhid_set(interface: str, fields: Fields) -> events.VhidSet:
    state = fields.get("state")
    if isinstance(state, int):
        state = STATES[state] if 0 <= state < len(STATES) else None
    elif state is not None:
        state = state.upper()
    peer = fields.get("peer")
    return events.VhidSet(
        interface,
        fields["vhid"],
        fields.get("advbase", 0),
        fields.get("advskew"),
        password_key(fields.get("key") or ""),
        state,
        pack_address(peer) if peer else b"",
    )

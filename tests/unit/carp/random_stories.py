"""Random sequences of events, with adverts aimed at the places where verdicts change."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import chain
from typing import Any

from tests.unit.carp.sheet_model import Line, Sheet

INTERFACES = ("em0", "em1")
VIPS = {("em0", 1): ["192.0.2.101", "192.0.2.111", "fd00::101"], ("em0", 2): ["192.0.2.102", "fe80::102"]}
VIPS |= {("em1", 1): ["198.51.100.101", "fd00:1::101"]}
SKEWS = (0, 1, 100, 200, 239, 240, 241, 254)


class Teller:
    """Tells events that make sense in the present state of `sheet`, which it feeds itself."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.sheet = Sheet()
        self.t = 0.0

    def story(self, length: int) -> Iterator[tuple[Line, list[Line]]]:
        """(event, lines expected of it)."""
        for event in chain(self._start(), (self._next() for _ in range(length))):
            yield event, self.sheet.feed(event)

    def _start(self) -> Iterator[Line]:
        yield {"t": 0, "ev": "sysctl", "name": "preempt", "value": self.random.randrange(2)}
        for interface in INTERFACES:
            yield {"t": 0, "ev": "ifnew", "if": interface}
        for key, addresses in VIPS.items():
            yield self._on(key, "vhid", advbase=self._pick((1, 1, 2)), advskew=self._pick(SKEWS), key="secret")
            for address in self.random.sample(addresses, self.random.randint(1, len(addresses))):
                yield self._on(key, "addr", addr=address)

    def _next(self) -> Line:
        self.t = round(self.t + self._pick((0, 0.001, 0.3, 0.5, 1.0, 1.7, 4.0)) * self.random.random(), 6)
        kinds = {self._advert: 40, self._set_vhid: 10, self._sysctl: 10, self._link: 8, self._address: 8}
        kinds |= {self._spoilt: 6, self._send_error: 6, self._pass: 12}
        event: Line = self.random.choices([*kinds], [*kinds.values()])[0]()
        return event | {"jump": 1} if self.random.random() < 0.05 else event

    def _advert(self) -> Line:
        """Around the own pair, around three times the base, and the ends of the scales."""
        key = self._key()
        v = self.sheet.vhids.get(key, {"b": 1, "s": 0})
        base = v["b"] * self._pick((1, 1, 3)) + self._pick((0, 0, 0, -1, 1))
        skew = self.sheet.effective(v) + self._pick((0, 0, -1, 1))
        if self.random.random() < 0.1:
            base, skew = self._pick(((255, 255), (0, 255), (255, 0), (0, 0)))
        counter = self._pick((0, 1, 7, 2**64 - 1, self.random.getrandbits(64)))
        where: Line = {"advbase": min(255, max(0, base)), "advskew": min(255, max(0, skew)), "counter": counter}
        return self._on(key, "rxad", af=self._pick((4, 4, 6)), **where)

    def _spoilt(self) -> Line:
        flaw = self._pick(({"badmac": 1}, {"badsum": 1}, {"ver": 3}, {"vhid": 9}, {"ttl": 64}, {"type": 5}))
        return {**self._advert(), **flaw}

    def _set_vhid(self) -> Line:
        change = self._pick(
            ({"state": "MASTER"}, {"state": "BACKUP"}, {"advskew": self._pick(SKEWS)}, {"advbase": self._pick((1, 2))})
        )
        return self._on(self._key(), "vhid", **change)

    def _sysctl(self) -> Line:
        name, values = self._pick(
            (
                ("allow", (0, 1, 1)),
                ("preempt", (0, 1)),
                ("demotion", (240, -240, 1, -1, 0, -500, 500)),
                ("demotion", (240, -240, 1, -1, 0, -500, 500)),
                ("ifdown_demotion_factor", (240, 0, 10)),
                ("senderr_demotion_factor", (240, 0)),
            )
        )
        if name == "demotion" and self.random.random() < 0.3:
            return self._at("demote", by=self._pick(values))
        return self._at("sysctl", name=name, value=self._pick(values))

    def _link(self) -> Line:
        interface = {"if": self._pick(INTERFACES)}
        if self.random.random() < 0.3:
            return self._at(self._pick(("ifup", "ifup", "ifdown")), **interface)
        return self._at("link", **interface, state=self._pick((2, 2, 1, 0)))

    def _address(self) -> Line:
        key = self._pick([*VIPS])
        if key not in self.sheet.vhids:
            return self._on(key, "vhid", advbase=1, advskew=self._pick(SKEWS), key="secret")
        address = self._pick(VIPS[key])
        if self.random.random() < 0.4 and address in self.sheet.vhids[key]["addrs"]:
            return {**self._on(key, "deladdr", addr=address), "keep": self._pick((0, 0, 1))}
        return self._on(key, "addr", addr=address)

    def _send_error(self) -> Line:
        return self._at("senderr", **{"if": self._pick(INTERFACES)}, err=self._pick((0, 55)))

    def _pass(self) -> Line:
        return self._at("run")

    def _key(self) -> tuple[str, int]:
        return self._pick([*self.sheet.vhids] or [*VIPS])

    def _on(self, where: tuple[str, int], ev: str, **fields: Any) -> Line:
        if ev != "vhid" and where not in self.sheet.vhids:
            return self._at("run")
        return self._at(ev, **{"if": where[0]}, vhid=where[1], **fields)

    def _at(self, ev: str, **fields: Any) -> Line:
        return {"t": self.t, "ev": ev, **fields}

    def _pick(self, choices: Any) -> Any:
        return self.random.choice(choices)

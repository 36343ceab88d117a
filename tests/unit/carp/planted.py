"""Mistakes that implementations of CARP make (carp-freebsd.md §7.2), planted in a copy of lab.carp.

A mistake is a change of source text, so that it stays what it is while the engine moves: where the text is gone, the
test that plants it fails and says so.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import NamedTuple


class Mistake(NamedTuple):
    """`old` stands once in lab/carp/`module`.py and becomes `new`."""

    name: str
    module: str
    old: str
    new: str


MISTAKES = [
    Mistake(
        "master-down time by the demoted skew",
        "vhid",
        "interval(3 * self.advbase, self.advskew)",
        "interval(3 * self.advbase, self.effective_skew)",
    ),
    Mistake(
        "master-down time capped at 240",
        "vhid",
        "interval(3 * self.advbase, self.advskew)",
        "interval(3 * self.advbase, min(self.advskew, 240))",
    ),
    Mistake(
        "first gap by the demoted skew",
        "vhid",
        "self._arm(AD, interval(self.advbase, self.advskew))",
        "self._arm(AD, interval(self.advbase, self.effective_skew))",
    ),
    Mistake("no advert at once on a demotion", "kernel", "self.forced_pending = True", "self.forced_pending = False"),
    Mistake("a master stays on equal", "vhid", "peer <= own", "peer < own"),
    Mistake(
        "a backup preempts on equal",
        "vhid",
        'self.kernel.sysctls["preempt"] and peer > own',
        'self.kernel.sysctls["preempt"] and peer >= own',
    ),
    Mistake("254 goes on the wire", "packet", "MAX_SKEW_ON_WIRE = 240", "MAX_SKEW_ON_WIRE = 254"),
    Mistake("demotion is set, not added", "kernel", 'wrapped(self.sysctls["demotion"] + by)', "wrapped(by)"),
    Mistake(
        "a cut demotes once an interface",
        "vhid",
        "            if not self.suppressed:",
        "            if not any(vhid.suppressed for vhid in self.interface.vhids):",
    ),
    Mistake(
        "addresses hashed unsorted",
        "packet",
        "return sorted(a for a in usable if len(a) == 4)",
        "return list(a for a in given if len(a) == 4)",
    ),
    Mistake("only IPv4 hashed", "packet", 'b"".join(four) + b"".join(six)', 'b"".join(four)'),
    Mistake("counter in host order", "packet", 'counter.to_bytes(8, "big")', 'counter.to_bytes(8, "little")'),
    Mistake(
        "replays refused",
        "vhid",
        "        self.unheard = False\n",
        "        if not self.unheard and advert.counter <= self.counter:\n            return\n        self.unheard = False\n",
    ),
    Mistake(
        "tie broken by address",
        "receive",
        "    return vhid.hear(heard.advert, family)",
        "    tie = (vhid.advbase, vhid.effective_skew) == (heard.advert.advbase, heard.advert.advskew)\n"
        "    if tie and heard.source > interface.best_source(family):\n        return None\n"
        "    return vhid.hear(heard.advert, family)",
    ),
    Mistake("master-down timer of IPv6 forgotten", "vhid", "((4, MD), (6, MD6))", "((4, MD),)"),
    Mistake(
        "no pass through INIT on an address change",
        "vhid",
        "            self._enter(INIT, HARDWARE_UP)",
        "            if self.suppressed or not self.addresses:\n                self._enter(INIT, HARDWARE_UP)",
    ),
    Mistake("an unknown link is up", "interface", "self.link == LINK_UP", "self.link in (0, LINK_UP)"),
    Mistake(
        "a farewell on stepping down",
        "vhid",
        "    def _step_down(self, reason: str) -> None:\n",
        "    def _step_down(self, reason: str) -> None:\n        self._send(4, 255)\n",
    ),
    Mistake("hopeless by twice the base", "vhid", "(3 * self.advbase, own[1])", "(2 * self.advbase, own[1])"),
    Mistake(
        "a stale master-down timer acts on a master",
        "vhid",
        "        elif self.state == BACKUP:\n            self._take_over(TIMED_OUT)",
        "        else:\n            self._take_over(TIMED_OUT)",
    ),
]


class _Planter(MetaPathFinder, SourceFileLoader):
    """Loads one module of lab.carp with its mistake."""

    def __init__(self, mistake: Mistake) -> None:
        self.mistake = mistake
        self.planted = False

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != f"lab.carp.{self.mistake.module}":
            return None
        spec = PathFinder.find_spec(name, path)
        assert spec is not None
        assert spec.origin is not None
        SourceFileLoader.__init__(self, name, spec.origin)
        spec.loader = self
        return spec

    def get_code(self, fullname: str) -> object:  # type: ignore[override]
        source = self.get_data(self.path).decode()
        assert source.count(self.mistake.old) == 1, f"{self.mistake.name}: its place in {self.path} is gone"
        self.planted = True
        return compile(source.replace(self.mistake.old, self.mistake.new), self.path, "exec")


@contextmanager
def planted(mistake: Mistake) -> Iterator[tuple[ModuleType, ModuleType]]:
    """(replay, packet) of a fresh lab.carp with the mistake; the real one is back afterwards."""
    real = {name: module for name, module in sys.modules.items() if name.startswith("lab.carp")}
    package = sys.modules["lab"]
    planter = _Planter(mistake)
    for name in real:
        del sys.modules[name]
    sys.meta_path.insert(0, planter)
    try:
        modules = importlib.import_module("lab.carp.replay"), importlib.import_module("lab.carp.packet")
        assert planter.planted
        yield modules
    finally:
        sys.meta_path.remove(planter)
        for name in [name for name in sys.modules if name.startswith("lab.carp")]:
            del sys.modules[name]
        sys.modules.update(real)
        if "lab.carp" in real:
            vars(package)["carp"] = real["lab.carp"]

"""Waiting until the master is master of everything, by the wire."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.errors import LabError
from lab.experiment.capture import TcpdumpCapture
from lab.experiment.mastership import ADVERTS, advertised_links
from lab.experiment.wire import Ledger, Roster
from lab.host.world import World
from lab.topology.model import Topology

POLL_SECONDS = 0.05
BASE_SECONDS = 30.0
"""Limit from all machines ready to all VHIDs elected, on the reference machine; a take-over and a preemption take about 8."""


@dataclass
class Election:
    """Listens from before the firewalls boot, so that no advert has to be waited for twice."""

    world: World
    topology: Topology
    directory: Path
    expected: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """VHID -> who is to be its master; without a word of it, the topology's first firewall."""
    _capture: TcpdumpCapture = field(init=False)
    _ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        links = dict.fromkeys(advertised_links(self.topology), ADVERTS)
        self._capture = TcpdumpCapture(self.world, links, self.directory)
        self._ledger = Ledger(Roster.of(self.topology))

    def __enter__(self) -> Election:
        self._capture.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._capture.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def wait(self, slowness: float) -> None:
        """Return once the first firewall alone is master of every VHID. Raises LabError when that does not come to be."""
        end = time.monotonic() + BASE_SECONDS * slowness
        while True:
            self._ledger.feed(self._capture.poll())
            masters = self._masters()
            if all(nodes == self.expected.get(vhid, (self.topology.master,)) for vhid, nodes in masters.items()):
                return
            if time.monotonic() > end:
                raise self._undecided(masters)
            time.sleep(POLL_SECONDS)

    def _masters(self) -> dict[int, tuple[str, ...]]:
        heard = self._ledger.masters(time.time())
        return {
            vip.vhid: tuple(advert.node for advert in heard.get((vip.network, vip.vhid), ()))
            for vip in self.topology.carp.vips
        }

    def _undecided(self, masters: dict[int, tuple[str, ...]]) -> LabError:
        seen = [f"VHID {vhid}: {' and '.join(nodes) or 'nobody'}" for vhid, nodes in masters.items()]
        return LabError(
            "The election did not come to an end",
            expected=f"{self.topology.master} master of every VHID, by the wire",
            seen="\n".join(seen),
            cure="`./inv lab.status --full` shows it as it is now; `./inv lab.log NODE` shows a firewall's console",
        )

"""A misconfiguration: make it, let the cluster settle, see which invariants break, mend it, see them hold.

No probes here: what a mistake does is not an outage but a lie in wait. The wire says who is master, the nodes' own
configurations say why.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from lab.carp.law import master_down
from lab.errors import LabError
from lab.events import Listener, silent
from lab.expect.fault import Fault
from lab.expect.outcome import Outcome, predict
from lab.expect.paths import PathKind, inside_machines, matrix
from lab.experiment import faults, invariants
from lab.experiment.capture import Capture
from lab.experiment.contracts import Bench
from lab.experiment.heartbeat import Heartbeat
from lab.experiment.invariants import Config
from lab.experiment.mastership import listen_seconds
from lab.experiment.measure import Times
from lab.experiment.recorder import Recorder
from lab.experiment.report import complete, make_report
from lab.experiment.result import FailoverReport, Invariant, Look, RecorderCost
from lab.experiment.steps import step
from lab.experiment.timeline import ConsoleTail
from lab.topology.stage import Stage

POLL = 0.1
PING = "ping -n -q -c 3 -i 0.3 -W 2 -e {ident} {address}"
PING_SECONDS = 20.0
FIRST_IDENT, IDENTS = 0x1000, 0x2000
"""ICMP identifiers, away from those of the probes (lab.experiment.probes)."""
SYNC_SECONDS = 1.0
"""pfsync sends a new state within a second (FreeBSD if_pfsync.c, PFSYNC_DEFER and its one-second timeout)."""

NOT_HEALTHY = "The lab is not healthy, so nothing was done to it"
NOT_HEALTHY_CURE = "Look with lab.check; lab.up repairs."
ALL_HOLD = "every invariant holds"


@dataclass
class Diagnosis:
    """One run. Build it, then `run()`."""

    bench: Bench
    fault: Fault
    capture: Capture
    listener: Listener = silent
    _recorder: Recorder = field(init=False)

    def run(self) -> FailoverReport:
        """Raises LabError where an invariant is broken before anything was done, or a verb fails. The mistake is mended in any case."""
        topology = self.bench.topology
        outcome = predict(topology, self.fault, self.bench.stage)
        tails = [ConsoleTail(node, path) for node, path in self.bench.consoles.items()]
        self._recorder = Recorder(topology, self.capture, tails)
        self.capture.start()
        beat = Heartbeat(self.bench.processes)
        try:
            with beat:
                times, found = self._story(outcome)
                spent = self.capture.seconds()
        finally:
            dropped = self.capture.stop()
        self._recorder.pump()
        report = make_report(
            topology=topology,
            stage=self.bench.stage,
            outcome=replace(outcome, probes=()),
            times=times,
            stalls=beat.stalls,
            recorder=self._recorder,
            dropped=dropped,
            hand_overs=(),
            probes=(),
        )
        cost = RecorderCost(
            self._recorder.frames, report.dropped, spent / report.seconds, self._recorder.busy / report.seconds
        )
        return complete(report, times, self._recorder, (), (), tuple(found), cost)

    def _story(self, outcome: Outcome) -> tuple[Times, list[Invariant]]:
        baseline = time.time()
        before: list[Invariant] = []
        # A lab that answers at once would be judged before its masters were due to speak.
        self._step("listen", lambda: self._listen(listen_seconds(self.bench.topology)))
        self._step("look before", lambda: before.extend(self._look(Look.BEFORE)))
        broken = [one for one in before if not one.holds]
        if broken:
            seen = "\n".join(f"{one.name}: {one.subject}: {one.seen}" for one in broken)
            raise LabError(NOT_HEALTHY, expected=ALL_HOLD, seen=seen, cure=NOT_HEALTHY_CURE)
        injected = time.time()
        during: list[Invariant] = []
        try:
            self._step(f"fault: {self.fault}", lambda: faults.inject(self.bench, self.fault))
            self._step("let it settle", self._settle)
            self._step("look during", lambda: during.extend(self._look(Look.DURING)))
        finally:
            undone = time.time()
            self._step("undo the fault", lambda: faults.undo(self.bench, self.fault))
        self._step("let it settle", self._settle)
        after: list[Invariant] = []
        self._step("look after", lambda: after.extend(self._look(Look.AFTER)))
        found = [*before, *invariants.expecting(during, outcome.breaks), *after]
        return Times(baseline, injected, injected, undone - injected, undone, time.time()), found

    def _look(self, look: Look) -> list[Invariant]:
        topology, stage = self.bench.topology, self.bench.stage
        salt = secrets.token_hex(8)
        nodes = list(topology.firewalls)
        with ThreadPoolExecutor(len(nodes)) as pool:
            listed = pool.map(lambda node: self.bench.settings(node, salt), nodes)
            configs = {node: Config(lines, salt) for node, lines in zip(nodes, listed, strict=True)}
        found = list(invariants.in_the_settings(topology, stage, configs, self.bench.secrets, look))
        if stage.reaches(Stage.RULES) and topology.sync.pfsync:
            found += self._states(look)
        self._recorder.pump()
        home = look is not Look.DURING
        return [*invariants.on_the_wire(topology, stage, self._recorder.ledger, time.time(), look, home), *found]

    def _states(self, look: Look) -> list[Invariant]:
        """Make a connection through the master, and ask the backup for its state."""
        topology = self.bench.topology
        ways = (
            path for path in matrix(topology, self.bench.stage) if path.kind is PathKind.ZONE and path.verdict.allowed
        )
        path = next((way for way in ways if way.protocol == "icmp" and way.source in inside_machines(topology)), None)
        if path is None:
            return []
        ident = FIRST_IDENT + secrets.randbelow(IDENTS)
        self.bench.guests[path.source].run(PING.format(ident=ident, address=path.destination), PING_SECONDS)
        time.sleep(SYNC_SECONDS)
        words = f"{topology.machines[path.source].address}:{ident}"
        (count,) = self.bench.states(topology.backup, [words])
        return [invariants.states_held(topology, path.source, path.target, count, look)]

    def _settle(self) -> None:
        """As long as the most patient backup waits, and every master can be heard once more."""
        topology = self.bench.topology
        skew = max(firewall.advskew for firewall in topology.firewalls.values())
        self._listen(master_down(topology.carp.advbase, skew) + listen_seconds(topology))

    def _listen(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._recorder.pump()
            time.sleep(POLL)

    def _step(self, name: str, work: Callable[[], object]) -> None:
        step(self._recorder, self.listener, name, work)

"""lab.failover: do a fault to a healthy lab, undo it, and say what happened beside what should have happened."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial

from lab.carp.law import IDEAL, Conditions, master_down
from lab.errors import LabError
from lab.events import Listener, silent
from lab.expect.fault import Fault, FaultKind
from lab.expect.outcome import Cause, Fate, Outcome, predict
from lab.expect.probe import ESTABLISHED, Flow
from lab.experiment import faults, probes
from lab.experiment.capture import Capture
from lab.experiment.contracts import Bench
from lab.experiment.heartbeat import Heartbeat, Stalls
from lab.experiment.invariants import clients, on_the_wire, settles_on_one
from lab.experiment.mastership import listen_seconds
from lab.experiment.measure import Times, fault_time, hand_overs, probe_results
from lab.experiment.measure_streams import STREAM_DEAD, stream_results
from lab.experiment.probes import Traffic, plan_traffic
from lab.experiment.recorder import Recorder
from lab.experiment.report import complete, make_report
from lab.experiment.result import FailoverReport, Invariant, Kind, Look, RecorderCost
from lab.experiment.steps import step
from lab.experiment.timeline import DONE, KINDS, UNDONE, ConsoleTail, log_notes
from lab.experiment.wire import Group, TakeOver, take_overs

POLL = 0.1
QUICK_POLL = 0.01
AFTER_TAKE_OVER = 1.0
"""Seconds after the last take-over in which every probe has gone on."""
ELECTION_SECONDS = 5.0
"""On top of the time it takes to hear every master: enough for a return that has begun."""

BASELINE_SECONDS = 2.0
FIRST_ANSWERS_SECONDS = 30.0
FIRST_ANSWERS = 3
AFTERMATH_SECONDS = 2.0
"""After each hand-over the probes go on that long, so that a second disturbance is seen."""
RESUME_SECONDS = 15.0

MUTE_SECONDS = 3.0
"""A probe without an answer for so long at the end has not recovered; all ask more often."""
FAULT = "fault: {fault}"
NOT_HEALTHY = "The lab is not healthy, so nothing was done to it"
NOT_HEALTHY_CURE = "Look with lab.check; lab.up repairs."
EXPECTED_MASTER = "{node} alone is master of every VHID, by the wire"
VHID_SEEN = "VHID {vhid} on {network}: {nodes}"
NOBODY = "nobody"
EXPECTED_ANSWERS = "every allowed probe is answered"


@dataclass
class Failover:
    """One run. Build it, then `run()`; a second run needs a second object."""

    bench: Bench
    fault: Fault
    capture: Capture
    listener: Listener = silent
    conditions: Conditions = IDEAL
    _recorder: Recorder = field(init=False)
    _ended: float | None = field(default=None, init=False)
    _held: dict[str, bool] = field(default_factory=dict, init=False)
    _invariants: list[Invariant] = field(default_factory=list, init=False)
    _outcome: Outcome = field(init=False)
    _traffic: tuple[Traffic, ...] = field(init=False)

    def run(self) -> FailoverReport:
        """Raises LabError where the lab is not fit for it, or a verb fails. Probes and capture end in any case."""
        topology = self.bench.topology
        outcome = predict(topology, self.fault, self.bench.stage, self.conditions)
        if self.fault.undoes_itself:
            # It is over before a probe could be begun in the middle of it.
            begun = tuple(one for one in outcome.probes if one.probe.flow is not Flow.NEW)
            outcome = replace(outcome, probes=begun)
        self._outcome = outcome
        self._traffic = plan_traffic(topology, (expected.probe for expected in outcome.everything), int(time.time()))
        tails = [ConsoleTail(node, path) for node, path in self.bench.consoles.items()]
        self._recorder = Recorder(topology, self.capture, tails)
        self._recorder.follow(self._traffic)
        machines = sorted({name for one in self._traffic for name in (one.probe.source, one.probe.path.target)})
        machines = [name for name in machines if name in self.bench.guests]
        self.capture.start()
        beat = Heartbeat(self.bench.processes)
        try:
            with beat:
                probes.stop(self.bench.guests, machines)
                try:
                    times = self._story()
                finally:
                    probes.stop(self.bench.guests, machines)
                cost = self._cost(times)
        finally:
            dropped = self.capture.stop()
        self._recorder.pump()
        self._read_logs(times)
        return self._report(times, beat.stalls, dropped, cost)

    def _report(self, times: Times, stalls: Stalls, dropped: Mapping[str, int], cost: RecorderCost) -> FailoverReport:
        timers = self.bench.limits.timers
        judged = (self._outcome, self._traffic, self._recorder, times, stalls, timers)
        report = make_report(
            topology=self.bench.topology,
            stage=self.bench.stage,
            outcome=self._outcome,
            times=times,
            stalls=stalls,
            recorder=self._recorder,
            dropped=dropped,
            hand_overs=hand_overs(self._outcome, self._recorder, times, stalls, timers),
            probes=probe_results(*judged),
        )
        return complete(
            report,
            times,
            self._recorder,
            self._traffic,
            tuple(stream_results(*judged, self._held)),
            tuple(self._invariants),
            replace(cost, dropped=sum(dropped.values())),
        )

    def _story(self) -> Times:
        late = [one for one in self._traffic if one.probe.flow is Flow.NEW]
        early = [one for one in self._traffic if one.probe.flow not in (Flow.NEW, *ESTABLISHED)]
        servers = partial(probes.start_servers, self.bench.guests, self._traffic)
        self._step("start the streams' servers", lambda: self._while_pumping(servers))
        self._step("wait for one master", self._await_election)
        self._step("start the probes", lambda: self._start_probes(early))
        baseline = time.time()
        self._pump_for(BASELINE_SECONDS)
        self._look(Look.BEFORE)
        injected = time.time()
        try:
            self._step(FAULT.format(fault=self.fault), lambda: self._while_pumping(self._inject))
            done = time.time()
            undone = self._ends_itself(injected) if self.fault.undoes_itself else self._middle(early, late, injected)
        except BaseException:
            # Whatever went wrong, the lab is not left with a fault in it.
            with contextlib.suppress(LabError):
                faults.undo(self.bench, self.fault)
            raise
        self._step("wait for the probes", lambda: self._until(self._all_answered_after(time.time()), RESUME_SECONDS))
        self._pump_for(AFTERMATH_SECONDS)
        self._until(self._all_answered_after(time.time()), RESUME_SECONDS)
        if not self.fault.undoes_itself or self.fault.kind is FaultKind.REBOOT:
            self._until(self._streams_decided(time.time()), RESUME_SECONDS)
        self._look(Look.AFTER)
        end = time.time()
        at, doubt = fault_time(self._outcome, self._traffic, self._recorder, (injected, done, undone))
        return Times(baseline, injected, at, doubt, undone, end, self._ended)

    def _middle(self, early: list[Traffic], late: list[Traffic], injected: float) -> float:
        """From the fault that is done to the master's return. Returns when the undoing began."""
        limits = self.bench.limits
        if self._outcome.moves:
            self._step("wait for the hand-over", lambda: self._until(lambda: self._moved(injected), self._longest))
        else:
            wait = master_down(self.bench.topology.carp.advbase, 254)
            self._step("watch that nothing moves", lambda: self._pump_for(wait))
        moved = time.time()
        self._step("wait for the probes", lambda: self._until(lambda: self._recovered(early, moved), limits.hand_over))
        self._step("start new probes", lambda: self._while_pumping(lambda: probes.start(self.bench.guests, late)))
        fresh = [one for one in late if self._fate(one) is not Fate.LOST]
        self._until(lambda: self._recorder.answering(fresh, moved), limits.hand_over)
        self._step("wait for the streams", lambda: self._until(self._streams_decided(moved), STREAM_DEAD))
        self._pump_for(AFTERMATH_SECONDS)
        self._look(Look.DURING)
        if self._outcome.moves:
            self._step("look for the streams' states", lambda: self._while_pumping(self._ask_states))
        undone = time.time()
        self._step("undo the fault", lambda: self._while_pumping(self._undo))
        if any(vhid.fault.cause is not Cause.STAYS for vhid in self._outcome.vhids):
            self._step("wait for the master's return", lambda: self._until(self._home, limits.comeback))
        return undone

    def _ends_itself(self, injected: float) -> float:
        """The same where the fault is its own undoing. Returns the moment from which all belongs to the return."""
        if self.fault.kind is FaultKind.RETURN:
            begun = "wait for the take-over to begin"
            self._step(begun, lambda: self._until(lambda: bool(self._taken(injected)), self._longest, QUICK_POLL))
            self._ended = time.time()
            self._step("let the master go on", self._undo)
        else:
            self._ended = time.time()
        moving = {(vhid.network, vhid.vhid) for vhid in self._outcome.vhids if vhid.fault.at and vhid.fault.certain}

        def over() -> bool:
            return moving <= self._taken(injected) and self._home()

        self._step(
            "wait for the master's return", lambda: self._until(over, self._longest + self.bench.limits.comeback)
        )
        if self.fault.kind is FaultKind.REBOOT:
            # What was lost may come back before CARP does: the node hands on what reaches it as soon as it routes.
            taken = [change.time for change in self._changes(injected) if change.new != self.fault.node]
            self._ended = self._recorder.back_from_silence(self.fault.node, injected, time.time())
            return max(self._ended, max(taken, default=0.0) + AFTER_TAKE_OVER)
        self._step("wait for the probes", lambda: self._until(self._all_answered_after(time.time()), RESUME_SECONDS))
        self._step("wait for the streams", lambda: self._until(self._streams_decided(time.time()), STREAM_DEAD))
        self._pump_for(AFTERMATH_SECONDS)
        return time.time()

    def _inject(self) -> None:
        self._note(DONE)
        faults.inject(self.bench, self.fault)

    def _undo(self) -> None:
        self._note(UNDONE)
        faults.undo(self.bench, self.fault)

    def _note(self, words: str) -> None:
        kind = KINDS.get(self.fault.kind, Kind.COMMAND)
        self._recorder.note(kind, self.fault.node, words.format(fault=self.fault))

    @property
    def _longest(self) -> float:
        """Seconds until every VHID must have moved, and some patience."""
        law = max((vhid.fault.at.high for vhid in self._outcome.vhids if vhid.fault.at), default=0.0)
        return law + self.bench.limits.hand_over

    def _changes(self, since: float) -> list[TakeOver]:
        return [change for change in take_overs(self._recorder.ledger.adverts) if change.time > since]

    def _taken(self, since: float) -> set[Group]:
        """VHIDs that changed hands at least once since then."""
        return {(change.network, change.vhid) for change in self._changes(since)}

    # -- before

    def _await_election(self) -> None:
        """Every VHID on the node that rules a healthy lab, and nobody else."""
        self._until(self._home, ELECTION_SECONDS + listen_seconds(self.bench.topology))
        if not self._home():
            raise LabError(
                NOT_HEALTHY,
                expected=EXPECTED_MASTER.format(node=self.bench.topology.master),
                seen=self._masters_text(),
                cure=NOT_HEALTHY_CURE,
            )

    def _start_probes(self, early: list[Traffic]) -> None:
        begun = time.time()
        self._while_pumping(lambda: probes.start(self.bench.guests, [*early, *self._streams]))
        wanted = [one for one in early if self._fate(one) is not Fate.DENIED]
        self._until(lambda: self._recorder.answering(wanted, begun, FIRST_ANSWERS), FIRST_ANSWERS_SECONDS)
        self._until(lambda: self._recorder.flowing(self._streams, begun), FIRST_ANSWERS_SECONDS)
        mute = [one.probe.id for one in wanted if not self._recorder.answering([one], begun, FIRST_ANSWERS)]
        mute += [one.probe.id for one in self._streams if not self._recorder.flowing([one], begun)]
        if mute:
            raise LabError(NOT_HEALTHY, expected=EXPECTED_ANSWERS, seen="\n".join(mute), cure=NOT_HEALTHY_CURE)

    # -- conditions

    def _all_answered_after(self, since: float) -> Callable[[], bool]:
        """Every probe that the rules allow has an answer to something asked since then: a busy guest may answer late."""
        returning = self._returning
        return lambda: self._recorder.answering(returning, since)

    @property
    def _returning(self) -> list[Traffic]:
        """The probes of which an answer is expected when the fault is undone."""
        expected = {one.probe.id for one in self._outcome.everything if one.back is not None}
        return [one for one in self._traffic if one.probe.id in expected and one not in self._streams]

    def _home(self) -> bool:
        """Whether every VHID is where it belongs in a healthy lab."""
        masters = self._recorder.ledger.masters(time.time())
        return all(
            [advert.node for advert in masters.get((vhid.network, vhid.vhid), ())] == [vhid.before]
            for vhid in self._outcome.vhids
        )

    def _moved(self, since: float) -> bool:
        """Whether every VHID that should move has its new master, heard after the fault."""
        masters = self._recorder.ledger.masters(time.time())
        return all(
            any(
                advert.node == vhid.after and advert.time > since
                for advert in masters.get((vhid.network, vhid.vhid), ())
            )
            for vhid in self._outcome.vhids
            if vhid.fault.at is not None
        )

    def _recovered(self, early: list[Traffic], since: float) -> bool:
        going_on = [one for one in early if self._fate(one) in (Fate.SURVIVES, Fate.OUTAGE)]
        return self._recorder.answering(going_on, since)

    def _fate(self, traffic: Traffic) -> Fate:
        return next(item.fate for item in self._outcome.everything if item.probe.id == traffic.probe.id)

    @property
    def _streams(self) -> list[Traffic]:
        return [one for one in self._traffic if one.probe.flow in ESTABLISHED]

    def _streams_decided(self, since: float) -> Callable[[], bool]:
        """Every stream that should go on has done so after `since`, and one that should be lost has had its time."""
        going_on = [one for one in self._streams if self._fate(one) is not Fate.LOST]
        some_lost = len(going_on) < len(self._streams)

        def decided() -> bool:
            over = not some_lost or time.time() - since > STREAM_DEAD
            return over and self._recorder.flowing(going_on, since)

        return decided

    def _ask_states(self) -> None:
        """Whether the survivor's state table has each stream."""
        topology = self.bench.topology
        survivor = next(name for name in topology.firewalls if name != self.fault.node)
        ports = {one.probe.id: self._recorder.connection(one) for one in self._streams}
        words = {
            one.probe.id: f"{topology.machines[one.probe.source].address}:{connection.client_port}"
            for one in self._streams
            if (connection := ports[one.probe.id]) is not None
        }
        counts = self.bench.states(survivor, list(words.values()))
        self._held.update({name: count > 0 for name, count in zip(words, counts, strict=True)})

    # -- beside the probes

    def _look(self, look: Look) -> None:
        """What has to hold, by the wire and the probes."""
        self._recorder.pump()
        now, home = time.time(), look is not Look.DURING
        found = on_the_wire(self.bench.topology, self.bench.stage, self._recorder.ledger, now, look, home)
        if look is Look.DURING and not settles_on_one(self._outcome):
            return
        self._invariants += found
        if look is Look.AFTER:
            mute = [one.probe.id for one in self._returning if not self._recorder.answering([one], now - MUTE_SECONDS)]
            self._invariants.append(clients(mute, look))

    def _read_logs(self, times: Times) -> None:
        """Both firewalls' own logs, on the host's clock. One that does not answer has said enough."""
        for node in self.bench.topology.firewalls:
            with contextlib.suppress(LabError):
                said = self.bench.log(node)
                self._recorder.notes += log_notes(node, said, time.time(), times.baseline)

    def _cost(self, times: Times) -> RecorderCost:
        seconds = max(times.end - times.baseline, 1e-3)
        return RecorderCost(self._recorder.frames, 0, self.capture.seconds() / seconds, self._recorder.busy / seconds)

    # -- waiting is listening

    def _until(self, condition: Callable[[], bool], seconds: float, poll: float = POLL) -> bool:
        """Listen until it holds; False where it never did. What that means is judged from the recording."""
        deadline = time.monotonic() + seconds
        while True:
            self._recorder.pump()
            if condition():
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(poll)

    def _pump_for(self, seconds: float) -> None:
        self._until(lambda: False, seconds)

    def _while_pumping(self, work: Callable[[], None]) -> None:
        """Do something slow and listen meanwhile. Raises what it raises."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            future: Future[None] = pool.submit(work)
            while not future.done():
                self._recorder.pump()
                time.sleep(POLL)
            future.result()

    def _step(self, name: str, work: Callable[[], object]) -> None:
        step(self._recorder, self.listener, name, work)

    def _masters_text(self) -> str:
        masters = self._recorder.ledger.masters(time.time())
        return (
            "\n".join(
                VHID_SEEN.format(network=network, vhid=vhid, nodes=", ".join(advert.node for advert in found) or NOBODY)
                for (network, vhid), found in masters.items()
            )
            or NOBODY
        )

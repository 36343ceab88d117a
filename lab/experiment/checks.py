"""lab.check: is the lab what its topology says, at its stage? Everything is asked at once; the wire decides."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lab.appliances.carp_text import CarpWord
from lab.errors import LabError
from lab.events import Listener, silent
from lab.expect.paths import matrix
from lab.experiment.capture import TcpdumpCapture
from lab.experiment.contracts import Subject
from lab.experiment.mastership import Mastership, listen_seconds, master_results, mastership_of
from lab.experiment.reach import path_results, try_paths
from lab.experiment.result import CheckResult
from lab.experiment.segment import ask, questions, segment_results
from lab.progress import telling
from lab.topology.model import Topology
from lab.topology.plan import bridge_name, make_plan
from lab.topology.stage import Stage

QUESTIONS_ONLY = "ip proto 112 or icmp[icmptype] == icmp-echo or tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn"

BRIEF_INTERVALS = 1.3
"""Of the longest a master can have: enough for a second one that is demoted, and a third of a second late."""

WORD = "{node}'s own word agrees with the wire"
WORD_VHID = "VHID {vhid} {state}"
WORD_DEMOTION = "demotion {demotion}"
WORD_ANSWER = "an answer on its console"
COMMA = ", "

T = TypeVar("T")


@dataclass(frozen=True)
class CheckReport:
    """Everything that was looked at. JSON: dataclasses.asdict."""

    topology: str
    stage: Stage
    results: tuple[CheckResult, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        return all(result.ok for result in self.results)

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        return tuple(result for result in self.results if not result.ok)


def run_checks(subject: Subject, listener: Listener = silent) -> CheckReport:
    """Look at everything. What is wrong with the lab stands in the report; LabError only where looking itself fails."""
    begun = time.monotonic()
    topology, stage = subject.topology, subject.stage
    paths, asked = matrix(topology, stage), questions(topology, stage)
    with tempfile.TemporaryDirectory(prefix="uranus-check-") as directory, ThreadPoolExecutor(max_workers=8) as pool:
        links = {bridge_name(network): QUESTIONS_ONLY for network in topology.networks}
        capture = TcpdumpCapture(subject.world, links, Path(directory))
        capture.start()
        try:
            listening = time.monotonic()
            tried = pool.submit(_told, listener, "try every path", lambda: try_paths(subject.guests, paths))
            replies = pool.submit(_told, listener, "ask every segment", lambda: ask(subject.world, asked))
            words = {
                name: pool.submit(_told, listener, f"ask {name}", firewall.carp)
                for name, firewall in subject.firewalls.items()
            }
            answers, heard = tried.result(), replies.result()
            own = {name: _word_or_reason(future.result) for name, future in words.items()}
            time.sleep(max(0.0, listening + listen_seconds(topology, BRIEF_INTERVALS) - time.monotonic()))
        finally:
            capture.stop()
        frames = capture.poll()
    seen = mastership_of(topology, frames, time.time())
    results = (
        *path_results(topology, paths, answers, frames),
        *master_results(topology, stage, seen),
        *segment_results(asked, heard),
        *(_word_result(topology, stage, seen, name, word) for name, word in own.items()),
    )
    return CheckReport(topology.name, stage, results, time.monotonic() - begun)


def _told(listener: Listener, step: str, work: Callable[[], T]) -> T:
    with telling(listener, "lab", step):
        return work()


def _word_or_reason(answer: Callable[[], CarpWord]) -> CarpWord | str:
    try:
        return answer()
    except LabError as error:
        return str(error)


def _word_result(topology: Topology, stage: Stage, seen: Mastership, node: str, word: CarpWord | str) -> CheckResult:
    what = WORD.format(node=node)
    if isinstance(word, str):
        return CheckResult(f"word:{node}", what, WORD_ANSWER, word, False)
    vips = make_plan(topology).vips if stage.reaches(Stage.VIPS) else ()
    wire = [(vip.vhid, "MASTER" if node in seen.nodes(vip.network, vip.vhid) else "BACKUP") for vip in vips]
    expected = _states(wire, 0)
    said = _states([(vip.vhid, word.state_on(vip.device, vip.vhid)) for vip in vips], word.demotion)
    return CheckResult(f"word:{node}", what, expected, said, said == expected)


def _states(states: Sequence[tuple[int, str]], demotion: int) -> str:
    words = [WORD_VHID.format(vhid=vhid, state=state) for vhid, state in states]
    return COMMA.join([*words, WORD_DEMOTION.format(demotion=demotion)])

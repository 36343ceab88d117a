"""`lab.drill`: the fault matrix in one run, as a score card."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from lab.commands import present
from lab.commands.failover import fit_for_a_fault, run_fault
from lab.commands.report import known_language
from lab.commands.session import opened
from lab.commands.subject import RunningLab
from lab.expect.catalogue import matrix
from lab.expect.fault import Fault, parse
from lab.experiment import loss
from lab.experiment.drill import Score, ScoreCard, drill
from lab.experiment.mastership import mastership
from lab.experiment.result import FailoverReport, Verdict
from lab.host.deadline import Deadline, wait_until
from lab.host.lock import locked
from lab.machines.machine import MachineState

COLUMNS = ["fault", "verdict", "take-over", "longest outage", "seconds", "problem"]
SECONDS, NOTHING = "{0:.3f} s", "-"
TITLE = "drill of {topology}, stage {stage}"
SUMMARY = "{passed} pass, {failed} fail, {unexplained} unexplained of {count} runs"
DIRECTORY = "{round:02d}-{fault}"


def run(name: str | None, only: str, repeat: int, report: str | None, json: bool, language: str = "en") -> int:
    """The command. only: faults by comma, each as `lab.failover --fault` takes it; "" for all. Exit code 0 when all passed."""

    def body() -> int:
        known_language(language)
        with opened(name) as session, locked(session.paths, "lab.drill", listener=present.Progress()):
            lab = fit_for_a_fault(session)
            card = _card(lab, chosen(lab, only), repeat, Path(report) if report else None, json, language)
        if json:
            present.as_json(as_data(card))
        else:
            print(as_text(card))
        return 0 if card.ok else 1

    return present.run(body, json)


def chosen(lab: RunningLab, only: str) -> tuple[Fault, ...]:
    """The faults asked for, or all that the lab's stage has something for. Raises LabError for an unknown one."""
    if only:
        words = [each.strip() for each in only.split(",") if each.strip()]
        return tuple(_parse(lab, each) for each in words)
    return tuple(matrix(lab.topology, lab.stage))


def _parse(lab: RunningLab, words: str) -> Fault:
    """`kill`, `kill backup`, `unplug wan`, `unplug backup wan`."""
    kind, *rest = words.split()
    node = next((word for word in rest if word in lab.topology.firewalls), "")
    return parse(lab.topology, kind, node, next((word for word in rest if word != node), ""))


def _card(
    lab: RunningLab, faults: tuple[Fault, ...], rounds: int, directory: Path | None, quiet: bool, language: str
) -> ScoreCard:
    def once(fault: Fault, number: int) -> FailoverReport:
        place = DIRECTORY.format(round=number, fault=str(fault).replace(" ", "-"))
        return run_fault(lab, fault, directory / place if directory else None, language)

    def tell(score: Score) -> None:
        if not quiet:
            print("  ".join(cell for cell in row(score)), flush=True)

    scores = tuple(drill(faults, rounds, once, lambda: mend(lab), tell))
    return ScoreCard(lab.topology.name, lab.stage.value, rounds, scores)


def mend(lab: RunningLab) -> None:
    """After a run that broke off: every node on and running, every cable in, CARP on. Raises LabError where it does not help."""
    topology = lab.topology
    loss.end(lab)
    for node in topology.firewalls:
        if lab.session.machine(node).state() is MachineState.PAUSED:
            lab.resume(node)
        lab.start(node)
        for network in topology.networks:
            lab.set_link(node, network, up=True)
            lab.delay(node, network, 0.0)
    for node in topology.firewalls:
        lab.restore(node)
        lab.maintenance(node, enter=False)
        lab.carp_on(node)

    def home() -> bool:
        seen = mastership(lab)
        return all(seen.nodes(vip.network, vip.vhid) == (topology.master,) for vip in topology.carp.vips)

    wait_until(home, Deadline.after(lab.limits.comeback), f"{topology.master} master of every VHID")


def as_data(card: ScoreCard) -> dict[str, object]:
    """For --json, and for docs/drill.md (bench/drill_table.py)."""
    return {
        "ok": card.ok,
        **asdict(card),
        "passed": card.count(Verdict.PASS),
        "failed": card.count(Verdict.FAIL),
        "unexplained": card.count(Verdict.UNEXPLAINED),
    }


def row(score: Score) -> list[str]:
    """Cells under COLUMNS."""
    times = [NOTHING if value is None else SECONDS.format(value) for value in (score.take_over, score.outage)]
    return [score.fault, score.verdict.value, *times, f"{score.seconds:.1f}", score.problem]


def as_text(card: ScoreCard) -> str:
    """The score card."""
    table = present.table(
        TITLE.format(topology=card.topology, stage=card.stage), COLUMNS, [row(score) for score in card.scores]
    )
    summary = SUMMARY.format(
        passed=card.count(Verdict.PASS),
        failed=card.count(Verdict.FAIL),
        unexplained=card.count(Verdict.UNEXPLAINED),
        count=len(card.scores),
    )
    return f"{table}\n\n{summary}"

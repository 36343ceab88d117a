"""`lab.push`: a running lab from one stage to another, without a reboot, and proof that both nodes obey."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace

from lab.appliances.stored_config import read_stored, tree_of_file
from lab.appliances.sync_law import meant
from lab.commands import present
from lab.commands.check import as_text
from lab.commands.election import Election
from lab.commands.record import write_record
from lab.commands.session import Session, opened
from lab.commands.subject import RunningLab
from lab.config.differences import Difference
from lab.errors import LabError
from lab.events import Listener
from lab.experiment.checks import CheckReport, run_checks
from lab.host.lock import locked
from lab.host.passwords import passwords_of
from lab.progress import telling
from lab.render.config_xml import config_xml
from lab.topology.stage import Stage, parse_stage

BY_THE_SYNC = ("hasync/adminsync",)
"""What a sync leaves on the backup that no configuration of its own has (src/usr/local/www/xmlrpc.php)."""

NOT_AS_SENT = "{node} stores another configuration than the one it was sent"
DIFFERENCE = "{path}: {seen!r}, not {expected!r}"
CURE = "try again; `./inv lab.log {node}` shows its console"
DONE = "Lab {name} is at stage {stage} after {seconds:.0f} s, without a reboot."
STEP_CONFIG, STEP_STORED = "new configuration, obeyed", "reads back as sent"


@dataclass(frozen=True)
class Pushed:
    """checks: of the new stage; None where they were left out."""

    stage: Stage
    seconds: float
    checks: CheckReport | None

    @property
    def ok(self) -> bool:
        return self.checks is None or self.checks.ok


def run(name: str | None, stage: str, check: bool, json: bool) -> int:
    """The command. Exit code 0 when both nodes obey and every check of the stage passes."""

    def body() -> int:
        wanted = parse_stage(stage)
        with opened(name) as session:
            listener = present.Progress(session.paths.log)
            with locked(session.paths, "lab.push", listener=listener):
                done = push(session, wanted, check, listener)
        if json:
            present.as_json({"ok": done.ok, "stage": wanted.value, "seconds": round(done.seconds, 1)})
        else:
            if done.checks:
                print(as_text(done.checks) + "\n")
            print(DONE.format(name=session.record.name, stage=wanted.value, seconds=done.seconds))
        return 0 if done.ok else 1

    return present.run(body, json)


def push(session: Session, stage: Stage, check: bool, listener: Listener) -> Pushed:
    """Both nodes to `stage`, forward or back; the same stage again undoes what was changed by hand. Raises LabError."""
    begun = time.monotonic()
    secrets = passwords_of(session.paths.secrets, session.plan.topology)
    texts = {
        node.name: config_xml(session.plan, node.name, stage, secrets, revision_time=int(time.time()))
        for node in session.plan.firewalls
    }
    election = Election(session.world, session.plan.topology, session.paths.root / "election")
    with election if stage.reaches(Stage.VIPS) else nullcontext():
        _each(texts, lambda node: _install(session, node, texts[node], listener))
        after = replace(session, record=replace(session.record, stage=stage))
        write_record(session.paths, after.record)
        if stage.reaches(Stage.VIPS):
            with telling(listener, "lab", "election"):
                election.wait(session.record.slowness)
    _each(texts, lambda node: _verify(after, node, texts[node], listener))
    seconds = time.monotonic() - begun
    return Pushed(stage, seconds, run_checks(RunningLab(after), listener) if check else None)


def _install(session: Session, node: str, text: str, listener: Listener) -> None:
    with telling(listener, node, STEP_CONFIG):
        session.firewall(node).install_config(text.encode())
    path = session.paths.config_xml(node)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)


def _verify(session: Session, node: str, text: str, listener: Listener) -> None:
    """Raises LabError where what the node stores does not mean what it was sent."""
    with telling(listener, node, STEP_STORED), session.xmlrpc(node) as firewall:
        sent = tree_of_file(text.encode())
        wrong = not_as_sent(meant(sent, read_stored(firewall, [child.tag for child in sent])))
    if wrong:
        raise LabError(
            NOT_AS_SENT.format(node=node),
            expected=f"config.xml of stage {session.record.stage.value}",
            seen="\n".join(
                DIFFERENCE.format(path=each.path, seen=each.other, expected=each.one) for each in wrong[:20]
            ),
            cure=CURE.format(node=node),
        )


def not_as_sent(found: tuple[Difference, ...]) -> list[Difference]:
    return [each for each in found if each.path not in BY_THE_SYNC]


def _each(texts: dict[str, str], work: Callable[[str], None]) -> None:
    """All nodes at once; the first failure is raised when all have ended."""
    with ThreadPoolExecutor(len(texts)) as pool:
        futures = [pool.submit(work, node) for node in texts]
    for future in futures:
        future.result()

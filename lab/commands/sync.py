"""`lab.sync`: a configuration sync from master to backup, now; its proof on the backup; and how the two nodes differ."""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from lab.appliances.stored_config import read_stored
from lab.appliances.sync_law import Comparison, compare
from lab.commands import present
from lab.commands.session import Session, opened
from lab.config.differences import Difference
from lab.errors import LabError
from lab.events import Event, Listener, Phase
from lab.expect.paths import sync_paths
from lab.experiment.capture import TcpdumpCapture
from lab.experiment.mastership import ADVERTS, advertised_links, listen_seconds
from lab.experiment.wire import AdvertSeen, Ledger, Roster
from lab.host.lock import locked
from lab.topology.stage import Stage

MERGED = "Merged in config ("
"""How the revision on a backup begins that has taken a sync (src/usr/local/www/xmlrpc.php)."""

TOO_EARLY = "At stage {stage} nothing is synchronised yet"
EARLY_CURE = "`./inv lab.push {stage}` moves the lab there without a reboot"
BLOCKED = "{backup} denies the configuration sync at stage {stage}, as it should"
BLOCKED_EXPECTED = "a rule on {network} that lets tcp 443 of the other node in"
NOT_ARRIVED = "The configuration sync did not arrive on {backup}"
ARRIVED = "a new revision on {backup}: `{merged}...`"
NOT_EQUAL = "{backup} has not become what {master} sent"
DIFFERENCE = "{path}: {seen!r}, not {expected!r}"
MOVED = "VHIDs changed hands during the sync"
CURE = "`./inv lab.exec {master} 'tail /var/log/system.log'` shows what it logged"
TITLE = "{master} and {backup}, section by section"
SENT, ACCOUNTS, OWN = "by the sync", "users and groups by the sync", "each its own"
SAME, AS_MEANT, DIFFER = "the same", "{count} differ, as they should", "{count} differ"
DONE = "Synchronised in {seconds:.1f} s, proved on {backup}; {changed}; no VHID changed hands."
CHANGED, UNCHANGED = "changed there: {sections}", "it changed nothing there"
SHOWN = 3
"""How many differences of a section are named in the table."""


@dataclass(frozen=True)
class Synchronised:
    """sections: the nodes afterwards. changed: sections that became different on the backup. said: what the master logged."""

    master: str
    backup: str
    sections: tuple[Comparison, ...]
    changed: tuple[str, ...]
    said: tuple[str, ...]
    seconds: float


def run(name: str | None, json: bool) -> int:
    """The command. Exit code 0 when the backup provably has what the master sent."""

    def body() -> int:
        with opened(name) as session:
            listener = present.Progress(session.paths.log)
            with locked(session.paths, "lab.sync", listener=listener):
                done = synchronise(session, listener)
        if json:
            present.as_json({"ok": True, **as_data(done)})
        else:
            print(as_text(done))
        return 0

    return present.run(body, json)


def synchronise(session: Session, listener: Listener) -> Synchronised:
    """Raises LabError where the stage has no sync, the rules deny it, or the backup is not afterwards what it must be."""
    topology, stage = session.plan.topology, session.record.stage
    master, backup = topology.master, topology.backup
    _refuse(session)
    with session.xmlrpc(master) as first, session.xmlrpc(backup) as second, ThreadPoolExecutor(2) as pool:
        before = read_stored(second)
        with tempfile.TemporaryDirectory(prefix="uranus-sync-") as scratch:
            capture = TcpdumpCapture(session.world, dict.fromkeys(advertised_links(topology), ADVERTS), Path(scratch))
            capture.start()
            try:
                begun = time.monotonic()
                listener(Event(master, "configuration sync", Phase.STARTED))
                said = session.firewall(master).synchronise()
                seconds = time.monotonic() - begun
                listener(Event(master, "configuration sync", Phase.DONE, seconds))
                reads = pool.submit(read_stored, first), pool.submit(read_stored, second)
                ours, theirs = reads[0].result(), reads[1].result()
                time.sleep(max(0.0, begun + 2 * listen_seconds(topology) - time.monotonic()))
            finally:
                capture.stop()
            ledger = Ledger(Roster.of(topology))
            ledger.feed(capture.poll())
    _assert_arrived(before, theirs, backup, said, master)
    sections = compare(ours, theirs)
    _assert_equal(sections, master, backup, said)
    if stage.reaches(Stage.VIPS):
        _assert_quiet(ledger.adverts, master)
    changed = tuple(each.section for each in compare(before, theirs) if each.differ and each.section != "revision")
    return Synchronised(master, backup, sections, changed, tuple(said.splitlines()), seconds)


def _refuse(session: Session) -> None:
    topology, stage = session.plan.topology, session.record.stage
    if not stage.reaches(Stage.XMLRPC) or not topology.sync.xmlrpc:
        raise LabError(
            TOO_EARLY.format(stage=stage.value),
            expected=f"stage {Stage.XMLRPC.value} or later",
            seen=f"stage {stage.value}",
            cure=EARLY_CURE.format(stage=Stage.RULES.value),
        )
    verdict = sync_paths(topology, stage)["xmlrpc"]
    if not verdict.allowed:
        raise LabError(
            BLOCKED.format(backup=topology.backup, stage=stage.value),
            expected=BLOCKED_EXPECTED.format(network=topology.sync.network),
            seen=verdict.reason,
            cure=EARLY_CURE.format(stage=Stage.RULES.value),
        )


def _assert_arrived(before: Element, after: Element, backup: str, said: str, master: str) -> None:
    stamps = [(root.findtext("revision/time"), root.findtext("revision/description") or "") for root in (before, after)]
    if MERGED in stamps[1][1] or "XMLRPC" in stamps[1][1]:
        return
    raise LabError(
        NOT_ARRIVED.format(backup=backup),
        expected=ARRIVED.format(backup=backup, merged=MERGED),
        seen=f"its last change: {stamps[1][1]}\n{said}",
        cure=CURE.format(master=master),
    )


def _assert_equal(sections: tuple[Comparison, ...], master: str, backup: str, said: str) -> None:
    wrong = [each for section in sections for each in section.wrong]
    if wrong:
        rows = [DIFFERENCE.format(path=each.path, seen=each.other, expected=each.one) for each in wrong[:20]]
        raise LabError(
            NOT_EQUAL.format(backup=backup, master=master),
            expected="every section that is sent, as sent",
            seen="\n".join([*rows, said]),
            cure=CURE.format(master=master),
        )


def _assert_quiet(adverts: list[AdvertSeen], master: str) -> None:
    others = sorted({(each.vhid, each.node) for each in adverts if each.node != master})
    if others:
        seen = "\n".join(f"VHID {vhid}: an advert of {node}" for vhid, node in others)
        raise LabError(MOVED, expected=f"adverts of {master} alone", seen=seen, cure="`./inv lab.status --full`")


def as_data(done: Synchronised) -> dict[str, Any]:
    return {
        "seconds": round(done.seconds, 2),
        "changed": list(done.changed),
        "sections": [
            {"section": each.section, "synchronised": each.sent, "differences": [asdict(one) for one in each.differ]}
            for each in done.sections
        ],
        "log": list(done.said),
    }


def as_text(done: Synchronised) -> str:
    """Sections of which there is something to say; the empty ones that are equal anyhow are left out."""
    rows = [
        [
            each.section,
            _kept(each),
            (AS_MEANT if each.sent else DIFFER).format(count=len(each.differ)) if each.differ else SAME,
            "\n".join(_difference(one) for one in each.differ[:SHOWN]) + ("\n…" if len(each.differ) > SHOWN else ""),
        ]
        for each in done.sections
        if each.sent or each.differ
    ]
    title = TITLE.format(master=done.master, backup=done.backup)
    columns = ["section", "kept in step", "nodes", f"{done.master} / {done.backup}"]
    changed = CHANGED.format(sections=", ".join(done.changed)) if done.changed else UNCHANGED
    parts = (present.table(title, columns, rows), "\n".join(done.said))
    return "\n\n".join((*parts, DONE.format(seconds=done.seconds, backup=done.backup, changed=changed)))


def _kept(each: Comparison) -> str:
    if not each.sent:
        return OWN
    return ACCOUNTS if each.section == "system" else SENT


def _difference(each: Difference) -> str:
    return f"{each.path.removeprefix(each.section + '/')}: {each.one} / {each.other}"

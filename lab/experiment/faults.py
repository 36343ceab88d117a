"""Doing a fault to a running lab, and undoing it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from lab.carp.law import DEMOTION
from lab.expect.fault import DELAY_SECONDS, FLAP_SECONDS, LOSS_SHARE, Fault, FaultKind
from lab.expect.mistake import edits
from lab.experiment import loss
from lab.experiment.contracts import Bench


def inject(bench: Bench, fault: Fault) -> None:
    """Returns when it is done; for one that undoes itself, when it is over. Raises LabError."""
    network = fault.network or ""
    match fault.kind:
        case FaultKind.KILL:
            bench.kill(fault.node)
        case FaultKind.BOTH:
            _on_all(bench, bench.kill)
        case FaultKind.CARP_OFF:
            bench.carp_off(fault.node)
        case FaultKind.MAINTENANCE:
            bench.maintenance(fault.node, enter=True)
        case FaultKind.DEMOTION:
            bench.demote(fault.node, DEMOTION)
        case FaultKind.REBOOT:
            bench.reboot(fault.node)
        case FaultKind.HALT:
            bench.halt(fault.node)
        case FaultKind.FREEZE | FaultKind.RETURN:
            bench.pause(fault.node)
        case FaultKind.UNPLUG:
            bench.set_link(fault.node, network, up=False)
        case FaultKind.FLAP:
            bench.set_link(fault.node, network, up=False)
            time.sleep(FLAP_SECONDS)
            bench.set_link(fault.node, network, up=True)
        case FaultKind.LOSS:
            loss.begin(bench, network, LOSS_SHARE)
        case FaultKind.DELAY:
            bench.delay(fault.node, network, DELAY_SECONDS)
        case FaultKind.MISTAKE if fault.mistake is not None:
            lines = bench.settings(fault.node, secrets.token_hex(8))
            bench.edit(fault.node, edits(bench.topology, fault.node, fault.mistake, lines))


def undo(bench: Bench, fault: Fault) -> None:
    """Returns when it is done; harmless where the fault undid itself. Raises LabError."""
    network = fault.network or ""
    match fault.kind:
        case FaultKind.KILL | FaultKind.HALT | FaultKind.REBOOT:
            bench.start(fault.node)
        case FaultKind.BOTH:
            _on_all(bench, bench.start)
        case FaultKind.CARP_OFF:
            bench.carp_on(fault.node)
        case FaultKind.MAINTENANCE:
            bench.maintenance(fault.node, enter=False)
        case FaultKind.DEMOTION:
            bench.demote(fault.node, -DEMOTION)
        case FaultKind.FREEZE | FaultKind.RETURN:
            bench.resume(fault.node)
        case FaultKind.UNPLUG | FaultKind.FLAP:
            bench.set_link(fault.node, network, up=True)
        case FaultKind.LOSS:
            loss.end(bench)
        case FaultKind.DELAY:
            bench.delay(fault.node, network, 0.0)
        case FaultKind.MISTAKE:
            bench.restore(fault.node)


def _on_all(bench: Bench, verb: Callable[[str], None]) -> None:
    """One verb on both nodes at once."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(verb, bench.topology.firewalls))

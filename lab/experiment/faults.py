"""Doing a fault to a running lab, and undoing it."""

from __future__ import annotations

from lab.carp.law import DEMOTION
from lab.expect.fault import Fault, FaultKind
from lab.experiment.contracts import Bench


def inject(bench: Bench, fault: Fault) -> None:
    """Returns when it is done. Raises LabError."""
    match fault.kind:
        case FaultKind.KILL:
            bench.kill(fault.node)
        case FaultKind.CARP_OFF:
            bench.carp_off(fault.node)
        case FaultKind.MAINTENANCE:
            bench.maintenance(fault.node, enter=True)
        case FaultKind.DEMOTION:
            bench.demote(fault.node, DEMOTION)
        case FaultKind.UNPLUG:
            bench.set_link(fault.node, fault.network or "", up=False)


def undo(bench: Bench, fault: Fault) -> None:
    """Returns when it is done. Raises LabError."""
    match fault.kind:
        case FaultKind.KILL:
            bench.start(fault.node)
        case FaultKind.CARP_OFF:
            bench.carp_on(fault.node)
        case FaultKind.MAINTENANCE:
            bench.maintenance(fault.node, enter=False)
        case FaultKind.DEMOTION:
            bench.demote(fault.node, -DEMOTION)
        case FaultKind.UNPLUG:
            bench.set_link(fault.node, fault.network or "", up=True)

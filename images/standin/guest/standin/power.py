"""Reboot and power-off: asked of process 1, which alone may do it."""

from __future__ import annotations

import contextlib
import os
import signal

from standin import cluster

# The signals busybox's own init takes for the same purposes.
REBOOT = signal.SIGTERM
HALT = signal.SIGUSR2
# No signal of busybox's: every process ends, and process 1 starts from the top.
REROOT = signal.SIGUSR1
INIT = 1


def ask(what: signal.Signals) -> None:
    """REBOOT, HALT or REROOT, at once."""
    os.kill(INIT, what)


def end_politely(what: signal.Signals) -> None:
    """As pfSense's menu and web page do it (system_reboot_cleanup): CARP first, without a farewell advert, then the rest."""
    with contextlib.suppress(cluster.ClusterError):
        cluster.set_sysctl("allow", 0)
    ask(what)

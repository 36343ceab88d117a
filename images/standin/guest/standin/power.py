"""Reboot and power-off: asked of process 1, which alone may do it."""

from __future__ import annotations

import os
import signal

from standin import cluster

# The signals busybox's own init takes for the same purposes.
REBOOT = signal.SIGTERM
HALT = signal.SIGUSR2
INIT = 1


def ask_reboot() -> None:
    """As pfSense's rc.reboot: CARP first, without a farewell advert, then the rest."""
    _quiet_carp()
    os.kill(INIT, REBOOT)


def ask_halt() -> None:
    _quiet_carp()
    os.kill(INIT, HALT)


def _quiet_carp() -> None:
    try:
        cluster.set_sysctl("allow", 0)
    except cluster.ClusterError:
        return

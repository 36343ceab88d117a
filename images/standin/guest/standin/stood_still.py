"""The wall clock of a machine that stood still: paused, or put back from a checkpoint.

Its RTC went on, for whoever runs the machine keeps that right; its own clocks did not. On pfSense ntpd notices in time, here
process 1 does, without a network.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

RTC = Path("/sys/class/rtc/rtc0/since_epoch")
"""Seconds since 1970, whole ones: Linux, drivers/rtc/sysfs.c."""

LOOK = 1.0
"""Seconds between two looks."""
TOLERANCE = 1.2
"""Seconds the RTC may seem ahead without having been: what it shows is up to one second late, at the first look and at the last."""


class StoodStill:
    """How far the RTC is ahead of the monotonic clock, which nobody can set. rtc, ticks: where both are read."""

    def __init__(self, rtc: Path = RTC, ticks: Callable[[], float] = time.monotonic) -> None:
        self._rtc, self._ticks = rtc, ticks
        self._lead = self._read()

    def noticed(self) -> float | None:
        """What time it is, give or take half a second, where the machine has stood still since this was last noticed."""
        before, lead = self._lead, self._read()
        if lead is None or before is None:
            self._lead = lead
            return None
        if lead - before <= TOLERANCE:
            return None
        self._lead = lead
        return self._ticks() + lead + 0.5

    def _read(self) -> float | None:
        try:
            return int(self._rtc.read_text()) - self._ticks()
        except (OSError, ValueError):
            return None

"""How long a hand-over takes, by FreeBSD's timers (ip_carp.c, carp_setrun, carp_send_ad_locked). Seconds throughout."""

from __future__ import annotations

from dataclasses import dataclass

SKEW_UNIT = 1 / 256
MAX_SKEW_ON_WIRE = 240


@dataclass(frozen=True, order=True)
class Interval:
    """From `low` to `high` seconds, both included."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:.3f}-{self.high:.3f} s"

    def wider(self, by: float) -> Interval:
        """The same, with `by` seconds of doubt at each end; never below zero."""
        return Interval(max(0.0, self.low - by), self.high + by)

    def miss(self, value: float) -> float:
        """How far outside a value lies: negative below, positive above, 0.0 inside."""
        if value < self.low:
            return value - self.low
        return value - self.high if value > self.high else 0.0

    def later_of(self, other: Interval) -> Interval:
        """When both of two things have happened."""
        return Interval(max(self.low, other.low), max(self.high, other.high))


AT_ONCE = Interval(0.0, 0.0)


def effective_skew(advskew: int, demotion: int) -> int:
    """Skew on the wire: configured plus demotion, within 0..240 (DEMOTE_ADVSKEW)."""
    return min(max(advskew + demotion, 0), MAX_SKEW_ON_WIRE)


def advert_interval(advbase: int, skew: int) -> float:
    """A master's steady pace. skew: the effective one."""
    return advbase + skew * SKEW_UNIT


def master_down(advbase: int, advskew: int) -> float:
    """How long a backup waits in silence. advskew: as configured; demotion plays no part."""
    return 3 * advbase + advskew * SKEW_UNIT


def silence(advbase: int, master_skew: int, backup_advskew: int) -> Interval:
    """From a master's silent end to the take-over: [MD_B - I_A, MD_B], by when in its period the end came."""
    wait = master_down(advbase, backup_advskew)
    return Interval(wait - advert_interval(advbase, master_skew), wait)


def next_advert(advbase: int, skew: int) -> Interval:
    """Until the next scheduled advert of a master: what a better node waits for before it preempts."""
    return Interval(0.0, advert_interval(advbase, skew))

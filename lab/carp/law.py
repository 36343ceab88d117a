"""The timing law of CARP: when mastership moves after a fault, and how long nobody serves. Seconds; pure functions.

Throughout, `master` (A) rules and `backup` (B) listens when the fault strikes; there is no third node; both have the
same addresses and key; the fault falls anywhere in A's advert period, outside the first gap after a take-over.
Each row gives what becomes of ONE VHID. `Conditions` widens the ideal law to real timers.

Source: FreeBSD ip_carp.c (carp_setrun, carp_send_ad_locked, carp_input_c) and kern_clock.c, kern_timeout.c for hz.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

SKEW_UNIT = 1 / 256  # seconds of one advskew step
MAX_SKEW_ON_WIRE = 240  # CARP_MAXSKEW
MAINTENANCE_SKEW = 254
DEMOTION = 240  # net.inet.carp.ifdown_demotion_factor
MERGED_WAKE_UPS = 17 / 16  # the kernel may delay a timer by 1/16 to merge wake-ups (tc_precexp 4)


@dataclass(frozen=True, order=True)
class Interval:
    """From `low` to `high` seconds, both included."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"an interval from {self.low} to {self.high}")

    def __str__(self) -> str:
        return f"{self.low:.3f}-{self.high:.3f} s"

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __add__(self, other: Interval) -> Interval:
        """One after the other."""
        return Interval(self.low + other.low, self.high + other.high)

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

    def earlier_of(self, other: Interval) -> Interval:
        """When the first of two things has happened."""
        return Interval(min(self.low, other.low), min(self.high, other.high))


AT_ONCE = Interval(0.0, 0.0)


@dataclass(frozen=True)
class Node:
    """One side of a VHID. advskew as configured; demotion of its whole host; preempt: net.inet.carp.preempt."""

    advbase: int = 1
    advskew: int = 0
    demotion: int = 0
    preempt: bool = True

    @property
    def effective_skew(self) -> int:
        """The skew on the wire."""
        return effective_skew(self.advskew, self.demotion)

    @property
    def rank(self) -> tuple[int, int]:
        """What nodes are compared by; lower rules."""
        return self.advbase, self.effective_skew

    def demoted(self, by: int = DEMOTION) -> Node:
        """The same node with its host's demotion counter raised."""
        return replace(self, demotion=self.demotion + by)

    def takes_over_from(self, rank: tuple[int, int]) -> bool:
        """Whether, as BACKUP, it becomes MASTER on hearing this rank: by preemption, or as the master is hopeless."""
        return (self.preempt and self.rank < rank) or rank > (3 * self.advbase, self.effective_skew)


@dataclass(frozen=True)
class Conditions:
    """How far the world is from ideal.

    delay: one way on the network. lateness: how late a timer of ours may fire (a busy host).
    hz: the tick rate of a real FreeBSD (1000 on metal, 100 in a virtual machine), None for exact timers.
    """

    delay: float = 0.0
    lateness: float = 0.0
    hz: int | None = None

    def fires(self, nominal: float) -> Interval:
        """When a timer of this length fires. FreeBSD rounds up to ticks, adds one, and may merge wake-ups."""
        if self.hz is None:
            return Interval(nominal, nominal + self.lateness)
        ticks = math.ceil(nominal * self.hz)
        return Interval(ticks / self.hz, (ticks + 1) / self.hz * MERGED_WAKE_UPS + self.lateness)

    @property
    def heard(self) -> Interval:
        """When what is sent at once is heard."""
        return Interval(0.0, self.delay + self.lateness)


IDEAL = Conditions()


@dataclass(frozen=True)
class Handover:
    """What becomes of one VHID.

    at: when the other node becomes MASTER (the function says which); None: never.
    outage: how long nobody serves.
    certain: False where the hand-over may also not happen.
    two_masters: how long both may be MASTER; None: until the cause is removed.
    """

    at: Interval | None
    outage: Interval = AT_ONCE
    certain: bool = True
    two_masters: Interval | None = AT_ONCE


STAYS = Handover(None)


def effective_skew(advskew: int, demotion: int = 0) -> int:
    """Skew on the wire: configured plus demotion, within 0..240."""
    return min(max(advskew + demotion, 0), MAX_SKEW_ON_WIRE)


def advert_interval(advbase: int, skew: int) -> float:
    """A master's steady pace. skew: the effective one."""
    return advbase + skew * SKEW_UNIT


def first_gap(advbase: int, advskew: int) -> float:
    """From a take-over to the second advert. advskew: as configured, neither demoted nor capped."""
    return advbase + advskew * SKEW_UNIT


def master_down(advbase: int, advskew: int) -> float:
    """How long a backup waits in silence. advskew: as configured, neither demoted nor capped."""
    return 3 * advbase + advskew * SKEW_UNIT


def silence(master: Node, backup: Node, conditions: Conditions = IDEAL) -> Interval:
    """From a master's last breath to the backup's take-over: [MD_B - I_A, MD_B] and the delay."""
    wait = conditions.fires(master_down(backup.advbase, backup.advskew))
    pace = conditions.fires(advert_interval(*master.rank))
    return Interval(max(0.0, wait.low - pace.high), wait.high + conditions.delay)


def next_advert(node: Node, conditions: Conditions = IDEAL) -> Interval:
    """Until the next scheduled advert of a master is heard: [0, I]."""
    return Interval(0.0, conditions.fires(advert_interval(*node.rank)).high) + conditions.heard


def crash(master: Node, backup: Node, conditions: Conditions = IDEAL) -> Handover:
    """The master is killed or loses power."""
    wait = silence(master, backup, conditions)
    return Handover(wait, wait)


def carp_off(master: Node, backup: Node, conditions: Conditions = IDEAL) -> Handover:
    """net.inet.carp.allow=0 on the master: it says no farewell."""
    return crash(master, backup, conditions)


def orderly_stop(master: Node, backup: Node, conditions: Conditions = IDEAL) -> Handover:
    """Reboot or halt by GUI or console: counted from the start of the clean-up, which turns CARP off first."""
    return carp_off(master, backup, conditions)


def link_cut(master: Node, backup: Node, conditions: Conditions = IDEAL) -> Handover:
    """The master loses the link of this segment. For its other segments see `link_cut_elsewhere`."""
    return crash(master, backup, conditions)


def link_cut_elsewhere(master: Node, backup: Node, conditions: Conditions = IDEAL, by: int = DEMOTION) -> Handover:
    """The master loses a link of another segment with a VHID: it demotes itself. by: 240 for each VHID there.

    Where the backup does not preempt, this VHID stays although the other moves: roles are split, paths are broken.
    """
    return demotion(master, backup, conditions, by)


def demotion(master: Node, backup: Node, conditions: Conditions = IDEAL, by: int = DEMOTION) -> Handover:
    """The master's demotion counter rises: it advertises that at once, and the backup preempts or never does."""
    if not backup.takes_over_from(master.demoted(by).rank):
        return STAYS
    return Handover(conditions.heard, two_masters=conditions.heard)


def maintenance(master: Node, backup: Node, conditions: Conditions = IDEAL) -> Handover:
    """The master's skew becomes 254 (240 on the wire): said with its next scheduled advert, not at once."""
    if not backup.takes_over_from(replace(master, advskew=MAINTENANCE_SKEW).rank):
        return STAYS
    return Handover(next_advert(master, conditions), two_masters=conditions.heard)


def leave_maintenance(returning: Node, ruling: Node, conditions: Conditions = IDEAL) -> Handover:
    """The node in maintenance gets its skew back and preempts the ruling one's next advert. `at`: it is MASTER."""
    return come_back(returning, ruling, conditions)


def come_back(returning: Node, ruling: Node, conditions: Conditions = IDEAL) -> Handover:
    """A node comes back (allow=1, link up, booted) to a segment with a master. `at`: the returning one is MASTER."""
    heard = next_advert(ruling, conditions)
    patience = conditions.fires(master_down(returning.advbase, returning.advskew))
    if returning.takes_over_from(ruling.rank):
        return Handover(heard.earlier_of(patience), two_masters=conditions.heard)
    if heard.high > patience.low:  # the ruling one speaks so rarely that the newcomer may give up first
        return Handover(patience, certain=False, two_masters=next_advert(ruling, conditions))
    return STAYS


def come_back_alone(returning: Node, conditions: Conditions = IDEAL) -> Handover:
    """A node comes back to a segment without a master: it waits its own master-down time."""
    wait = conditions.fires(master_down(returning.advbase, returning.advskew))
    return Handover(wait, wait)


def backup_lost(master: Node, backup: Node, conditions: Conditions = IDEAL) -> Handover:
    """The backup dies: nothing happens."""
    return STAYS


def link_flap(master: Node, backup: Node, down_for: float, conditions: Conditions = IDEAL) -> Handover:
    """The master's link of this segment is cut and comes back `down_for` seconds later.

    It is then BACKUP itself, until its own patience ends or it preempts the backup's take-over.
    """
    wait = silence(master, backup, conditions)
    recovery = conditions.fires(master_down(master.advbase, master.advskew)) + Interval(down_for, down_for)
    return _race(wait, recovery, conditions)


def address_changed(master: Node, backup: Node, conditions: Conditions = IDEAL) -> Handover:
    """A VIP is added again on the master, which throws it back to BACKUP at once."""
    return link_flap(master, backup, 0.0, conditions)


def freeze(master: Node, backup: Node, frozen_for: float, conditions: Conditions = IDEAL) -> Handover:
    """The master stands still for a while and stays MASTER in its own eyes; see `thaw` for its return."""
    wait = silence(master, backup, conditions)
    stands = Interval(frozen_for, frozen_for)
    outage = wait.earlier_of(stands)
    if frozen_for < wait.low:
        return Handover(None, outage)
    at = Interval(wait.low, min(wait.high, frozen_for + conditions.heard.high))
    return Handover(at, outage, certain=frozen_for >= wait.high)


def thaw(thawed: Node, ruling: Node, clock_ran: bool, conditions: Conditions = IDEAL) -> Handover:
    """A frozen master thaws after the other took over. `at`: one of the two is BACKUP again, the worse by rank.

    clock_ran: whether its clock went on meanwhile, so that its overdue advert goes out at once.
    """
    if thawed.rank >= ruling.rank:
        wait = next_advert(ruling, conditions)
    else:
        wait = conditions.heard if clock_ran else next_advert(thawed, conditions)
    return Handover(wait, two_masters=wait)


def freeze_backup(master: Node, backup: Node, frozen_for: float, conditions: Conditions = IDEAL) -> Handover:
    """The backup stands still while its clock goes on: on thaw its overdue timer may make it a false MASTER.

    `at`: counted from the thaw. outage: the virtual MAC points to the wrong port until the master's next advert.
    """
    wait = silence(master, backup, conditions)
    if frozen_for < wait.low:
        return STAYS
    until = next_advert(master, conditions)
    return Handover(conditions.heard, Interval(0.0, until.high), certain=False, two_masters=until)


def split(master: Node, backup: Node, conditions: Conditions = IDEAL) -> Handover:
    """The segment is cut in two with all links up, or the two disagree on key or addresses: both end as MASTER.

    outage: on the backup's side; the master's side is served throughout.
    """
    wait = silence(master, backup, conditions)
    return Handover(wait, wait, two_masters=None)


def heal(one: Node, other: Node, conditions: Conditions = IDEAL) -> Handover:
    """Two masters hear each other again. `at`: the worse one yields, at the better one's next advert.

    Equal ranks: whoever is heard first wins, and both may yield.
    """
    better = min(one, other, key=lambda node: node.rank)
    wait = next_advert(better, conditions)
    return Handover(wait, two_masters=wait)


def _race(wait: Interval, recovery: Interval, conditions: Conditions) -> Handover:
    """The backup takes over after `wait` unless the old master, itself BACKUP, has recovered before."""
    outage = wait.earlier_of(recovery)
    if recovery.high < wait.low:
        return Handover(None, outage)
    at = Interval(wait.low, min(wait.high, recovery.high + conditions.heard.high))
    return Handover(at, outage, certain=recovery.low >= wait.high, two_masters=conditions.heard)

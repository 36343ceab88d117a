"""What all VHIDs of one host share: the clock, the timers, the sysctls, the demotion counter, the counters."""

from __future__ import annotations

from collections.abc import Callable

from lab.carp.outcomes import LOG_DEBUG, LOG_INFO, Fire, Log, Outcome, Timer
from lab.carp.packet import DEFAULT_DSCP, MAX_SKEW_ON_WIRE

SECOND = 1_000_000  # microseconds, the unit of all times
SKEW_STEPS = 256  # advskew counts 1/256 s

# The counters of `netstat -s -p carp` (ip_carp.h, struct carpstats) that this engine can raise.
STATISTICS = (
    "ipackets",
    "ipackets6",
    "badif",
    "badttl",
    "badsum",
    "badver",
    "badlen",
    "badauth",
    "badvhid",
    "opackets",
    "opackets6",
)

# net.inet.carp.*, as the kernel starts.
SYSCTLS = {
    "allow": 1,
    "preempt": 0,
    "demotion": 0,
    "dscp": DEFAULT_DSCP,
    "log": 1,
    "senderr_demotion_factor": MAX_SKEW_ON_WIRE,
    "ifdown_demotion_factor": MAX_SKEW_ON_WIRE,
}

DEMOTED = "carp: demoted by {by} to {total} ({reason})"


def wrapped(value: int) -> int:
    """A C int: 32 bits, two's complement."""
    return (value + 0x80000000) % 0x100000000 - 0x80000000


def interval(base: int, skew: int) -> int:
    """base + skew/256 seconds in microseconds, cut as the kernel cuts it."""
    return base * SECOND + skew * SECOND // SKEW_STEPS


class Kernel:
    """The host-wide part. sysctls["demotion"] is only ever changed by `demote`."""

    def __init__(self, random_counter: Callable[[], int]) -> None:
        self.random_counter = random_counter
        self.now = 0
        self.sysctls = dict(SYSCTLS)
        self.forced_pending = False
        self.statistics = dict.fromkeys(STATISTICS, 0)
        self.timers = Timers()
        self._outcomes: list[Outcome] = []

    def emit(self, outcome: Outcome) -> None:
        """Something happens now."""
        self._outcomes.append(outcome)

    def drain(self) -> list[Outcome]:
        """What happened since the last call."""
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    def log(self, message: str) -> None:
        """A line at net.inet.carp.log >= 1."""
        if self.sysctls["log"] > 0:
            self.emit(Log(self.now, LOG_INFO, message))

    def debug(self, message: str) -> None:
        """A line at net.inet.carp.log >= 2."""
        if self.sysctls["log"] > 1:
            self.emit(Log(self.now, LOG_DEBUG, message))

    def count(self, name: str) -> None:
        """One more of a statistic."""
        self.statistics[name] += 1

    def demote(self, by: int, reason: str) -> None:
        """Adjust the demotion counter; adverts of all masters are due once the present event is over, even for 0."""
        total = wrapped(self.sysctls["demotion"] + by)
        self.sysctls["demotion"] = total
        self.log(DEMOTED.format(by=wrapped(by), total=total, reason=reason))
        self.forced_pending = True

    def effective_skew(self, advskew: int) -> int:
        """The configured skew with the demotion counter, between 0 and 240."""
        return min(max(wrapped(advskew + self.sysctls["demotion"]), 0), MAX_SKEW_ON_WIRE)

    def arm(self, interface: str, vhid: int, name: str, delay: int) -> None:
        """Start a timer, or start it anew."""
        due = self.now + delay
        self.timers.set((interface, vhid, name), due)
        self.emit(Timer(self.now, name, vhid, interface, delay, due))

    def stop(self, interface: str, vhid: int, name: str) -> None:
        """Stop a timer; silent when it was not armed."""
        if self.timers.clear((interface, vhid, name)):
            self.emit(Timer(self.now, name, vhid, interface, None, None))

    def pop_due(self, now: int) -> tuple[int, tuple[str, int, str]] | None:
        """Take out the earliest timer due by `now`: (when it was due, (interface, vhid, name))."""
        due = self.timers.next_due()
        if due is None or due > now:
            return None
        return due, self.timers.pop()

    def fired(self, key: tuple[str, int, str]) -> None:
        """Say that a timer fires."""
        interface, vhid, name = key
        self.emit(Fire(self.now, name, vhid, interface))


class Timers:
    """Armed timers by (interface, vhid, name). Of two due at once the one armed first goes first."""

    def __init__(self) -> None:
        self._armed: dict[tuple[str, int, str], tuple[int, int]] = {}
        self._sequence = 0

    def set(self, key: tuple[str, int, str], due: int) -> None:
        """Arm, or move."""
        self._sequence += 1
        self._armed[key] = (due, self._sequence)

    def clear(self, key: tuple[str, int, str]) -> bool:
        """Disarm; whether it was armed."""
        return self._armed.pop(key, None) is not None

    def due(self, key: tuple[str, int, str]) -> int | None:
        """When this timer fires."""
        armed = self._armed.get(key)
        return armed[0] if armed else None

    def next_due(self) -> int | None:
        """When the earliest timer fires."""
        return min(self._armed.values())[0] if self._armed else None

    def pop(self) -> tuple[str, int, str]:
        """Disarm the earliest timer. Raises ValueError where none is armed."""
        key = min(self._armed, key=self._armed.__getitem__)
        del self._armed[key]
        return key

"""Lint rules about CARP and the two syncs (U020 to U039)."""

from __future__ import annotations

from collections.abc import Iterator

from lab.topology.findings import Issue
from lab.topology.model import CARP_GENERATED, NetworkRole, Topology

SYNC_ADDS = 100
"""What configuration sync adds to the master's advskew for the backup (pfSense's rc.filter_synchronize)."""

SKEW_MAX = 254
SHORT_PASSWORD = 8
WEAK_PASSWORDS = frozenset(
    [
        "admin",
        "azerty",
        "azertyuiop",
        "carp",
        "carppass",
        "changeme",
        "default",
        "letmein",
        "motdepasse",
        "passw0rd",
        "password",
        "pfsense",
        "qwerty",
        "root",
        "secret",
        "test",
        "toor",
        "uranus",
        "12345678",
        "123456789",
    ]
)

NO_VIPS = "no CARP address at all"
NO_VIPS_HINT = "without one the two firewalls are two firewalls, not a cluster"

SYNC_VIP = "a CARP address on the sync network {network}"
SYNC_VIP_SEEN = "nobody uses it as gateway, and losing {network}'s link demotes every VHID of the node by 240"
SYNC_VIP_HINT = "remove it: the firewalls find each other by their own addresses there"

EQUAL = "both firewalls have advskew {skew}"
EQUAL_SEEN = "which one is master is left to chance"
EQUAL_HINT = "0 for the master and 100 for the backup"

REVERSED = "{backup} would be master: its advskew is lower than {master}'s"
REVERSED_SEEN = "{backup} {low}, {master} {high}"
REVERSED_HINT = "swap the two values, or put {backup} first"

COLLAPSES = "configuration sync gives the backup advskew {result}, not {wanted}"
COLLAPSES_SEEN = "it adds 100 to the master's {skew}, and 254 is the end"
COLLAPSES_HINT = "153 at most for the master; 0 is usual"

REWRITES = "the first configuration sync changes the backup's advskew from {skew} to {result}"
REWRITES_SEEN = "it adds 100 to the master's {master}"
REWRITES_HINT = "{result} here says what will be there"

SLOW = "a dead master is noticed after {seconds:.1f} s"
SLOW_SEEN = "3 × advbase + advskew/256 at the backup"
SLOW_HINT = "`advbase: 1` unless the segment is busy"

GUESSABLE = "a CARP password that is easily guessed"
GUESSABLE_EXPECTED = "8 characters or more, not a common word"
GUESSABLE_HINT = "`password: generated`"

NO_PFSYNC = "states are not synced"
NO_PFSYNC_SEEN = "established connections die at a failover"
NO_PFSYNC_HINT = "`pfsync: true`"

NO_XMLRPC = "the configuration is not synced"
NO_XMLRPC_SEEN = "a rule made on the master is missing on the backup"


def no_vip_at_all(topology: Topology) -> Iterator[Issue]:
    """No CARP address anywhere."""
    if not topology.carp.vips:
        yield Issue(("carp", "vips"), NO_VIPS, hint=NO_VIPS_HINT)


def vip_on_sync(topology: Topology) -> Iterator[Issue]:
    """A CARP address on the sync network: its loss demotes all others."""
    for number, vip in enumerate(topology.carp.vips):
        if topology.networks[vip.network].role is NetworkRole.SYNC:
            summary, seen = SYNC_VIP.format(network=vip.network), SYNC_VIP_SEEN.format(network=vip.network)
            yield Issue(("carp", "vips", number), summary, seen=seen, hint=SYNC_VIP_HINT)


def equal_skews(topology: Topology) -> Iterator[Issue]:
    """Both firewalls have the same advskew."""
    master, backup = _skews(topology)
    if master == backup:
        path = ("firewalls", topology.backup, "advskew")
        yield Issue(path, EQUAL.format(skew=master), seen=EQUAL_SEEN, hint=EQUAL_HINT)


def backup_preferred(topology: Topology) -> Iterator[Issue]:
    """The second firewall's advskew is lower than the first one's."""
    master, backup = _skews(topology)
    if backup < master:
        names = {"backup": topology.backup, "master": topology.master}
        seen = REVERSED_SEEN.format(low=backup, high=master, **names)
        path = ("firewalls", topology.backup, "advskew")
        yield Issue(path, REVERSED.format(**names), seen=seen, hint=REVERSED_HINT.format(**names))


def skew_collapses(topology: Topology) -> Iterator[Issue]:
    """The master's advskew is too high for the 100 that configuration sync adds."""
    master, _ = _skews(topology)
    if topology.sync.xmlrpc and master + SYNC_ADDS > SKEW_MAX - 1:
        summary = COLLAPSES.format(result=SKEW_MAX, wanted=master + SYNC_ADDS)
        path = ("firewalls", topology.master, "advskew")
        yield Issue(path, summary, seen=COLLAPSES_SEEN.format(skew=master), hint=COLLAPSES_HINT)


def sync_changes_skew(topology: Topology) -> Iterator[Issue]:
    """Configuration sync will give the backup another advskew than the file."""
    master, backup = _skews(topology)
    result = min(master + SYNC_ADDS, SKEW_MAX)
    if topology.sync.xmlrpc and topology.carp.vips and backup != result:
        summary = REWRITES.format(skew=backup, result=result)
        path = ("firewalls", topology.backup, "advskew")
        yield Issue(path, summary, seen=REWRITES_SEEN.format(master=master), hint=REWRITES_HINT.format(result=result))


def slow_detection(topology: Topology) -> Iterator[Issue]:
    """An advbase above 1 makes every failover slower."""
    base = topology.carp.advbase
    if base > 1:
        seconds = 3 * base + max(_skews(topology)) / 256
        yield Issue(("carp", "advbase"), SLOW.format(seconds=seconds), "1", SLOW_SEEN, SLOW_HINT)


def guessable_password(topology: Topology) -> Iterator[Issue]:
    """A short or common CARP password."""
    password = topology.carp.password
    weak = password.lower() in WEAK_PASSWORDS or password == topology.name or len(password) < SHORT_PASSWORD
    if password != CARP_GENERATED and weak:
        yield Issue(("carp", "password"), GUESSABLE, GUESSABLE_EXPECTED, hint=GUESSABLE_HINT)


def states_not_synced(topology: Topology) -> Iterator[Issue]:
    """pfsync is off."""
    if not topology.sync.pfsync:
        yield Issue(("sync", "pfsync"), NO_PFSYNC, seen=NO_PFSYNC_SEEN, hint=NO_PFSYNC_HINT)


def configuration_not_synced(topology: Topology) -> Iterator[Issue]:
    """Configuration sync is off."""
    if not topology.sync.xmlrpc:
        yield Issue(("sync", "xmlrpc"), NO_XMLRPC, seen=NO_XMLRPC_SEEN)


def _skews(topology: Topology) -> tuple[int, int]:
    master, backup = topology.firewalls.values()
    return master.advskew, backup.advskew

"""Every fault by name: what it does, what it teaches, how it is undone, and what others call it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lab.expect.fault import Fault, FaultKind
from lab.expect.mistake import MADE_ON_MASTER, Mistake, possible
from lab.topology.model import Topology
from lab.topology.stage import Stage


@dataclass(frozen=True)
class About:
    """One kind of fault. undo: how the run takes it back. called: the document's, pfSense's or a FreeBSD test's name for it."""

    name: str
    does: str
    teaches: str
    undo: str
    called: str = ""


DOCUMENT = "the document: {words}"
TESTING = "pfSense, Testing High Availability: {words}"
FREEBSD = "FreeBSD tests/sys/netinet/carp.sh: {words}"
ITSELF = "ends by itself"
RESTORED = "config.xml as it was"

KINDS: dict[FaultKind, About] = {
    FaultKind.KILL: About(
        "kill",
        "power off without grace",
        "the backup takes over when the master has been silent for too long: three intervals and its own skew",
        "power on",
        TESTING.format(words="shut down or unplug the primary; with --node backup: each node alone"),
    ),
    FaultKind.BOTH: About(
        "kill-both",
        "both nodes lose power at once",
        "redundancy ends where the common cause begins; whoever boots first waits its own patience out",
        "power on, both",
    ),
    FaultKind.CARP_OFF: About(
        "carp-off",
        '"Temporarily Disable CARP"',
        "no farewell is sent: the backup waits as long as after a crash; re-enabled, the master takes back",
        "CARP enabled again",
        DOCUMENT.format(words="désactiver CARP on the master, the backup is master on all VHIDs, réactiver"),
    ),
    FaultKind.MAINTENANCE: About(
        "maintenance",
        "persistent CARP maintenance mode",
        "skew 254 is said with the next scheduled advert: an orderly hand-over without an outage",
        "maintenance mode left",
        TESTING.format(words="enter persistent CARP maintenance mode"),
    ),
    FaultKind.DEMOTION: About(
        "demotion",
        "net.inet.carp.demotion + 240",
        "a demoted master says so at once and is preempted in milliseconds",
        "demotion - 240",
        FREEBSD.format(words="negative_demotion is its other half"),
    ),
    FaultKind.REBOOT: About(
        "reboot",
        "the firewall restarts itself",
        "CARP is switched off first, so the count starts before the machine stops; afterwards it preempts",
        ITSELF,
        TESTING.format(words="reboot the primary"),
    ),
    FaultKind.HALT: About(
        "halt",
        "the firewall switches itself off",
        "an orderly stop is no faster than a crash: CARP has no farewell here",
        "power on",
        TESTING.format(words="shut down the primary"),
    ),
    FaultKind.FREEZE: About(
        "freeze",
        "the guest stands still, its clock too",
        "a node that hangs is replaced, and on waking believes for up to one interval that it is still master",
        "goes on",
    ),
    FaultKind.RETURN: About(
        "return-early",
        "a frozen master goes on while the backup is taking over",
        "a take-over half done is undone: two masters for less than an interval, then the better one",
        ITSELF,
    ),
    FaultKind.UNPLUG: About(
        "unplug",
        "one cable of one node is pulled",
        "a VHID on the dead link demotes the whole node, so all VHIDs move together; a link without a VHID moves nothing",
        "cable in again",
        TESTING.format(words="unplug WAN, unplug LAN"),
    ),
    FaultKind.FLAP: About(
        "flap",
        "one cable is out for a second",
        "the node comes back as BACKUP and waits anew: a second without a link costs more than two without service",
        ITSELF,
    ),
    FaultKind.LOSS: About(
        "loss",
        "5 % of all frames on a network are lost",
        "CARP waits for three adverts in a row: loss hurts clients long before it moves a VHID",
        "nothing is lost any more",
    ),
    FaultKind.DELAY: About(
        "delay",
        "one card holds every frame back for up to 0.1 s",
        "adverts may be late as long as they come: nothing moves",
        "no delay any more",
    ),
}

MISTAKES: dict[Mistake, About] = {
    Mistake.PASSWORD: About(
        "wrong-password",
        "another CARP password on one VIP of one node",
        "each node believes to be alone: two masters of that VHID, and only of that one",
        RESTORED,
        "pfSense, Troubleshooting High Availability: VIP password mismatch",
    ),
    Mistake.VHID: About(
        "wrong-vhid",
        "another VHID on one VIP of one node",
        "two groups of one member each: both nodes own the address, under two virtual MACs",
        RESTORED,
        "pfSense, Troubleshooting High Availability: VHID mismatch",
    ),
    Mistake.SKEW: About(
        "equal-skews",
        "the same advskew on both nodes",
        "all looks well until a failover: the first to be master stays it, and nobody takes back",
        RESTORED,
        "pfSense, Troubleshooting High Availability: skews equal",
    ),
    Mistake.MASK: About(
        "vip-mask",
        "/32 on one VIP of one node",
        "the mask is no part of what CARP signs, so nothing shows until that node has to route",
        RESTORED,
        "pfSense, Troubleshooting High Availability: incorrect subnet mask",
    ),
    Mistake.PFSYNC_PEER: About(
        "pfsync-peer",
        "the node names itself as its pfsync peer",
        "VIPs fail over, connections do not: the peer never heard of them",
        RESTORED,
        "pfSense, Troubleshooting High Availability: state synchronization peer",
    ),
    Mistake.PFSYNC_RULE: About(
        "pfsync-rule",
        "the rule that lets pfsync in is missing",
        "the states arrive and are dropped by the very firewall that wants them",
        RESTORED,
        DOCUMENT.format(words="the rules on HA, protocol PFSYNC"),
    ),
    Mistake.XMLRPC_RULE: About(
        "xmlrpc-rule",
        "the rule that lets XML-RPC in is missing",
        "the backup's configuration grows old without a word, until it is needed",
        RESTORED,
        DOCUMENT.format(words="the rules on HA, TCP port 443"),
    ),
    Mistake.SYNC_PASSWORD: About(
        "sync-password",
        "the master knows another password than the backup's",
        "configuration sync is refused; states and VIPs go on",
        RESTORED,
        "pfSense, Troubleshooting High Availability: XMLRPC credentials",
    ),
}


def about(fault: Fault) -> About:
    """What is known about a fault."""
    return MISTAKES[fault.mistake] if fault.mistake is not None else KINDS[fault.kind]


def matrix(topology: Topology, stage: Stage = Stage.RULES) -> Iterator[Fault]:
    """Every fault there is to do to a lab of this topology at this stage."""
    master, backup = topology.master, topology.backup
    for kind in KINDS:
        match kind:
            case FaultKind.UNPLUG:
                yield from (Fault(kind, node, network) for network in topology.networks for node in (master, backup))
            case FaultKind.FLAP | FaultKind.LOSS | FaultKind.DELAY:
                yield Fault(kind, master, topology.lan)
            case FaultKind.KILL | FaultKind.FREEZE:
                yield from (Fault(kind, node) for node in (master, backup))
            case _:
                yield Fault(kind, master)
    for mistake in (each for each in Mistake if possible(each, stage)):
        yield Fault(FaultKind.MISTAKE, master if mistake in MADE_ON_MASTER else backup, mistake=mistake)

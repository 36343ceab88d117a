"""`<virtualip>` and `<hasync>`: what makes two firewalls one."""

from __future__ import annotations

from lxml import etree

from lab.config.hasync import SYNCHRONIZE
from lab.render.config.system import ADMIN
from lab.render.config.tree import branch, leaf
from lab.topology.model import CARP_GENERATED
from lab.topology.plan import Plan, PlannedMachine, PlannedVip
from lab.topology.secrets import Secrets
from lab.topology.stage import Stage

HOST_IDS = ("a1", "b2")
"""pfhostid by node: hexadecimal, different, else the nodes take each other's states for their own."""

ON = "on"


def virtual_ips(plan: Plan, node: PlannedMachine, secrets: Secrets) -> etree._Element:
    """All CARP addresses, the node's own advskew in each. The uniqids are equal on both nodes, so the first sync changes nothing."""
    carp = plan.topology.carp
    password = secrets.carp if carp.password == CARP_GENERATED else carp.password
    skew = plan.topology.firewalls[node.name].advskew
    return branch("virtualip", *(_vip(vip, skew, carp.advbase, password) for vip in plan.vips))


def hasync(plan: Plan, node: PlannedMachine, secrets: Secrets, stage: Stage) -> list[etree._Element]:
    """State sync on both nodes, each naming the other; configuration sync on the master alone, with every toggle."""
    sync = plan.topology.sync
    numbers = {firewall.name: number for number, firewall in enumerate(plan.firewalls)}
    peer = plan.firewalls[1 - numbers[node.name]].nic_on(sync.network)
    states = sync.pfsync and stage.reaches(Stage.PFSYNC)
    configuration = sync.xmlrpc and stage.reaches(Stage.XMLRPC) and node.name == plan.topology.master
    if not states and not configuration:
        return []
    fields = [leaf("pfsyncenabled", ON)] if states else []
    if configuration:
        fields += [leaf(tag, ON) for tag in ("adminsync", *SYNCHRONIZE)]
    fields.append(leaf("pfhostid", HOST_IDS[numbers[node.name]]))
    if states:
        fields += [leaf("pfsyncpeerip", peer.address.ip), leaf("pfsyncinterface", peer.key)]
    if configuration:
        fields += [leaf("synchronizetoip", peer.address.ip), leaf("username", ADMIN), leaf("password", secrets.admin)]
    return [branch("hasync", *fields)]


def _vip(vip: PlannedVip, advskew: int, advbase: int, password: str) -> etree._Element:
    return branch(
        "vip",
        leaf("mode", "carp"),
        leaf("interface", vip.key),
        leaf("vhid", vip.vhid),
        leaf("advskew", advskew),
        leaf("advbase", advbase),
        leaf("password", password),
        leaf("uniqid", vip.uniqid),
        leaf("descr", vip.descr),
        leaf("type", "single"),
        leaf("subnet_bits", vip.address.network.prefixlen),
        leaf("subnet", vip.address.ip),
    )

"""A firewall's config.xml for pfSense 2.7.0, from the plan.

What each stage adds:

    bare     users, consoles, interfaces, the WAN's gateway; the one filter rule pfSense ships with (LAN to any, here
             without its IPv6 twin), automatic outbound NAT. Everything else is denied: SRV, DMZ and HA have no rule.
    vips     the CARP addresses, each with the node's own advskew.
    pfsync   state sync on both nodes, each naming the other. HA still has no rule, so states do not arrive yet.
    xmlrpc   configuration sync, on the master alone. HA still has no rule: the backup refuses it.
    rules    the topology's filter rules, HA's two among them, in place of the shipped one; outbound NAT as the topology
             says. Complete.
"""

from __future__ import annotations

from lab.render.config import cluster, interfaces, policy, services, system
from lab.render.config.tree import branch, document, leaf
from lab.topology.plan import Plan
from lab.topology.secrets import Secrets
from lab.topology.stage import Stage

CONFIG_VERSION = "22.9"
"""latest_config of 2.7.0 (src/etc/inc/globals.inc)."""


def config_xml(plan: Plan, firewall: str, stage: Stage, secrets: Secrets, *, revision_time: int) -> str:
    """The whole file of one node.

    firewall:      its name in the topology. Raises KeyError for another.
    revision_time: seconds since the epoch, for `<revision>`.
    """
    node = next((machine for machine in plan.firewalls if machine.name == firewall), None)
    if node is None:
        raise KeyError(firewall)
    vips = [cluster.virtual_ips(plan, node, secrets)] if stage.reaches(Stage.VIPS) else []
    root = branch(
        "pfsense",
        leaf("version", CONFIG_VERSION),
        leaf("lastchange"),
        system.system(plan, node, secrets),
        interfaces.interfaces(plan, node),
        *services.before_policy(),
        policy.nat(plan, stage),
        policy.filter_rules(plan, stage),
        *services.after_policy(),
        *interfaces.gateways(plan),
        *vips,
        *cluster.hasync(plan, node, secrets, stage),
        system.revision(plan, stage.value, revision_time),
    )
    return document(root)

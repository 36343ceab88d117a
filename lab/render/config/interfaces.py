"""`<interfaces>` and `<gateways>`."""

from __future__ import annotations

from lxml import etree

from lab.config.reserved import is_reserved
from lab.render.config.tree import branch, flags, leaf
from lab.topology.model import Network
from lab.topology.plan import Nic, Plan, PlannedMachine

WAN_GATEWAY = "WANGW"


def interfaces(plan: Plan, node: PlannedMachine) -> etree._Element:
    """One entry a card. The WAN first, then `lan`, `opt1`..., as pfSense lists them."""
    cards = sorted(node.nics, key=lambda nic: (nic.key != "wan", nic.index))
    return branch("interfaces", *(_interface(nic, plan.topology.networks[nic.network]) for nic in cards))


def gateways(plan: Plan) -> list[etree._Element]:
    """The WAN's next hop where addresses are static; with DHCP pfSense makes WAN_DHCP by itself.

    It is watched and shown, but takes no action: a slow start of the upstream machine must not look like a failover.
    """
    wan = plan.topology.networks[plan.topology.wan]
    if wan.addressing == "dhcp" or wan.gateway is None:
        return []
    item = branch(
        "gateway_item",
        leaf("interface", "wan"),
        leaf("gateway", wan.gateway),
        leaf("name", WAN_GATEWAY),
        leaf("weight", 1),
        leaf("ipprotocol", "inet"),
        leaf("descr"),
        *flags("action_disable"),
    )
    return [branch("gateways", item, leaf("defaultgw4", WAN_GATEWAY), leaf("defaultgw6"))]


def description(network: str) -> str:
    """What pfSense shows for a network: its name in capitals, with an addition where pf has that word for something else."""
    return f"{network.upper()}_NET" if is_reserved(network) else network.upper()


def _interface(nic: Nic, network: Network) -> etree._Element:
    return branch(
        nic.key,
        *flags("enable"),
        leaf("if", nic.device),
        leaf("descr", description(nic.network)),
        *(_dhcp() if nic.dhcp else _static(nic, network)),
        *flags(*(["blockpriv"] if network.block_private else []), *(["blockbogons"] if network.block_bogons else [])),
        leaf("spoofmac"),
        leaf("media"),
        leaf("mediaopt"),
    )


def _dhcp() -> list[etree._Element]:
    return [leaf("ipaddr", "dhcp"), leaf("subnet"), leaf("gateway"), leaf("dhcphostname")]


def _static(nic: Nic, network: Network) -> list[etree._Element]:
    found = [leaf("ipaddr", nic.address.ip), leaf("subnet", nic.address.network.prefixlen)]
    if nic.key == "wan" and network.gateway is not None:
        found.append(leaf("gateway", WAN_GATEWAY))
    return found

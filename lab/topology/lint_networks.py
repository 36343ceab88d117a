"""Lint rules about networks and addresses (U001 to U019)."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from lab.topology.findings import Issue
from lab.topology.model import NetworkRole, Topology

DOCKER = IPv4Network("172.17.0.0/16")
"""Docker's default for docker0."""

BLOCKED_PRIVATE = tuple(IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
"""What pfSense's blockpriv drops (filter.inc)."""

SAME_ADDRESS = "both firewalls have {address} on {network}"
SAME_ADDRESS_EXPECTED = "an address of its own for each firewall"
SAME_ADDRESS_HINT = "two machines on one segment cannot share an address; give the second another one, as {other}"

NO_WAN_VIP = "no CARP address on {network}"
NO_WAN_VIP_SEEN = "what is reached or translated by a WAN address stays with the node that has it"
NO_WAN_VIP_HINT = "add a VIP on {network} and `nat: {{outbound: vip}}`"

WAN_UNSEEN = "losing {network} on the master moves nothing"
WAN_UNSEEN_SEEN = (
    "no VHID on {network}, so its link does not demote the others: no internet, with a healthy backup beside it"
)
WAN_UNSEEN_HINT = "a VHID on {network} makes its carrier count"

BLOCKED = "{network} is a private range and `block_private` is on"
BLOCKED_SEEN = "{subnet}: everything coming in there is dropped but replies"
BLOCKED_HINT = "leave `block_private` out where the WAN is private"

DHCP_VIP = "a CARP address on a WAN that gets its addresses by DHCP"
DHCP_VIP_HINT = "`addressing: static` for the WAN: the VIP's subnet must not depend on a lease"

DOCKER_RANGE = "{network} lies in docker0's range"
DOCKER_SEEN = "{subnet}, in {docker}"
DOCKER_HINT = "on this host's own network the two would clash; a lab in its own namespace does not care"

SYNC_SHARED = "machine {machine} stands on the sync network"
SYNC_SHARED_SEEN = "states pass there without any authentication"
SYNC_SHARED_HINT = "leave {network} to the two firewalls"

NODE_GATEWAY = "machines on {network} use the master's own address as gateway"
NODE_GATEWAY_SEEN = "{address}, which dies with it"
NODE_GATEWAY_HINT = "add a CARP address on {network}"

VHID_TWICE = "VHID {vhid} is also used on {network}"
VHID_TWICE_SEEN = (
    "allowed, but both addresses have the virtual MAC 00:00:5e:00:01:{vhid:02x}: captures are harder to read"
)


def same_wan_address(topology: Topology) -> Iterator[Issue]:
    """Both firewalls have the same WAN address."""
    wan = topology.wan
    one, other = (firewall.addresses[wan] for firewall in topology.firewalls.values())
    if one == other:
        path = ("firewalls", topology.backup, "addresses", wan)
        hint = SAME_ADDRESS_HINT.format(other=_free(topology, wan))
        yield Issue(path, SAME_ADDRESS.format(address=one, network=wan), SAME_ADDRESS_EXPECTED, hint=hint)


def no_wan_vip(topology: Topology) -> Iterator[Issue]:
    """The WAN has no CARP address: nothing bound to a WAN address survives a failover."""
    wan = topology.wan
    if topology.vip_on(wan) is None:
        hint = NO_WAN_VIP_HINT.format(network=wan)
        yield Issue(("carp", "vips"), NO_WAN_VIP.format(network=wan), seen=NO_WAN_VIP_SEEN, hint=hint)


def wan_failure_unseen(topology: Topology) -> Iterator[Issue]:
    """No VHID on the WAN: a lost WAN link does not make the backup take over."""
    wan = topology.wan
    if topology.vip_on(wan) is None and topology.carp.vips:
        seen, hint = WAN_UNSEEN_SEEN.format(network=wan), WAN_UNSEEN_HINT.format(network=wan)
        yield Issue(("networks", wan), WAN_UNSEEN.format(network=wan), seen=seen, hint=hint)


def private_wan_blocked(topology: Topology) -> Iterator[Issue]:
    """A private WAN with pfSense's "Block private networks" on."""
    wan = topology.networks[topology.wan]
    if wan.block_private and any(wan.subnet.overlaps(blocked) for blocked in BLOCKED_PRIVATE):
        path = ("networks", topology.wan, "block_private")
        seen = BLOCKED_SEEN.format(subnet=wan.subnet)
        yield Issue(path, BLOCKED.format(network=topology.wan), seen=seen, hint=BLOCKED_HINT)


def dhcp_wan_with_vip(topology: Topology) -> Iterator[Issue]:
    """A CARP address on a WAN whose subnet comes from a DHCP lease."""
    wan = topology.networks[topology.wan]
    if wan.addressing == "dhcp" and topology.vip_on(topology.wan) is not None:
        yield Issue(("networks", topology.wan, "addressing"), DHCP_VIP, "static", "dhcp", DHCP_VIP_HINT)


def docker_range(topology: Topology) -> Iterator[Issue]:
    """A network in docker0's default range, in a lab that shares the host's network."""
    for name, network in topology.networks.items():
        if network.subnet.overlaps(DOCKER):
            seen = DOCKER_SEEN.format(subnet=network.subnet, docker=DOCKER)
            yield Issue(("networks", name, "subnet"), DOCKER_RANGE.format(network=name), seen=seen, hint=DOCKER_HINT)


def machines_on_sync(topology: Topology) -> Iterator[Issue]:
    """A machine on the sync network."""
    for name, machine in topology.machines.items():
        if topology.networks[machine.network].role is NetworkRole.SYNC:
            hint = SYNC_SHARED_HINT.format(network=machine.network)
            path = ("machines", name, "network")
            yield Issue(path, SYNC_SHARED.format(machine=name), seen=SYNC_SHARED_SEEN, hint=hint)


def gateway_is_a_node(topology: Topology) -> Iterator[Issue]:
    """An inside network with machines but without a CARP address."""
    peopled = {machine.network for machine in topology.machines.values()}
    for name, network in topology.networks.items():
        if network.role is NetworkRole.INSIDE and name in peopled and topology.vip_on(name) is None:
            seen = NODE_GATEWAY_SEEN.format(address=topology.firewalls[topology.master].addresses[name])
            summary, hint = NODE_GATEWAY.format(network=name), NODE_GATEWAY_HINT.format(network=name)
            yield Issue(("networks", name), summary, seen=seen, hint=hint)


def vhid_on_two_networks(topology: Topology) -> Iterator[Issue]:
    """One VHID on two networks."""
    first: dict[int, str] = {}
    for number, vip in enumerate(topology.carp.vips):
        if first.setdefault(vip.vhid, vip.network) != vip.network:
            summary = VHID_TWICE.format(vhid=vip.vhid, network=first[vip.vhid])
            path = ("carp", "vips", number, "vhid")
            yield Issue(path, summary, seen=VHID_TWICE_SEEN.format(vhid=vip.vhid))


def _free(topology: Topology, network: str) -> str:
    """An address of a network that nobody has, next to the master's where possible."""
    taken = {firewall.addresses[network] for firewall in topology.firewalls.values()}
    taken |= {machine.address for machine in topology.machines.values()}
    taken |= {vip.address for vip in topology.carp.vips}
    subnet = topology.networks[network].subnet
    master = topology.firewalls[topology.master].addresses[network]
    for distance in range(1, subnet.num_addresses):
        for number in (int(master) + distance, int(master) - distance):
            offset = number - int(subnet.network_address)
            if 0 < offset < subnet.num_addresses - 1 and subnet[offset] not in taken:
                return str(subnet[offset])
    return str(subnet[1])

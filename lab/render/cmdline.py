"""What a client or the internet machine learns at boot: kernel parameters, because it has no disk and no management network."""

from __future__ import annotations

from lab.topology.model import MachineRole
from lab.topology.plan import Kind, Plan, PlannedMachine


def client_parameters(plan: Plan, machine: PlannedMachine) -> str:
    """Parameters of one machine, in a fixed order, joined by spaces; "" for a firewall, which reads its config.xml.

    uranus.name=    its name
    uranus.role=    client, server, web or internet
    uranus.addr=    address with prefix length
    uranus.gw=      default route; absent on the WAN
    uranus.public=  the public host's address (internet)
    uranus.dhcp=    MAC,ADDRESS pairs parted by `;`: what its DHCP server reserves (internet, where the WAN uses DHCP)
    """
    if machine.kind is Kind.FIREWALL:
        return ""
    found = {"name": machine.name, "role": machine.role, "addr": str(machine.nics[0].address)}
    if machine.gateway is not None:
        found["gw"] = str(machine.gateway)
    if machine.public is not None:
        found["public"] = str(machine.public)
    if machine.role == MachineRole.INTERNET and plan.reservations:
        found["dhcp"] = ";".join(f"{mac},{address}" for mac, address in plan.reservations)
    return " ".join(f"uranus.{key}={value}" for key, value in found.items())

"""The address plan: every network, virtual address and card, as Markdown tables that also read well in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from lab.topology.plan import Plan

TITLE = "# Address plan of {name}"
NETWORKS = "## Networks"
VIRTUAL = "## Virtual addresses (CARP)"
CARDS = "## Cards"
NO_VIRTUAL = "None."
DHCP = "{address} (DHCP)"
NOTHING = "-"

NETWORK_HEAD = ("network", "subnet", "role", "interface", "bridge", "gateway")
VIP_HEAD = ("network", "address", "VHID", "virtual MAC", "description")
CARD_HEAD = ("machine", "network", "device", "address", "gateway", "MAC", "PCI slot", "tap")


def address_plan(plan: Plan) -> str:
    """Ends with a newline."""
    parts = [
        TITLE.format(name=plan.topology.name),
        NETWORKS,
        table(NETWORK_HEAD, _networks(plan)),
        VIRTUAL,
        table(VIP_HEAD, _vips(plan)) if plan.vips else NO_VIRTUAL,
        CARDS,
        table(CARD_HEAD, _cards(plan)),
    ]
    return "\n\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with even columns."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = [
        "| " + " | ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _networks(plan: Plan) -> list[list[str]]:
    node = plan.firewalls[0]
    found = []
    for name, network in plan.topology.networks.items():
        nic = node.nic_on(name)
        gateway = str(network.gateway or NOTHING)
        found.append([name, str(network.subnet), network.role.value, nic.key, nic.bridge, gateway])
    return found


def _vips(plan: Plan) -> list[list[str]]:
    return [
        [vip.network, str(vip.address), str(vip.vhid), f"00:00:5e:00:01:{vip.vhid:02x}", vip.descr or NOTHING]
        for vip in plan.vips
    ]


def _cards(plan: Plan) -> list[list[str]]:
    found = []
    for machine in plan.machines:
        for nic in machine.nics:
            address = DHCP.format(address=nic.address) if nic.dhcp else str(nic.address)
            gateway = machine.gateway if machine.gateway and machine.gateway in nic.address.network else None
            slot = f"0x{nic.slot:02x}"
            found.append(
                [machine.name, nic.network, nic.device, address, str(gateway or NOTHING), nic.mac, slot, nic.tap]
            )
        if machine.public is not None:
            found.append([machine.name, NOTHING, "lo", f"{machine.public}/32", NOTHING, NOTHING, NOTHING, NOTHING])
    return found

"""The lab as a Vagrantfile for vagrant-libvirt, to hand out: the same machines, cards, slots and addresses as everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network

from jinja2 import Environment, StrictUndefined

from lab.render.cmdline import client_parameters
from lab.render.diagram import draw_text
from lab.render.domain_xml import Accelerator
from lab.topology.model import Topology
from lab.topology.plan import MAX_NICS, Plan, PlannedMachine

MANAGEMENT_SLOT = 0x1F
"""The last slot of bus 0: a client's management card comes after the lab's."""

MANAGEMENT_CARD = "eth1"
"""What a client calls that card: the one behind the lab's only one."""

MANAGEMENT_NETWORKS = tuple(IPv4Network(f"192.168.{number}.0/24") for number in range(217, 223))
"""Where `vagrant ssh` may go. Not 192.168.121.0/24, vagrant-libvirt's own, which another lab of this computer may use by NAT."""

CONFIG_DISK_SIZE = "17M"
"""Of the disk with config.xml, MiB: what lab.host.fatdisk makes."""


@dataclass(frozen=True)
class Box:
    """One guest image as Vagrant knows it. Kernel and initrd lie in the box.

    name:       of the box.
    version:    the one version that will do; None: any.
    memory_mib: MiB.
    cmdline:    kernel parameters all machines of this box share; None: the box has a boot loader of its own.
    """

    name: str
    memory_mib: int
    version: str | None = None
    cmdline: str | None = None


def vagrantfile(plan: Plan, template: str, firewall: Box, client: Box, accelerator: Accelerator) -> str:
    """template: the text of Vagrantfile.j2 at the repository's root."""
    environment = Environment(
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, undefined=StrictUndefined
    )
    environment.filters["ruby"] = ruby_text
    environment.filters["slot"] = lambda slot: ruby_text(f"0x{slot:02x}")
    environment.filters["management_mac"] = management_mac
    return environment.from_string(template).render(
        plan=plan,
        drawing=draw_text(plan).splitlines()[2:],
        firewall=_BoxForPlan(plan, firewall),
        client=_BoxForPlan(plan, client),
        boxes=sorted({firewall.name, client.name}),
        accelerator=accelerator,
        nic_limit=MAX_NICS,
        config_disk_size=CONFIG_DISK_SIZE,
        management_network=str(management_network(plan.topology)),
        management_slot=MANAGEMENT_SLOT,
    )


def network_name(topology: Topology, network: str) -> str:
    """What libvirt calls a network of the lab."""
    return f"{topology.name}-{network}"


def management_mac(machine: PlannedMachine) -> str:
    """Of a client's card for `vagrant ssh`: as its own card's, and `ff` at the end."""
    return f"{machine.nics[0].mac[:-2]}ff"


def management_network(topology: Topology) -> IPv4Network:
    """The first subnet of MANAGEMENT_NETWORKS that the topology leaves free."""
    taken = [network.subnet for network in topology.networks.values()]
    return _first_free(MANAGEMENT_NETWORKS, taken)


def _first_free(candidates: Iterable[IPv4Network], taken: list[IPv4Network]) -> IPv4Network:
    return next(one for one in candidates if not any(one.overlaps(other) for other in taken))


def ruby_text(text: object) -> str:
    """A Ruby string literal without interpolation."""
    escaped = str(text).replace("\\", "\\\\").replace('"', '\\"').replace("#", "\\#")
    return f'"{escaped}"'


@dataclass(frozen=True)
class _BoxForPlan:
    """A box as the template uses it."""

    plan: Plan
    box: Box

    @property
    def name(self) -> str:
        return self.box.name

    @property
    def version(self) -> str | None:
        return self.box.version

    @property
    def memory_mib(self) -> int:
        return self.box.memory_mib

    @property
    def cmdline(self) -> str | None:
        return self.box.cmdline

    def parameters(self, machine: PlannedMachine) -> str:
        """Kernel parameters of one client, as they stand within a Ruby string."""
        ssh = f"uranus.ssh={MANAGEMENT_CARD}"
        return ruby_text(f"{client_parameters(self.plan, machine)} {ssh}")[1:-1]

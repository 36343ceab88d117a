"""How one machine of a lab is started, from its plan, its image and its place on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.paths import LabPaths
from lab.render.cmdline import client_parameters
from lab.render.domain_xml import Accelerator, BootSpec
from lab.topology.plan import Kind, Plan, PlannedMachine

if TYPE_CHECKING:
    from lab.host.images import GuestImage


def boot_spec(
    paths: LabPaths, plan: Plan, machine: PlannedMachine, image: GuestImage, accelerator: Accelerator, with_config: bool
) -> BootSpec:
    """How one machine of a lab is started. with_config: with the disk its config.xml is on."""
    firewall = machine.kind is Kind.FIREWALL
    return BootSpec(
        accelerator=accelerator,
        kernel=image.kernel,
        initrd=image.initrd,
        cmdline=" ".join(filter(None, (image.parameters(accelerator), client_parameters(plan, machine)))),
        disk=paths.disk(machine.name),
        config_disk=paths.config_disk(machine.name) if with_config else None,
        memory_mib=image.memory_mib,
        console_socket=paths.console_socket(machine.name),
        console_log=paths.console_log(machine.name),
        agent_socket=None if firewall else paths.agent_socket(machine.name),
    )

"""The lab as a Vagrantfile for vagrant-libvirt, to hand out: the same machines, cards, slots and addresses as everywhere."""

from __future__ import annotations

from dataclasses import dataclass

from jinja2 import Environment, StrictUndefined

from lab.render.cmdline import client_parameters
from lab.render.diagram import draw_text
from lab.render.domain_xml import CONFIG_SLOT, Accelerator
from lab.topology.plan import MAX_NICS, Plan, PlannedMachine

MANAGEMENT_SLOT = 0x1F
"""The last slot of bus 0: a client's management card comes after the lab's."""

HERE = "here({path})"


@dataclass(frozen=True)
class Box:
    """One guest image as Vagrant knows it.

    name:           of the box.
    memory_mib:     MiB.
    kernel, initrd: paths beside the Vagrantfile; None: the box's own boot loader.
    cmdline:        kernel parameters all machines of this box share.
    """

    name: str
    memory_mib: int
    kernel: str | None = None
    initrd: str | None = None
    cmdline: str = ""


def vagrantfile(plan: Plan, template: str, firewall: Box, client: Box, accelerator: Accelerator) -> str:
    """template: the text of Vagrantfile.j2 at the repository's root."""
    environment = Environment(
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, undefined=StrictUndefined
    )
    environment.filters["ruby"] = ruby_text
    environment.filters["slot"] = lambda slot: ruby_text(f"0x{slot:02x}")
    return environment.from_string(template).render(
        plan=plan,
        drawing=draw_text(plan).splitlines()[2:],
        firewall=_BoxForPlan(plan, firewall),
        client=_BoxForPlan(plan, client),
        boxes=sorted({firewall.name, client.name}),
        accelerator=accelerator,
        nic_limit=MAX_NICS,
        config_slot=f"0x{CONFIG_SLOT:02x}",
        management_slot=MANAGEMENT_SLOT,
    )


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
    def memory_mib(self) -> int:
        return self.box.memory_mib

    def boot(self, machine: PlannedMachine) -> dict[str, str]:
        """Settings of vagrant-libvirt for a direct boot, as Ruby expressions; none with a boot loader."""
        if self.box.kernel is None:
            return {}
        found = {"kernel": HERE.format(path=ruby_text(self.box.kernel))}
        if self.box.initrd is not None:
            found["initrd"] = HERE.format(path=ruby_text(self.box.initrd))
        parameters = " ".join(filter(None, (self.box.cmdline, client_parameters(self.plan, machine))))
        return {**found, "cmd_line": ruby_text(parameters)}

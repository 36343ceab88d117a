"""All that a lab would be made of, as texts. Touches nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lab.render.address_plan import address_plan
from lab.render.config_xml import config_xml
from lab.render.diagram import draw_text
from lab.render.diagram_svg import draw_svg
from lab.render.domain_xml import BootSpec, domain_xml
from lab.render.vagrantfile import Box, vagrantfile
from lab.topology.plan import Plan
from lab.topology.secrets import Secrets
from lab.topology.stage import Stage

SAMPLE_SECRETS = Secrets(
    admin="pfsense",
    admin_bcrypt="$2b$10$13u6qwCOwODv34GyCMgdWub6oQF3RX0rG7c3d3X4JvzuEmAXLYDd2",
    carp="sample-carp-word",
)
"""For files to look at: pfSense's factory password and its hash (conf.default/config.xml). A lab that runs has its own."""


@dataclass(frozen=True)
class Rendering:
    """What rendering needs beside the plan.

    boots:             how each machine is started, by name.
    revision_time:     seconds since the epoch, for config.xml.
    vagrant_template:  the text of Vagrantfile.j2.
    firewall_box, client_box: the boxes a Vagrantfile names.
    """

    stage: Stage
    secrets: Secrets
    revision_time: int
    boots: Mapping[str, BootSpec]
    vagrant_template: str
    firewall_box: Box
    client_box: Box


def render_everything(plan: Plan, rendering: Rendering) -> dict[str, str]:
    """Relative path -> text."""
    accelerator = next(iter(rendering.boots.values())).accelerator
    found = {
        f"domains/{machine.name}.xml": domain_xml(machine, rendering.boots[machine.name]) for machine in plan.machines
    }
    for node in plan.firewalls:
        text = config_xml(plan, node.name, rendering.stage, rendering.secrets, revision_time=rendering.revision_time)
        found[f"config/{node.name}.xml"] = text
    found["Vagrantfile"] = vagrantfile(
        plan, rendering.vagrant_template, rendering.firewall_box, rendering.client_box, accelerator
    )
    found["diagram.txt"] = draw_text(plan)
    found["diagram.svg"] = draw_svg(plan)
    found["addresses.md"] = address_plan(plan)
    return found

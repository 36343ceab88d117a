"""`topology.*`: look at a topology, judge it, write out what a lab of it would be made from."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path

from lab.commands import present
from lab.commands.boot_spec import boot_spec
from lab.host import images
from lab.host.boxes import vagrant_box
from lab.host.fatdisk import write_config_disk
from lab.host.passwords import passwords_of
from lab.paths import LabPaths, project_root
from lab.render.diagram import draw_text
from lab.render.diagram_svg import draw_svg
from lab.render.everything import Rendering, render_everything
from lab.topology.lint import Severity
from lab.topology.lint import lint as remarks_on
from lab.topology.load import load_source, load_topology
from lab.topology.plan import Kind, Plan, make_plan
from lab.topology.stage import Stage, parse_stage

CLEAN = "{name}: nothing to remark"


def directory() -> Path:
    """Where the topologies that come with the project are."""
    return project_root() / "topologies"


def lint(topology: str, json: bool) -> int:
    """`topology.lint`. Exit code 1 where `lab.up` would refuse the topology."""

    def body() -> int:
        model, source = load_source(topology, directory())
        remarks = remarks_on(model, source)
        refused = any(remark.severity is Severity.ERROR for remark in remarks)
        if json:
            rows = [{"id": one.id, "severity": one.severity.value, **asdict(one.finding)} for one in remarks]
            present.as_json({"ok": not refused, "topology": model.name, "remarks": rows})
        else:
            print("\n".join(map(str, remarks)) or CLEAN.format(name=model.name))
        return 1 if refused else 0

    return present.run(body, json)


def show(topology: str, svg: str | None) -> int:
    """`topology.show`."""

    def body() -> int:
        plan = make_plan(load_topology(topology, directory()))
        print(draw_text(plan))
        if svg:
            Path(svg).write_text(draw_svg(plan))
        return 0

    return present.run(body)


def render(topology: str, target: str, stage: str) -> int:
    """`topology.render`. The files' paths are those a lab of this name would use; their passwords are in secrets.json beside them."""

    def body() -> int:
        plan = make_plan(load_topology(topology, directory()))
        chosen = parse_stage(stage)
        place = Path(target)
        texts = render_everything(plan, _rendering(plan, chosen, place))
        for name, text in texts.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600 if name.startswith("config/") else 0o644)
            path.write_text(text)
            print(path)
        for node in plan.firewalls:
            disk = place / f"config/{node.name}.img"
            write_config_disk(disk, texts[f"config/{node.name}.xml"].encode())
            print(disk)
        return 0

    return present.run(body)


def _rendering(plan: Plan, stage: Stage, place: Path) -> Rendering:
    paths = LabPaths.of(plan.topology.name)
    guest_images = {name: images.described(name) for name in images.image_names()}
    boots = {
        machine.name: boot_spec(
            paths,
            plan,
            machine,
            guest_images["standin" if machine.kind is Kind.FIREWALL else "client"],
            accelerator="tcg",
            with_config=machine.kind is Kind.FIREWALL,
        )
        for machine in plan.machines
    }
    return Rendering(
        stage=stage,
        secrets=passwords_of(place / "secrets.json", plan.topology),
        revision_time=int(time.time()),
        boots=boots,
        vagrant_template=(project_root() / "Vagrantfile.j2").read_text(),
        firewall_box=vagrant_box(guest_images["standin"], "tcg"),
        client_box=vagrant_box(guest_images["client"], "tcg"),
    )

"""`lab.up`: from a topology to machines that are configured and VHIDs that are elected. A second run mends, it never doubles."""

from __future__ import annotations

import math
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

from lab.appliances.appliance import PFSENSE, appliance
from lab.commands import present, warm
from lab.commands.admission import Needs, needed
from lab.commands.boot import Booter
from lab.commands.checkpoint import admit, awake, take
from lab.commands.election import Election
from lab.commands.install import DISK_MIB as INSTALL_MIB
from lab.commands.install import Installer
from lab.commands.install_standin import installed_image, standin_medium, timing_for
from lab.commands.record import VAGRANT, Record, read_record, write_record
from lab.commands.session import Session, opened
from lab.commands.waterfall import BOOT_LOG, Waterfall, drawn, guest_spans
from lab.errors import LabError
from lab.events import Event, Listener, Phase
from lab.host import preflight
from lab.host.accelerator import Accelerator, accelerator
from lab.host.image_cache import images_home
from lab.host.images import GuestImage, Manifest, described, ensure, first_builds
from lab.host.libvirtd import PrivateLibvirt
from lab.host.lock import locked
from lab.host.media import Medium
from lab.host.media_store import find as find_medium
from lab.host.passwords import passwords_of
from lab.host.world import World
from lab.machines.checkpoint_store import AFTER_UP, Store
from lab.machines.libvirt_machines import LibvirtMachines
from lab.paths import LabPaths, cache_home, project_root
from lab.progress import telling
from lab.render.domain_xml import Accelerator as GuestAccelerator
from lab.topology.lint import refusals
from lab.topology.load import load_topology
from lab.topology.model import MachineRole, Topology
from lab.topology.plan import Kind, PlannedMachine, make_plan
from lab.topology.stage import Stage, parse_stage

AT_ANOTHER_STAGE = "`./inv lab.push {stage}` moves the lab there without a reboot"
CHOSEN = {"kvm": "hardware (KVM): {reason}", "tcg": "emulation (TCG), since {reason}"}

NO_CHECKPOINT = "lab.reset and a warm lab.up will not be possible: {why}"

PROVIDERS = ("libvirt", VAGRANT)

ESTIMATE = (
    "about {minutes} min to build {images}, {download} MiB to download; "
    "up to {disk} MiB of disk, {memory} MiB of memory"
)


@dataclass(frozen=True)
class Request:
    """What the user asked for. name: of the lab; None means the topology's. from_installer: a stand-in installed from its medium."""

    topology: str
    firewall: str
    name: str | None
    provider: str
    stage: str
    cold: bool = False
    from_installer: bool = False


def run(
    topology: str,
    firewall: str,
    name: str | None,
    provider: str,
    stage: str,
    json: bool,
    cold: bool = False,
    profile: bool = False,
) -> int:
    """The command. cold: boot, whatever was kept of an earlier lab. profile: show where the time went.

    Exit code 0 when the lab is up.
    """

    def body() -> int:
        begin = time.monotonic()
        request = Request(topology, firewall, name, provider, stage, cold)
        model = load_topology(request.topology, project_root() / "topologies")
        paths = LabPaths.of(request.name or model.name)
        listener = Waterfall(present.Progress(paths.log))
        record = bring_up(request, model, paths, listener)
        seconds = time.monotonic() - begin
        if profile:
            print(profiled(listener, record.name), file=sys.stderr)
        if json:
            present.as_json({"ok": True, "name": record.name, "seconds": round(seconds, 1), "state": str(paths.root)})
        else:
            print(READY.format(name=record.name, seconds=seconds))
        return 0

    return present.run(body, json)


READY = """\
Lab {name} is up after {seconds:.0f} s.
  ./inv lab.status       who is master
  ./inv lab.check        prove that it works
  ./inv lab.failover     kill the master and measure
  ./inv lab.console master, ./inv lab.exec client "ping -c 3 203.0.113.10"
  ./inv lab.down         end it"""


def profiled(waterfall: Waterfall, name: str) -> str:
    """The waterfall of a lab that came up, with what each firewall that booted says of its own boot."""
    spans = list(waterfall.spans)
    with opened(name) as session:
        for span in waterfall.spans:
            if span.step == "boot" and session.planned(span.subject).kind is Kind.FIREWALL:
                spans += guest_spans(span.subject, span, session.firewall(span.subject).run(BOOT_LOG).text)
    return drawn(spans)


def bring_up(request: Request, model: Topology, paths: LabPaths, listener: Listener) -> Record:
    """Bring the lab up and give back its record. Raises LabError; what was made until then stays for the next run to mend."""
    stage = parse_stage(request.stage)
    _refuse(request, model)
    with locked(paths, "lab.up", listener=listener):
        before = read_record(paths)
        try:
            return _bring_up(request, model, stage, paths, listener)
        except BaseException:
            # A lab that never came up leaves nothing running; its logs stay, and the next run begins where this one ended.
            if before is None or not before.ready:
                World(paths).destroy()
                listener(Event("lab", "ended what was started", Phase.NOTE, detail=f"logs are in {paths.root}"))
            raise


def _bring_up(request: Request, model: Topology, stage: Stage, paths: LabPaths, listener: Listener) -> Record:
    plan = make_plan(model)
    medium = _medium(request, listener)
    golden = {request.firewall: installed_image(medium)} if medium else {}
    with telling(listener, "lab", "accelerator") as said:
        verdict = accelerator(cache_home())
        said.append(CHOSEN[verdict.kind].format(reason=verdict.reason))
    names = ("client",) if medium else (appliance(request.firewall).image, "client")
    world = World(paths)
    if not world.exists():
        described_images = golden | {name: described(name) for name in names}
        sizes = [described_images[_image(machine, request.firewall)].memory_mib for machine in plan.machines]
        needs = needed(sizes)
        rooms = [preflight.Room(paths.root, needs.disk_mib)]
        if medium and not golden[request.firewall].disk.exists():
            rooms.append(preflight.Room(images_home(), INSTALL_MIB))
        preflight.check(mib=needs.memory_mib, rooms=tuple(rooms))
        _say_estimate(first_builds(names), needs, listener)
    images = golden | {name: ensure(name, listener) for name in names}
    wanted = _wanted(request, model, stage, paths, verdict, images, len(plan.machines))
    by_vagrant = request.provider == VAGRANT
    if by_vagrant:
        _clean(paths)
    warm_start = not by_vagrant and warm.prepare(paths, wanted, request.cold, listener)
    record = _record(wanted, paths)
    with telling(listener, "lab", "namespace and bridges"):
        world.create(plan.bridges)
    with telling(listener, "lab", "its own libvirtd"):
        daemon = PrivateLibvirt(paths)
        daemon.start(kvm=verdict.kind == "kvm")
        machines = LibvirtMachines(daemon.connect(), paths.libvirt / "log" / "qemu")
    world.start_broker()
    try:
        session = Session(paths, record, plan, machines)
        if medium:
            accelerated: GuestAccelerator = "kvm" if verdict.kind == "kvm" else "tcg"
            Installer(
                paths, machines, accelerated, verdict.factor, listener, timing_for(medium, verdict.factor)
            ).ensure(medium)
        if done_before := session.cut(listener).recover():
            listener(Event("lab", "a save or restore", Phase.NOTE, detail=done_before))
        if warm_start and warm.start(session, images, listener):
            done = record.done()
            write_record(paths, done)
            return done
        secrets = passwords_of(paths.secrets, model)
        booter = _booter_of(request.provider)(paths, record, plan, machines, images, secrets, listener)
        _boot_and_elect(booter, world, stage)
        done = record.done()
        write_record(paths, done)
        if not (by_vagrant or request.from_installer):
            _keep(session, listener)
    finally:
        machines.close()
    return done


def _medium(request: Request, listener: Listener) -> Medium | None:
    """What a firewall is installed from; None for one whose image we build. Raises LabError where there is no medium."""
    if request.from_installer:
        return standin_medium(listener)
    return find_medium(listener) if appliance(request.firewall) is PFSENSE else None


def _booter_of(provider: str) -> type[Booter]:
    if provider == VAGRANT:
        from lab.commands.vagrant_boot import VagrantBooter

        return VagrantBooter
    return Booter


def _clean(paths: LabPaths) -> None:
    from lab.commands.vagrant_boot import clean

    clean(paths)


def _keep(session: Session, listener: Listener) -> None:
    """What `lab.reset` and the next `lab.up` go back to. A lab that cannot be saved is a lab all the same."""
    if AFTER_UP in Store(session.paths).names():
        return
    try:
        admit(session)
        with telling(listener, "lab", "the clients' agents"):
            # The last thing a client starts. What is kept is to be at rest: a boot's end would be done again at every reset.
            for client in session.plan.clients:
                awake(session, client.name)
        take(session, AFTER_UP, listener)
    except LabError as error:
        listener(Event("lab", "checkpoint", Phase.NOTE, detail=NO_CHECKPOINT.format(why=error.problem)))


def _say_estimate(recipes: list[Manifest], needs: Needs, listener: Listener) -> None:
    """What the first run costs, all of it together, before it is begun."""
    if recipes:
        costs = [recipe.estimate for recipe in recipes]
        said = ESTIMATE.format(
            images=" and ".join(recipe.name for recipe in recipes),
            minutes=math.ceil(sum(cost.seconds for cost in costs) / 60),
            download=sum(cost.download_mib for cost in costs),
            disk=sum(cost.disk_mib for cost in costs) + max(needs.disk_mib, *(cost.build_mib for cost in costs)),
            memory=needs.memory_mib,
        )
        listener(Event("lab", "first run", Phase.NOTE, detail=said))


def _boot_and_elect(booter: Booter, world: World, stage: Stage) -> None:
    booter.begin()
    if not stage.reaches(Stage.VIPS):
        _boot_all(booter, os.cpu_count() or 1)
        return
    with Election(world, booter.plan.topology, booter.paths.root / "election") as election:
        _boot_all(booter, os.cpu_count() or 1)
        with telling(booter.listener, "lab", "election"):
            election.wait(booter.record.slowness)


def _boot_all(booter: Booter, cores: int) -> None:
    """Every machine in a thread of its own; the first failure is raised when all have ended.

    A boot is all processor time where there is no acceleration. With fewer cores than machines the clients nobody waits for
    boot while the firewalls elect, who only wait for each other's adverts then.
    """
    machines = booter.plan.machines
    later = () if cores >= len(machines) else tuple(machine for machine in machines if _may_wait(machine))
    with ThreadPoolExecutor(len(machines)) as pool:
        futures = [pool.submit(booter.bring_up, machine) for machine in machines if machine not in later]
        wait(futures)
        futures += [pool.submit(booter.bring_up, machine) for machine in later]
    for future in futures:
        future.result()


def _may_wait(machine: PlannedMachine) -> bool:
    """The firewalls' DHCP server is on the internet."""
    return machine.kind is Kind.CLIENT and machine.role != MachineRole.INTERNET


def _image(machine: PlannedMachine, firewall: str) -> str:
    return firewall if machine.kind is Kind.FIREWALL else "client"


def _refuse(request: Request, model: Topology) -> None:
    """What cannot be built, said before anything is started."""
    if request.provider not in PROVIDERS:
        raise LabError(
            f"There is no provider called {request.provider}", expected=" or ".join(PROVIDERS), seen=request.provider
        )
    if request.provider == VAGRANT:
        if request.firewall != "standin":
            raise LabError(
                f"There is no Vagrant box of {request.firewall}",
                expected="--firewall standin",
                seen=f"--firewall {request.firewall}",
                cure="leave --provider out: it is for you to pack what is not ours to give away",
            )
        preflight.check_programs(preflight.VAGRANT_PARTS)
    errors = refusals(model)
    if errors:
        raise LabError(
            f"The topology {model.name} cannot work, so it is not built",
            expected="a topology without errors in `./inv topology.lint`",
            seen="\n".join(map(str, errors)),
            cure=errors[0].finding.hint,
        )


def _wanted(
    request: Request,
    model: Topology,
    stage: Stage,
    paths: LabPaths,
    verdict: Accelerator,
    images: dict[str, GuestImage],
    guests: int,
) -> Record:
    return Record(
        name=paths.name,
        topology=model.model_dump_json(by_alias=True),
        firewall=request.firewall,
        provider=request.provider,
        stage=stage,
        accelerator=verdict.kind,
        slowness=round(verdict.factor * max(1.0, guests / (os.cpu_count() or 1)), 2),
        images={name: image.recipe_hash for name, image in images.items()},
        created=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    )


def _record(wanted: Record, paths: LabPaths) -> Record:
    """Write what is wanted. Raises LabError where the lab there is made from something else."""
    there = read_record(paths)
    if there is not None:
        different = [
            word
            for word in ("topology", "firewall", "provider", "stage", "images")
            if getattr(there, word) != getattr(wanted, word)
        ]
        if different:
            raise LabError(
                f"Lab {paths.name} exists already, made from something else",
                expected="the same " + ", ".join(different),
                seen=f"topology {there.model().name}, firewall {there.firewall}, stage {there.stage.value}",
                cure=AT_ANOTHER_STAGE.format(stage=wanted.stage.value)
                if different == ["stage"]
                else f"`./inv lab.down --name {paths.name}` first, or another --name",
            )
    write_record(paths, wanted)
    return wanted

"""The stand-in by way of its installer: the path of a real pfSense, whole, on a machine that nobody had to bring anything to.

`image.build --firewall standin --from-installer`: medium, installer driver, golden disk; then two nodes from it: first boot, config.xml
disk, console menu, push, configuration sync.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from lab.commands import present
from lab.commands.down import take_down
from lab.commands.install import golden_image
from lab.commands.session import Session, opened
from lab.console.installer.driver import Timing
from lab.errors import LabError
from lab.events import Event, Listener, Phase
from lab.host.images import GuestImage, described, ensure
from lab.host.media import Medium
from lab.paths import LabPaths, project_root
from lab.topology.load import load_topology
from lab.topology.stage import Stage

PRODUCT = "standin_installed"
"""One word: the first of an image's name says what it is of."""

TOPOLOGY = "images/standin/pair.yaml"
PREFIX = "installed"
MARK = "cat /etc/uranus-installed"
QUIET_SECONDS = 0.3
"""How long a screen of the stand-in's installer must stand still: `dialog` draws each in one go. A real one gets more."""

NOT_INSTALLED = "{node} does not run from the disk that was installed"
CURE = "`./inv image.build --firewall standin --from-installer --force` installs it anew"
PROVED = "{count} times in a row from the medium to a synchronised pair:"
ROW = "  install {install:5.1f} s   first boot {boot:5.1f} s   push {push:5.1f} s   sync {sync:5.1f} s"


def standin_medium(listener: Listener) -> Medium:
    """The stand-in's stick: its own disk, booted as an installer. Built where it is not. Raises LabError."""
    image = ensure("standin", listener)
    return Medium(
        product=PRODUCT,
        version=image.recipe_hash[:12],
        disk=image.disk,
        sha256=image.recipe_hash,
        kernel=image.kernel,
        initrd=image.initrd,
        cmdline=f"{image.parameters('tcg')} uranus.medium= uranus.recipe={image.recipe_hash}",
        memory_mib=image.memory_mib,
        form="qcow2",
        bus="ide",
    )


def installed_image(medium: Medium) -> GuestImage:
    """What is installed from a medium. A stand-in's disk has no boot loader: it boots by the medium's kernel, root on that disk."""
    golden = golden_image(medium)
    if medium.product != PRODUCT:
        return golden
    return replace(described("standin"), recipe_hash=golden.recipe_hash, disk=golden.disk)


def timing_for(medium: Medium, slowness: float) -> Timing | None:
    """None: the driver's own patience."""
    return Timing(quiet=QUIET_SECONDS, slowness=slowness) if medium.product == PRODUCT else None


@dataclass(frozen=True)
class Proof:
    """One run from the medium to a synchronised pair, seconds of its parts. install: 0 where an installed disk was taken."""

    install: float
    boot: float
    push: float
    sync: float


def build(force: bool, repeat: int) -> int:
    """Whole runs in a row, each from the medium; the first takes an installed disk that is there, unless `force`."""
    listener = present.Progress()
    proofs = [prove(listener, force or number > 0, f"{PREFIX}-{number}") for number in range(repeat)]
    print(PROVED.format(count=len(proofs)))
    for proof in proofs:
        print(ROW.format(**vars(proof)))
    return 0


def prove(listener: Listener, again: bool, name: str) -> Proof:
    """The whole path once, in a lab of its own that is gone afterwards. again: from the medium, whatever was kept. Raises LabError."""
    from lab.commands.push import push
    from lab.commands.sync import synchronise
    from lab.commands.up import Request, bring_up

    if again:
        shutil.rmtree(installed_image(standin_medium(listener)).disk.parent, ignore_errors=True)
    model = load_topology(str(project_root() / TOPOLOGY), project_root() / "topologies")
    paths = LabPaths.of(name)
    steps = Steps(listener)
    try:
        request = Request(
            str(project_root() / TOPOLOGY), "standin", name, "libvirt", "bare", cold=True, from_installer=True
        )
        boot = _seconds(lambda: bring_up(request, model, paths, steps))
        with opened(name) as session:
            for node in session.plan.firewalls:
                _assert_installed(session, node.name)
            pushed = _seconds(lambda: push(session, Stage.RULES, check=False, listener=listener))
        with opened(name) as session:
            synced = _seconds(lambda: synchronise(session, listener))
    finally:
        take_down(paths, listener, purge=True)
    return Proof(steps.install, boot - steps.install, pushed, synced)


def _assert_installed(session: Session, node: str) -> None:
    """By way of the console menu and its shell. Raises LabError where the node's disk was not written by this installer."""
    recipe = described("standin").recipe_hash
    said = session.firewall(node).run(MARK)
    if said.code or f"recipe {recipe}" not in said.text.splitlines():
        raise LabError(NOT_INSTALLED.format(node=node), expected=f"recipe {recipe}", seen=said.text, cure=CURE)


class Steps:
    """A listener that passes all on and keeps how long the installation took, 0 where it was kept from an earlier run."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self.install = 0.0

    def __call__(self, event: Event) -> None:
        if event.subject == f"image {PRODUCT}" and event.phase is Phase.DONE:
            self.install = event.seconds
        self._listener(event)


def _seconds(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun

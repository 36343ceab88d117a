"""From an install medium to a golden disk: the installer driven in a guest of its own, once for each medium and recipe.

The guest lives in a lab's world, so it ends with it; what it writes lies in the cache beside the other images until it is whole.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.console.installer.driver import Installation, InstallerDriver, Timing
from lab.console.line import open_line
from lab.errors import LabError
from lab.events import Event, Listener, Phase
from lab.host.image_build import DISK
from lab.host.image_cache import UNFINISHED, check, image_path, images_home, read_record, write_record
from lab.host.images import GuestImage, overlay
from lab.host.media import Medium
from lab.host.media_store import recipe
from lab.machines.machine import Machines, MachineState
from lab.paths import LabPaths
from lab.render.domain_xml import Accelerator, BootSpec, domain_xml
from lab.topology.plan import Kind, PlannedMachine

TARGET_MIB = 8192
"""Size of the target disk, MiB: the installer wants 1 GiB of swap and 4 GiB more (zfsboot), and pfSense 8 GB."""
DISK_MIB = 4096
"""What an installation takes on the host at most, stick's overlay included, MiB."""
MACHINE = "installer"
OFF_SECONDS = 30.0

NO_DISK = "The target disk cannot be made"
TRANSCRIPT = "{product}-install.jsonl"


@dataclass(frozen=True)
class Installer:
    """What an installation needs of the lab it runs in. slowness: of its guests; accelerator: `kvm` or `tcg`."""

    paths: LabPaths
    machines: Machines
    accelerator: Accelerator
    slowness: float
    listener: Listener
    timing: Timing | None = None

    def ensure(self, medium: Medium) -> GuestImage:
        """The golden disk of a medium; installed if it is not there. Raises LabError: the installer's, or a damaged disk."""
        golden = golden_image(medium)
        path = golden.disk.parent
        if not path.exists():
            self._install(medium, path)
        check(read_record(path))
        return golden

    def _install(self, medium: Medium, path: Path) -> None:
        """Install beside, then rename: a folder with the image's own name is always whole."""
        home = images_home()
        home.mkdir(parents=True, exist_ok=True)
        for left in home.glob(f"{UNFINISHED}{medium.product}-*"):
            shutil.rmtree(left, ignore_errors=True)
        out = Path(tempfile.mkdtemp(prefix=f"{UNFINISHED}{medium.product}-", dir=home))
        begin = time.monotonic()
        self._tell(medium, "install", Phase.STARTED)
        try:
            _target(out / DISK)
            stick = out / "stick.qcow2"
            overlay(medium.disk, stick, medium.form)
            done = self._run(medium, out / DISK, stick, home / TRANSCRIPT.format(product=medium.product))
            stick.unlink()
            write_record(out, medium.product, recipe(medium), [DISK])
            out.chmod(0o755)
            out.rename(path)
        except BaseException:
            shutil.rmtree(out, ignore_errors=True)
            self._tell(medium, "install", Phase.FAILED, time.monotonic() - begin)
            raise
        self._tell(medium, "install", Phase.DONE, time.monotonic() - begin, " > ".join(done.screens))

    def _run(self, medium: Medium, target: Path, stick: Path, transcript: Path) -> Installation:
        with self._guest(medium, target, stick) as timing:
            socket = self.paths.console_socket(MACHINE)
            with open_line(socket, timeout=timing.overall * timing.slowness, purpose="the installer") as line:
                driver = InstallerDriver(
                    line, medium.target, timing, transcript, self.listener, f"image {medium.product}"
                )
                done = driver.install()
            self._wait_off()
        return done

    @contextlib.contextmanager
    def _guest(self, medium: Medium, target: Path, stick: Path) -> Iterator[Timing]:
        """The guest, running; gone at the end of the block."""
        self.paths.console_log(MACHINE).parent.mkdir(parents=True, exist_ok=True)
        machine = PlannedMachine(MACHINE, Kind.FIREWALL, "firewall", MACHINE, f"{medium.product} installer", (), None)
        boot = BootSpec(
            accelerator=self.accelerator,
            memory_mib=medium.memory_mib,
            console_socket=self.paths.console_socket(MACHINE),
            console_log=self.paths.console_log(MACHINE),
            disk=target,
            kernel=medium.kernel,
            initrd=medium.initrd,
            cmdline=medium.cmdline,
            stick=stick,
            stick_bus=medium.bus,
            restart=False,
        )
        self.machines.define(MACHINE, domain_xml(machine, boot))
        try:
            self.machines.get(MACHINE).start()
            yield self.timing or Timing(slowness=self.slowness)
        finally:
            self.machines.undefine(MACHINE)

    def _wait_off(self) -> None:
        """The reboot ends the guest (`on_reboot` is destroy); one that stays is ended, its disks are written back by then."""
        end = time.monotonic() + OFF_SECONDS * self.slowness
        while self.machines.get(MACHINE).state() is MachineState.RUNNING and time.monotonic() < end:
            time.sleep(0.2)

    def _tell(self, medium: Medium, step: str, phase: Phase, seconds: float = 0.0, detail: str = "") -> None:
        self.listener(Event(f"image {medium.product}", step, phase, seconds, detail))


def golden_image(medium: Medium) -> GuestImage:
    """The installed disk of a medium, whether it is there or not: it boots by its own loader."""
    digest = recipe(medium)
    return GuestImage(
        name=medium.product,
        recipe_hash=digest,
        disk=image_path(medium.product, digest) / DISK,
        kernel=None,
        initrd=None,
        cmdline="",
        memory_mib=medium.memory_mib,
    )


def _target(path: Path) -> None:
    done = subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", str(path), f"{TARGET_MIB}M"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LabError(NO_DISK, expected=str(path), seen=done.stderr.strip())

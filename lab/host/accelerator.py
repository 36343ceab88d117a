"""Which accelerator guests run under: KVM if it has just booted one, else emulation (TCG)."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from lab.errors import LabError
from lab.host import bootsector
from lab.host.deadline import Deadline
from lab.paths import cache_home

Kind = Literal["kvm", "tcg"]

EMULATOR = "qemu-system-x86_64"
DEVICE = Path("/dev/kvm")

KVM_SECONDS = 5.0
"""Deadline for a guest under KVM; a working one needs well under 1 s."""

TCG_SECONDS = 60.0
"""Deadline for the same guest emulated, on a machine that may be slow, and busy."""

REFERENCE_SECONDS = 0.35
"""Processor seconds the probe guest takes emulated on the machine for which deadlines are written (AMD EPYC, 2 cores)."""

SLOWEST, FASTEST = 20.0, 0.5
"""Limits of the factor: a faster machine may still be a busy one."""

CPU_MODELS: dict[Kind, str] = {"kvm": "host,migratable=on", "tcg": "max"}
"""What the labs' own guests get: a CPU model alone can make KVM refuse."""

WORKS = "/dev/kvm booted a test guest in {seconds:.1f} s"
NO_DEVICE = "there is no /dev/kvm (no virtualisation, or switched off in the firmware)"
NO_PERMISSION = "/dev/kvm may not be opened by this user (cure: adduser {user} kvm, then log in again)"
HANGS = "/dev/kvm opens, but a test guest hung for {seconds:.0f} s"
ABORTS = "/dev/kvm opens, but QEMU gave up on a test guest: {said}"
SILENT = "exit code {code}"
NO_EMULATOR = "QEMU is not installed"
NO_EMULATOR_CURE = "apt-get install qemu-system-x86"
NO_ROOM = "A test guest could not be tried"
NO_ROOM_CURE = "Free some space in /tmp, or set TMPDIR to a directory with room."
NOTHING_BOOTS = "No guest boots on this machine, not even emulated"
NOTHING_BOOTS_CURE = "Try `qemu-system-x86_64 -version`; reinstall qemu-system-x86."


@dataclass(frozen=True)
class Accelerator:
    """The verdict for this machine.

    reason: one line for people, why it is this one.
    speed:  processor time of the probe guest relative to emulation on the reference machine; 2.0 is twice as slow.
    """

    kind: Kind
    reason: str
    speed: float

    def deadline(self, seconds: float, guests: int = 1) -> Deadline:
        """A deadline from now for something that may take `seconds` on the reference machine with an idle core.

        guests: how many guests work at it side by side; they share this machine's cores.
        """
        return Deadline.after(seconds * self.factor * max(1.0, guests / (os.cpu_count() or 1)))

    @property
    def factor(self) -> float:
        """What deadlines are multiplied by."""
        return min(max(self.speed, FASTEST), SLOWEST)


@dataclass(frozen=True)
class Trial:
    """How one test guest went. seconds: wall clock; processor: seconds of processor time; said: QEMU's complaint."""

    booted: bool
    hung: bool
    seconds: float
    processor: float
    said: str


Try = Callable[[Kind, float], Trial]


def try_guest(kind: Kind, seconds: float) -> Trial:
    """Boot the test guest and end it by a deadline in seconds. Raises LabError: no QEMU, no room for 64 KiB."""
    try:
        return _try_guest(kind, seconds)
    except FileNotFoundError as error:
        raise LabError(NO_EMULATOR, cure=NO_EMULATOR_CURE) from error
    except OSError as error:
        raise LabError(NO_ROOM, seen=str(error), cure=NO_ROOM_CURE) from error


def _try_guest(kind: Kind, seconds: float) -> Trial:
    with tempfile.NamedTemporaryFile(prefix="uranus-probe-") as disk:
        disk.write(bootsector.boot_sector().ljust(1 << 16, b"\0"))
        disk.flush()
        command = [
            EMULATOR, "-machine", "pc", "-accel", kind, "-cpu", CPU_MODELS[kind], "-m", "16",
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio",
            "-device", f"isa-debug-exit,iobase={bootsector.EXIT_PORT:#x},iosize=4",
            "-drive", f"file={disk.name},format=raw,if=ide",
        ]  # fmt: skip
        begun = time.monotonic()
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as guest:
            hung = not _ended(guest.pid, seconds)
            if hung:
                guest.kill()
            # wait4, for the processor time of this child alone
            _, status, usage = os.wait4(guest.pid, 0)
            guest.returncode = os.waitstatus_to_exitcode(status)
            out, err = (pipe.read() if pipe else b"" for pipe in (guest.stdout, guest.stderr))
    return Trial(
        booted=guest.returncode == bootsector.EXIT_CODE and out == bootsector.ALIVE + bootsector.DONE,
        hung=hung,
        seconds=time.monotonic() - begun,
        processor=usage.ru_utime + usage.ru_stime,
        said=(err.decode(errors="replace").strip().splitlines() or [SILENT.format(code=guest.returncode)])[0],
    )


def _ended(pid: int, seconds: float) -> bool:
    """Whether a child ends within that time; it is not waited for."""
    handle = os.pidfd_open(pid)
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


def probe(attempt: Try = try_guest, device: Path = DEVICE) -> Accelerator:
    """Find out, by booting. Takes about a second, KVM_SECONDS more where KVM hangs. Raises LabError."""
    if not device.exists():
        reason = NO_DEVICE
    elif not os.access(device, os.R_OK | os.W_OK):
        reason = NO_PERMISSION.format(user=os.environ.get("USER", "USER"))
    else:
        trial = attempt("kvm", KVM_SECONDS)
        if trial.booted:
            return Accelerator("kvm", WORKS.format(seconds=trial.seconds), trial.processor / REFERENCE_SECONDS)
        reason = HANGS.format(seconds=KVM_SECONDS) if trial.hung else ABORTS.format(said=trial.said)
    trial = attempt("tcg", TCG_SECONDS)
    if not trial.booted:
        raise LabError(NOTHING_BOOTS, seen=trial.said, cure=NOTHING_BOOTS_CURE)
    return Accelerator("tcg", reason, trial.processor / REFERENCE_SECONDS)


def machine_key(device: Path = DEVICE) -> str:
    """What the verdict hangs on: this boot of this kernel, the processor, the emulator, the device and our right to it."""
    emulator = shutil.which(EMULATOR)
    status = os.stat(emulator) if emulator else None  # noqa: PTH116
    processor = next(
        (line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), ""
    )
    facts = (
        Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
        os.uname().release,
        processor,
        f"{emulator} {status.st_mtime_ns} {status.st_size}" if status else "",
        str(device.exists()),
        str(os.access(device, os.R_OK | os.W_OK)),
    )
    return "; ".join(facts)


def accelerator(
    cache: Path | None = None, find: Callable[[], Accelerator] = probe, key: Callable[[], str] = machine_key
) -> Accelerator:
    """This machine's accelerator: from the cache directory if found there for this very machine, else probed now.

    Raises LabError when nothing boots.
    """
    file = (cache or cache_home()) / "accelerator.json"
    here = key()
    try:
        known = json.loads(file.read_text())
        if known["key"] == here:
            return Accelerator(**known["verdict"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # no verdict yet, or one that cannot be read: find out again
    verdict = find()
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(f".{os.getpid()}")
    beside.write_text(json.dumps({"key": here, "verdict": asdict(verdict)}))
    beside.rename(file)
    return verdict

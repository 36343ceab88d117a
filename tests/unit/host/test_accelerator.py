from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.host import accelerator as module
from lab.host.accelerator import Accelerator, Kind, Trial, accelerator, machine_key, probe, try_guest

BOOTED = Trial(booted=True, hung=False, seconds=0.4, processor=module.REFERENCE_SECONDS, said="")
HUNG = Trial(booted=False, hung=True, seconds=5.0, processor=5.0, said="exit code -9")
ABORTED = Trial(booted=False, hung=False, seconds=0.1, processor=0.1, said="failed to set MSR 0x10a to 0x69")


def trials(kvm: Trial, tcg: Trial = BOOTED) -> module.Try:
    return lambda kind, seconds: kvm if kind == "kvm" else tcg


@pytest.fixture
def device(tmp_path: Path) -> Path:
    made = tmp_path / "kvm"
    made.touch()
    return made


@pytest.mark.parametrize(
    ("trial", "kind", "reason"),
    [
        (BOOTED, "kvm", "/dev/kvm booted a test guest in 0.4 s"),
        (HUNG, "tcg", "/dev/kvm opens, but a test guest hung for 5 s"),
        (ABORTED, "tcg", "/dev/kvm opens, but QEMU gave up on a test guest: failed to set MSR 0x10a to 0x69"),
    ],
)
def test_kvm_counts_only_after_it_has_booted_something(device: Path, trial: Trial, kind: Kind, reason: str) -> None:
    verdict = probe(trials(trial), device)
    assert (verdict.kind, verdict.reason) == (kind, reason)


def test_no_device(tmp_path: Path) -> None:
    verdict = probe(trials(BOOTED), tmp_path / "kvm")
    assert verdict.kind == "tcg"
    assert "no /dev/kvm" in verdict.reason


def test_no_permission(device: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    verdict = probe(trials(BOOTED), device)
    assert verdict.kind == "tcg"
    assert "may not be opened" in verdict.reason
    assert "adduser" in verdict.reason


def test_nothing_boots(device: Path) -> None:
    with pytest.raises(LabError, match="No guest boots"):
        probe(trials(HUNG, ABORTED), device)


def test_no_emulator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match="QEMU is not installed") as caught:
        try_guest("tcg", 1.0)
    assert "qemu-system-x86" in caught.value.problem.cure


def test_verdict_is_cached_for_this_machine_only(tmp_path: Path) -> None:
    found: list[Accelerator] = []

    def find() -> Accelerator:
        found.append(Accelerator("tcg", f"probe {len(found) + 1}", 1.5))
        return found[-1]

    first = accelerator(tmp_path, find, lambda: "boot 1")
    assert accelerator(tmp_path, find, lambda: "boot 1") == first
    assert len(found) == 1
    assert accelerator(tmp_path, find, lambda: "boot 2").reason == "probe 2"
    assert accelerator(tmp_path, find, lambda: "boot 2").reason == "probe 2"
    (tmp_path / "accelerator.json").write_text("{broken")
    assert accelerator(tmp_path, find, lambda: "boot 2").reason == "probe 3"


def test_key_depends_on_the_device(device: Path) -> None:
    before = machine_key(device)
    assert machine_key(device) == before
    device.unlink()
    assert machine_key(device) != before


def test_deadlines_scale_with_the_machine_within_limits() -> None:
    twice = Accelerator("tcg", "", 2.0)
    assert twice.deadline(10).seconds == 20
    cores = os.cpu_count() or 1
    assert twice.deadline(10, guests=3 * cores).seconds == 60
    assert Accelerator("kvm", "", 0.01).deadline(10).seconds == 10 * module.FASTEST
    assert Accelerator("tcg", "", 1000.0).deadline(10).seconds == 10 * module.SLOWEST


@pytest.mark.skipif(shutil.which(module.EMULATOR) is None, reason="QEMU is not installed")
def test_real_guest_boots_emulated() -> None:
    trial = try_guest("tcg", module.TCG_SECONDS)
    assert trial.booted, trial
    assert not trial.hung
    assert trial.processor > 0


@pytest.mark.skipif(shutil.which(module.EMULATOR) is None, reason="QEMU is not installed")
def test_guest_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.bootsector, "EXIT_PORT", 0xE9)  # nobody listens there: the guest halts for good
    sector = module.bootsector.boot_sector()
    monkeypatch.setattr(module.bootsector, "EXIT_PORT", 0xF4)
    monkeypatch.setattr(module.bootsector, "boot_sector", lambda: sector)
    trial = try_guest("tcg", 1.0)
    assert trial.hung
    assert not trial.booted

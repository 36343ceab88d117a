"""The floor: the same guests started by the least a person could do by hand, as one shell script."""

from __future__ import annotations

import os
import shlex

from lab.commands.boot_spec import boot_spec
from lab.host.images import GuestImage
from lab.paths import LabPaths
from lab.render.domain_xml import TRANSLATION_CACHE_MIB, Accelerator, BootSpec
from lab.topology.plan import Kind, Plan, PlannedMachine

QUIET = (
    "net.ipv6.conf.all.disable_ipv6=1",
    "net.ipv6.conf.default.disable_ipv6=1",
    "net.bridge.bridge-nf-call-iptables=0",
    "net.bridge.bridge-nf-call-ip6tables=0",
    "net.bridge.bridge-nf-call-arptables=0",
)
POLL = "sleep 0.05"


def script(plan: Plan, images: dict[str, GuestImage], kind: Accelerator, paths: LabPaths) -> str:
    """Makes one namespace, bridges and taps, starts every guest, prints MARK at the mark, and ends all it started."""
    name = f"floor-{os.getpid()}"
    inside = f"nsenter --net=/run/netns/{name}"
    return "\n".join(
        [
            "set -eu",
            f"ip netns add {name}",
            f"trap 'kill $(jobs -p) 2>/dev/null; wait; ip netns del {name}' EXIT",
            *(f"{inside} sysctl -qw {setting} 2>/dev/null || true" for setting in QUIET),
            f"{inside} ip -batch - <<'END'",
            *_links(plan),
            "END",
            *_guests(plan, images, kind, paths, inside),
            *_mark(plan, paths, inside),
            "",
        ]
    )


def _links(plan: Plan) -> list[str]:
    lines = ["link set lo up"]
    for bridge in plan.bridges:
        lines.append(f"link add {bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0")
        lines.append(f"link set {bridge} up")
    for machine in plan.machines:
        for nic in machine.nics:
            lines.append(f"tuntap add dev {nic.tap} mode tap")
            lines.append(f"link set {nic.tap} master {nic.bridge} up")
    return lines


def _guests(plan: Plan, images: dict[str, GuestImage], kind: Accelerator, paths: LabPaths, inside: str) -> list[str]:
    lines = []
    for machine in plan.machines:
        firewall = machine.kind is Kind.FIREWALL
        boot = boot_spec(paths, plan, machine, images["standin" if firewall else "client"], kind, firewall)
        lines.append(f"{inside} {shlex.join(qemu(machine, boot))} >/dev/null 2>&1 &")
    return lines


def _mark(plan: Plan, paths: LabPaths, inside: str) -> list[str]:
    """Every machine's ready line, and the first firewall's advert on every network with a VIP."""
    lines = []
    for vip in plan.vips:
        nic = plan.machine(plan.topology.master).nic_on(vip.network)
        heard = f"ip proto 112 and src {nic.address.ip}"
        lines.append(f"{inside} tcpdump -i {nic.bridge} -c 1 '{heard}' >/dev/null 2>&1 & heard{vip.vhid}=$!")
    for machine in plan.machines:
        ready = "Enter an option" if machine.kind is Kind.FIREWALL else "URANUS-READY"
        lines.append(f"until grep -qs '{ready}' {paths.console_log(machine.name)}; do {POLL}; done")
    return [*lines, *(f"wait $heard{vip.vhid}" for vip in plan.vips), "echo MARK"]


def qemu(machine: PlannedMachine, boot: BootSpec) -> list[str]:
    """A guest of lab.render.domain_xml as a QEMU command line."""
    command = ["qemu-system-x86_64", "-machine", "pc", "-nodefaults", "-no-user-config", "-display", "none"]
    if boot.accelerator == "kvm":
        command += ["-accel", "kvm", "-cpu", "host"]
    else:
        command += ["-accel", f"tcg,tb-size={TRANSLATION_CACHE_MIB[machine.kind]}", "-cpu", "max"]
    command += ["-m", str(boot.memory_mib), "-serial", f"file:{boot.console_log}"]
    command += ["-kernel", str(boot.kernel), "-initrd", str(boot.initrd), "-append", str(boot.cmdline)]
    command += ["-drive", f"file={boot.disk},if=none,id=d0", "-device", "virtio-blk-pci,drive=d0,addr=0x4"]
    if boot.config_disk:
        command += ["-drive", f"file={boot.config_disk},format=raw,if=none,id=d1"]
        command += ["-device", "virtio-blk-pci,drive=d1,addr=0x5"]
    for nic in machine.nics:
        command += ["-netdev", f"tap,id=n{nic.index},ifname={nic.tap},script=no,downscript=no"]
        command += ["-device", f"virtio-net-pci,netdev=n{nic.index},mac={nic.mac},addr={nic.slot:#x}"]
    return command

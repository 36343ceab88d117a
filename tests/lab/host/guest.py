"""A guest that needs no image: a boot sector that greets on the serial line and halts."""

from __future__ import annotations

from pathlib import Path

GREETING = "hello from the boot sector"

DOMAIN = """\
<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>32</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type><boot dev='hd'/></os>
  <features><acpi/><apic/><tcg><tb-cache unit='MiB'>32</tb-cache></tcg></features>
  <cpu mode='maximum'/>
  <clock offset='utc'/>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw' cache='unsafe'/><source file='{disk}'/><target dev='vda' bus='virtio'/>
      <address type='pci' domain='0' bus='0' slot='0x08' function='0'/>
    </disk>
    {cards}
    <serial type='unix'>
      <source mode='bind' path='{console}'/><log file='{log}' append='on'/><target port='0'/>
    </serial>
    <channel type='unix'>
      <source mode='bind' path='{agent}'/><target type='virtio' name='org.qemu.guest_agent.0'/>
    </channel>
    <memballoon model='none'/>
  </devices>
</domain>
"""

CARD = """\
<interface type='bridge'>
  <mac address='{mac}'/><source bridge='br-{network}'/><target dev='{tap}'/><model type='virtio'/>
  <address type='pci' domain='0' bus='0' slot='0x{slot:02x}' function='0'/>
</interface>"""


def boot_sector(greeting: str = GREETING) -> bytes:
    """512 bytes: print the greeting on COM1 through INT 14h-free port writes, then halt for good."""
    text = greeting.encode() + b"\r\n\0"
    code = bytes.fromhex(
        "31c0 8ed8"  # xor ax,ax; mov ds,ax
        "be0000"  # mov si,TEXT (patched below)
        "baf803"  # mov dx,0x3f8
        "ac"  # next: lodsb
        "84c0"  # test al,al
        "7403"  # jz halt
        "ee"  # out dx,al
        "ebf8"  # jmp next
        "f4"  # halt: hlt
        "ebfd"  # jmp halt
    )
    code = code.replace(b"\xbe\x00\x00", b"\xbe" + (0x7C00 + len(code)).to_bytes(2, "little"))
    return (code + text).ljust(510, b"\0") + b"\x55\xaa"


def domain(name: str, directory: Path, networks: tuple[str, ...]) -> str:
    """Write the guest's disk below `directory` and return its domain XML."""
    console = directory / "console"
    console.mkdir(parents=True, exist_ok=True)
    disk = directory / f"{name}.img"
    disk.write_bytes(boot_sector().ljust(1 << 20, b"\0"))
    cards = "\n".join(
        CARD.format(mac=f"52:54:00:00:00:{index:02x}", network=network, tap=f"{name}-{network}", slot=0x10 + index)
        for index, network in enumerate(networks)
    )
    return DOMAIN.format(
        name=name,
        disk=disk,
        cards=cards,
        console=console / f"{name}.sock",
        log=console / f"{name}.log",
        agent=console / f"{name}.agent",
    )

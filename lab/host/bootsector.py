"""A guest of 512 bytes, always at hand: it says that it runs, counts, says that it is done, and ends the machine.

Booted through the PC's own firmware, so that what it proves is a boot and not just an instruction.
"""

from __future__ import annotations

SIZE = 512
LOAD_ADDRESS = 0x7C00
SIGNATURE = b"\x55\xaa"

SERIAL_PORT = 0x3F8
"""COM1: a byte written here is sent, as emulated UARTs need no setting up."""

EXIT_PORT = 0xF4
"""Where QEMU's isa-debug-exit listens; value V ends QEMU with exit code 2 V + 1."""

EXIT_VALUE = 0x21
EXIT_CODE = 2 * EXIT_VALUE + 1
ROUNDS = 1 << 26
"""Length of the count: two instructions a round; some 0.1 s on hardware, a multiple of that when emulated."""

ALIVE = b"A"
DONE = b"Z"


def boot_sector(rounds: int = ROUNDS) -> bytes:
    """The disk image: one sector of 16-bit code."""
    code = b"".join(
        (
            b"\xfa",  # cli
            b"\xba" + SERIAL_PORT.to_bytes(2, "little"),  # mov dx, SERIAL_PORT
            b"\xb0" + ALIVE + b"\xee",  # mov al, ALIVE; out dx, al
            b"\x66\xb9" + rounds.to_bytes(4, "little"),  # mov ecx, rounds
            b"\x66\x49",  # again: dec ecx
            b"\x75\xfc",  # jnz again
            b"\xb0" + DONE + b"\xee",  # mov al, DONE; out dx, al
            b"\xb0" + bytes([EXIT_VALUE]) + b"\xe6" + bytes([EXIT_PORT]),  # mov al, EXIT_VALUE; out EXIT_PORT, al
            b"\xf4\xeb\xfd",  # halt: hlt; jmp halt
        )
    )
    return code.ljust(SIZE - len(SIGNATURE), b"\0") + SIGNATURE

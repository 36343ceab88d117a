"""A console's bytes as a person would see them: an 80 x 24 terminal."""

from __future__ import annotations

COLUMNS, ROWS = 80, 24


def rendered(data: bytes, rows: int = ROWS) -> str:
    """The screen after these bytes, without trailing blanks. Kernel lines and escape codes included, as a terminal shows them."""
    import pyte  # 40 ms that only a failure or a viewer should pay

    screen = pyte.Screen(COLUMNS, rows)
    pyte.ByteStream(screen).feed(data)
    lines = [line.rstrip() for line in screen.display]
    while lines and not lines[-1]:
        lines.pop()
    return "\n".join(lines)

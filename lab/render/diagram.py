"""A lab drawn with box characters: firewalls stand across all networks, each network is a line.

Plain text; colour, if any, is the caller's.
"""

from __future__ import annotations

from lab.render.scene import Column, Guest, Row, Scene, make_scene
from lab.topology.plan import Plan

BOX_WIDTH_MIN = 18
TITLE_LIMIT = 28
LABEL_GAP = 2
GAP_MIN = 6
TAIL = 14

SKEW = "advskew {skew}"
VIP = " {address} · VHID {vhid} "
DHCP = "{address} dhcp"
PUBLIC = "{name} {address}, public host {public}"
GUEST = "{name} {address}"
SYNC = "sync: {purpose}"


def draw_text(plan: Plan) -> str:
    """Any number of networks and machines. Ends with a newline."""
    scene = make_scene(plan)
    box = max(BOX_WIDTH_MIN, *(len(line) + 4 for column in scene.columns for line in _box_lines(column)))
    marks = [VIP.format(address=row.short(mark.address), vhid=mark.vhid) for row in scene.rows for mark in row.marks]
    gap = max([box + GAP_MIN, *(len(mark) + 6 for mark in marks)])
    label = max(len(_label(row)) for row in scene.rows) + LABEL_GAP
    centres = (label + box // 2, label + gap + box // 2)
    lines = [scene.title, "", *_boxes(scene, box, centres)]
    for number, row in enumerate(scene.rows):
        lines += _network(row, label, centres, last=number == len(scene.rows) - 1)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _label(row: Row) -> str:
    return f"{row.name.upper():<6} {row.subnet}"


def _box_lines(column: Column) -> tuple[str, ...]:
    title = column.title if len(column.title) <= TITLE_LIMIT else f"{column.title[: TITLE_LIMIT - 1]}…"
    names = (column.name,) if title == column.name else (column.name, title)
    return (*names, SKEW.format(skew=column.advskew))


def _boxes(scene: Scene, width: int, centres: tuple[int, int]) -> list[str]:
    """The firewalls, side by side, a leg below each."""
    texts = [_box_lines(column) for column in scene.columns]
    height = max(map(len, texts))
    inner = width - 2
    drawn = []
    for text in texts:
        body = [f"│{line:^{inner}}│" for line in (*text, *[""] * (height - len(text)))]
        drawn.append([f"┌{'─' * inner}┐", *body, f"└{'─' * (width // 2 - 1)}┬{'─' * (inner - width // 2)}┘"])
    start = centres[0] - width // 2
    between = centres[1] - centres[0] - width
    return [f"{' ' * start}{left}{' ' * between}{right}" for left, right in zip(*drawn, strict=True)]


def _network(row: Row, label: int, centres: tuple[int, int], *, last: bool) -> list[str]:
    """A network's line with what hangs on it at the right, and below it the firewalls' addresses."""
    end = centres[1] + TAIL
    bus = [*_label(row).ljust(label), *"═" * (end - label)]
    for centre in centres:
        bus[centre] = "╧" if last else "╪"
    hangs, marks = _hangs(row), _marks(row)
    leg = " " if last else "│"
    lines = ["".join(bus), _addresses(row, centres, leg)]
    lines += [_legs(centres, leg)] * (max(len(hangs), len(marks)) - len(lines))
    for number, mark in enumerate(marks):
        lines[number] = _in_the_middle(lines[number], mark, centres)
    for number, hang in enumerate(hangs):
        lines[number] = f"{lines[number]:<{end}} {hang}"
    return [_legs(centres, "│"), *lines]


def _marks(row: Row) -> list[str]:
    return [f"╡{VIP.format(address=row.short(mark.address), vhid=mark.vhid)}╞" for mark in row.marks]


def _in_the_middle(line: str, mark: str, centres: tuple[int, int]) -> str:
    """A CARP address between the two firewalls."""
    start = (centres[0] + centres[1] + 1 - len(mark)) // 2
    return f"{line[:start]}{mark}{line[start + len(mark) :]}"


def _hangs(row: Row) -> list[str]:
    """What hangs on the network at the right."""
    found = [_guest(row, guest) for guest in row.guests]
    return found + ([SYNC.format(purpose=row.purpose)] if row.purpose else [])


def _guest(row: Row, guest: Guest) -> str:
    if guest.public is None:
        return GUEST.format(name=guest.name, address=row.short(guest.address))
    return PUBLIC.format(name=guest.name, address=row.short(guest.address), public=guest.public)


def _addresses(row: Row, centres: tuple[int, int], leg: str) -> str:
    line = ""
    for centre, port in zip(centres, row.ports, strict=True):
        address = row.short(port.address)
        line = f"{line:<{centre}}{leg} {DHCP.format(address=address) if port.dhcp else address}"
    return line


def _legs(centres: tuple[int, int], leg: str) -> str:
    line = ""
    for centre in centres:
        line = f"{line:<{centre}}{leg}"
    return line

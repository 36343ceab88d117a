"""What a dialog shows, read off a rendered screen: title, text, list, buttons, and where the focus is. dialog(1) and bsddialog(1).

Nothing is guessed: where the picture does not say which button or line has the focus, the answer is None.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from lab.console.picture import Display

TOP_LEFT, TOP_RIGHT, BOTTOM_LEFT, BOTTOM_RIGHT = "┌+Ú", "┐+¿", "└+À", "┘+Ù"
"""Corners: line drawing, ASCII where a terminal has none, and the PC character set seen as Latin-1 (TERM=ansi)."""
SIDES = "│|³├┤+Ã´▒█"
BORDER = "─-Ä┤├Ã´+|"

BUTTON = re.compile(r"[<\[] *([A-Za-z][A-Za-z .]*?) *[>\]]")
TICK = re.compile(r"^\[(.)\] +(\S+) *(.*)$")

GAPS = 2
"""Rows whose border may be missing or shifted, on each side: a line that loses a character draws the rest of a row too far left."""

SELECTED = 0.3
"""A line counts as selected when at least this share of its letters stands out from the dialog's ground..."""
PLAIN = 0.2
"""...and every other line has less than this. dialog marks the first letter of each line, hence not 0."""

Style = tuple[str, bool]


@dataclass(frozen=True)
class Line:
    """One line of a list. text: all of it; ticked: of a checklist, else None; name: of a checklist's line, else ""."""

    text: str
    name: str = ""
    ticked: bool | None = None


@dataclass(frozen=True)
class Dialog:
    """One dialog on a screen.

    text:     what stands above the list or the buttons, words parted by one blank.
    lines:    of a menu or checklist. selected: the one the bar stands on, None where that cannot be seen.
    buttons:  labels from left to right. focus: the one ENTER presses, None where that cannot be seen.
    """

    title: str
    text: str
    lines: tuple[Line, ...]
    selected: Line | None
    buttons: tuple[str, ...]
    focus: str | None


@dataclass(frozen=True)
class _Box:
    top: int
    left: int
    bottom: int
    right: int

    def holds(self, other: _Box) -> bool:
        return (
            self.top < other.top and other.bottom < self.bottom and self.left < other.left and other.right < self.right
        )


def read_dialog(display: Display) -> Dialog | None:
    """The dialog on a screen; None where there is no whole one."""
    boxes = _boxes(display.lines)
    outer = next((box for box in boxes if not any(other.holds(box) for other in boxes)), None)
    if outer is None:
        return None
    inner = next((box for box in boxes if outer.holds(box)), None)
    ground = _ground(display, outer)
    buttons, focus = _buttons(display, outer, ground)
    lines, selected = _list(display, inner, ground) if inner else ((), None)
    last = inner.top if inner else outer.bottom - (2 if buttons else 0)
    rows = (display.lines[row][outer.left + 1 : outer.right] for row in range(outer.top + 1, last))
    text = " ".join(" ".join(rows).split())
    title = display.lines[outer.top][outer.left + 1 : outer.right].strip(BORDER + " ")
    return Dialog(title, text, lines, selected, buttons, focus)


def _boxes(lines: list[str]) -> list[_Box]:
    """Every whole rectangle, from the top and the left."""
    found = []
    for top, line in enumerate(lines):
        for left, char in enumerate(line):
            if char in TOP_LEFT and (box := _box(lines, top, left)):
                found.append(box)
    return found


def _box(lines: list[str], top: int, left: int) -> _Box | None:
    bottom, gaps = top + 1, 0
    while bottom < len(lines) and (lines[bottom][left] not in BOTTOM_LEFT or lines[bottom][left] in SIDES):
        if lines[bottom][left] == "+" and _bottom_right(lines, bottom, left):
            break
        gaps += lines[bottom][left] not in SIDES
        if gaps > GAPS:
            return None
        bottom += 1
    if bottom >= len(lines) or bottom - top < 2:
        return None
    right = _bottom_right(lines, bottom, left)
    if right is None or not any(char in TOP_RIGHT for char in lines[top][right - 1 : right + 2]):
        return None
    if sum(lines[row][right] not in SIDES for row in range(top + 1, bottom)) > GAPS:
        return None
    return _Box(top, left, bottom, right)


def _bottom_right(lines: list[str], bottom: int, left: int) -> int | None:
    """The corner a bottom line ends at: the first one after it, with nothing but line and a hint in between."""
    return next((right for right in range(left + 2, len(lines[bottom])) if lines[bottom][right] in BOTTOM_RIGHT), None)


def _style(display: Display, row: int, column: int) -> Style:
    cell = display.cell(row, column)
    return cell.bg, bool(cell.reverse)


def _ground(display: Display, box: _Box) -> Style:
    """The commonest style inside a box: what nothing is written with stands out from."""
    styles = Counter(
        _style(display, row, column)
        for row in range(box.top + 1, box.bottom)
        for column in range(box.left + 1, box.right)
    )
    return styles.most_common(1)[0][0]


def _buttons(display: Display, box: _Box, ground: Style) -> tuple[tuple[str, ...], str | None]:
    row = box.bottom - 1
    line = display.lines[row][: box.right]
    found = list(BUTTON.finditer(line, box.left + 1))
    # Nothing but buttons may stand there: half of one means a picture that cannot be trusted.
    rest = "".join(BUTTON.sub("", line[box.left + 1 :]).split())
    if not found or rest:
        return (), None
    labels = tuple(match.group(1) for match in found)
    if len(found) == 1:
        return labels, labels[0]
    lit = [match for match in found if _share(display, row, match.start(1), match.end(1), ground) > 0.5]
    bold = [
        match for match in found if display.cell(row, match.start()).bold and display.cell(row, match.end() - 1).bold
    ]
    at_row, at_column = display.cursor
    under = [match for match in found if at_row == row and match.start() <= at_column < match.end()]
    # bsddialog lights the label. dialog without colours lights all labels and makes the right one's brackets bold. dialog leaves
    # the cursor in the button, bsddialog where it drew last. What they say must not differ.
    signs = [sign for sign in (lit, bold, under if line[found[0].start()] == "<" else []) if len(sign) == 1]
    if not signs or any(sign != signs[0] for sign in signs) or 1 not in (len(lit), len(bold)):
        return labels, None
    return labels, signs[0][0].group(1)


def _share(display: Display, row: int, start: int, end: int, ground: Style) -> float:
    """Share of the letters in [start, end) that stand out from the ground."""
    letters = [column for column in range(start, end) if display.cell(row, column).data.strip()]
    return sum(_style(display, row, column) != ground for column in letters) / max(1, len(letters))


def _list(display: Display, box: _Box, ground: Style) -> tuple[tuple[Line, ...], Line | None]:
    lines: list[Line] = []
    shares: list[float] = []
    marked: list[int] = []
    for row in range(box.top + 1, box.bottom):
        text = display.lines[row][box.left + 1 : box.right]
        if not text.strip():
            continue
        lines.append(_line(text.strip()))
        start = box.left + 1 + len(text) - len(text.lstrip())
        tick = 4 if lines[-1].ticked is not None else 0
        shares.append(_share(display, row, start + tick, box.right, ground))
        if display.cell(row, start + tick).bold:
            marked.append(len(lines) - 1)
    chosen = [number for number, share in enumerate(shares) if share >= SELECTED]
    if not chosen and len(marked) == 1:
        chosen = marked  # dialog without colours, lines without a description: one bold letter is all there is
    if len(chosen) != 1 or any(share >= PLAIN for number, share in enumerate(shares) if number != chosen[0]):
        return tuple(lines), None
    return tuple(lines), lines[chosen[0]]


def _line(text: str) -> Line:
    if tick := TICK.match(text):
        mark, name, _ = tick.groups()
        return Line(text, name, mark in "*Xx" if mark in "*Xx " else None)
    return Line(text)

"""A lab drawn as SVG: firewalls stand across all networks, each network is a bar. Readable on light and on dark ground."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree

from lab.render.scene import Column, Guest, Row, Scene, make_scene
from lab.topology.plan import Plan

NAMESPACE = "http://www.w3.org/2000/svg"

WIDTH = 1080
MARGIN = 28
LABEL_END = 190
BOX_WIDTH = 176
LEFT_BOX = 212
RIGHT_BOX = 592
GUEST_X = 836
GUEST_WIDTH = WIDTH - MARGIN - GUEST_X
GUEST_HEIGHT = 44
GUEST_STEP = 52
HEAD = 72
BOX_HEAD = 84
ROW_HEIGHT = 84
BAR = 8
PILL_HEIGHT = 30
TITLE_LIMIT = 22

VIP = "{address} · VHID {vhid}"
SKEW = "advskew {skew}"


@dataclass(frozen=True)
class DrawingWords:
    """The drawing's few words. conjunction: between two names. purposes: scene's own word -> another language's."""

    dhcp: str = "{device} · DHCP"
    public: str = "public host {address}"
    gateway: str = "gateway {address}"
    sync: str = "sync: {purpose}"
    description: str = "Two firewalls, {nodes}, on the networks {networks}."
    conjunction: str = " and "
    purposes: Mapping[str, str] = field(default_factory=dict)


ENGLISH = DrawingWords()

STYLE = """
svg { font-family: system-ui, "Segoe UI", "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; }
.mono { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.title { font-size: 20px; font-weight: 600; }
.name { font-size: 17px; font-weight: 600; }
.text { font-size: 14px; }
.small { font-size: 12px; }
.ground { fill: #ffffff; stroke: #d0d7de; }
.ink { fill: #1f2328; }
.soft { fill: #59636e; }
.box { fill: #f6f8fa; stroke: #59636e; stroke-width: 1.5; }
.guest { fill: #ffffff; stroke: #8c959f; }
.pill { fill: #ffffff; stroke-width: 2; }
.port { stroke: #ffffff; stroke-width: 2; }
.wan { fill: #bc6a00; }
.inside { fill: #1a7f5a; }
.sync { fill: #7a4fc9; }
.line-wan { stroke: #bc6a00; }
.line-inside { stroke: #1a7f5a; }
.line-sync { stroke: #7a4fc9; }
@media (prefers-color-scheme: dark) {
.ground { fill: #0d1117; stroke: #3d444d; }
.ink { fill: #f0f6fc; }
.soft { fill: #9198a1; }
.box { fill: #151b23; stroke: #9198a1; }
.guest { fill: #0d1117; stroke: #656c76; }
.pill { fill: #0d1117; }
.port { stroke: #0d1117; }
.wan { fill: #e3a04a; }
.inside { fill: #3fb68b; }
.sync { fill: #ab8bf0; }
.line-wan { stroke: #e3a04a; }
.line-inside { stroke: #3fb68b; }
.line-sync { stroke: #ab8bf0; }
}
"""


def draw_svg(plan: Plan, words: DrawingWords = ENGLISH) -> str:
    """A whole SVG document; its colours follow the reader's light or dark setting."""
    scene = make_scene(plan)
    heights = [_row_height(row) for row in scene.rows]
    height = HEAD + BOX_HEAD + sum(heights) + MARGIN * 2
    root = etree.Element("svg", xmlns=NAMESPACE, viewBox=f"0 0 {WIDTH} {height}", role="img")
    root.set("width", str(WIDTH))
    root.set("height", str(height))
    _element(root, "title").text = scene.title
    _element(root, "desc").text = _description(scene, words)
    _element(root, "style").text = STYLE
    _rect(root, "ground", 0.5, 0.5, WIDTH - 1, height - 1, 12)
    _text(root, "ink title", MARGIN, 44, scene.title)
    tops = [HEAD + BOX_HEAD + sum(heights[:number]) for number in range(len(heights))]
    for row, top in zip(scene.rows, tops, strict=True):
        _bar(root, row, top)
    for x, column in zip((LEFT_BOX, RIGHT_BOX), scene.columns, strict=True):
        _box(root, column, x, HEAD, BOX_HEAD + sum(heights) + MARGIN)
    for row, top in zip(scene.rows, tops, strict=True):
        _ports(root, row, top, words)
        _marks(root, row, top)
        _guests(root, row, top, words)
    etree.indent(root)
    return f"{etree.tostring(root, encoding='unicode')}\n"


def _row_height(row: Row) -> int:
    hanging = max(len(row.guests), len(row.marks))
    return max(ROW_HEIGHT, GUEST_STEP * hanging + ROW_HEIGHT - GUEST_STEP)


def _centre(top: int) -> int:
    """Height of a network's bar."""
    return top + ROW_HEIGHT // 2


def _bar(root: etree._Element, row: Row, top: int) -> None:
    y = _centre(top)
    end = GUEST_X if row.guests or row.purpose else RIGHT_BOX + BOX_WIDTH + 32
    _rect(root, row.role.value, MARGIN, y - BAR // 2, end - MARGIN, BAR, BAR // 2)
    _text(root, "ink name", MARGIN, y - 14, row.name.upper())
    _text(root, "soft text mono", MARGIN, y + 26, str(row.subnet))


def _box(root: etree._Element, column: Column, x: int, y: int, height: int) -> None:
    _rect(root, "box", x, y, BOX_WIDTH, height, 10)
    middle = x + BOX_WIDTH // 2
    _text(root, "ink name", middle, y + 28, column.name, "middle")
    title = column.title if len(column.title) <= TITLE_LIMIT else f"{column.title[: TITLE_LIMIT - 1]}…"
    if title != column.name:
        _text(root, "soft text", middle, y + 48, title, "middle")
    _text(root, "soft small", middle, y + 67, SKEW.format(skew=column.advskew), "middle")


def _ports(root: etree._Element, row: Row, top: int, words: DrawingWords) -> None:
    """Each firewall's address on the network, and a dot where the bar meets the box."""
    y = _centre(top)
    for x, port in zip((LEFT_BOX, RIGHT_BOX), row.ports, strict=True):
        for edge in (x, x + BOX_WIDTH):
            _element(root, "circle", {"class": f"{row.role.value} port", "cx": str(edge), "cy": str(y), "r": "7"})
        middle = x + BOX_WIDTH // 2
        device = words.dhcp.format(device=port.device) if port.dhcp else port.device
        _text(root, "ink text mono", middle, y, str(port.address), "middle")
        _text(root, "soft small mono", middle, y + 18, device, "middle")


def _marks(root: etree._Element, row: Row, top: int) -> None:
    """CARP addresses between the two firewalls."""
    start, end = LEFT_BOX + BOX_WIDTH + 8, RIGHT_BOX - 8
    for number, mark in enumerate(row.marks):
        y = _centre(top) + GUEST_STEP * number
        _rect(
            root, f"pill line-{row.role.value}", start, y - PILL_HEIGHT // 2, end - start, PILL_HEIGHT, PILL_HEIGHT // 2
        )
        text = VIP.format(address=mark.address, vhid=mark.vhid)
        _text(root, "ink small mono", (start + end) // 2, y + 4, text, "middle")


def _guests(root: etree._Element, row: Row, top: int, words: DrawingWords) -> None:
    """Machines at the right end of the bar."""
    for number, guest in enumerate(row.guests):
        y = _centre(top) + GUEST_STEP * number
        _rect(root, "guest", GUEST_X, y - GUEST_HEIGHT // 2, GUEST_WIDTH, GUEST_HEIGHT, 8)
        _text(root, "ink text", GUEST_X + 12, y - 4, guest.name)
        _text(root, "ink small mono", GUEST_X + GUEST_WIDTH - 12, y - 4, str(guest.address), "end")
        _text(root, "soft small", GUEST_X + 12, y + 14, _guest_note(guest, words))
    if row.purpose and not row.guests:
        y = _centre(top)
        _rect(root, "guest", GUEST_X, y - GUEST_HEIGHT // 2, GUEST_WIDTH, GUEST_HEIGHT, 8)
        text = words.sync.format(purpose=words.purposes.get(row.purpose, row.purpose))
        _text(root, "soft small", GUEST_X + GUEST_WIDTH // 2, y + 4, text, "middle")


def _guest_note(guest: Guest, words: DrawingWords) -> str:
    if guest.public is not None:
        return words.public.format(address=guest.public)
    return words.gateway.format(address=guest.gateway) if guest.gateway else guest.role


def _description(scene: Scene, words: DrawingWords) -> str:
    nodes = words.conjunction.join(column.name for column in scene.columns)
    return words.description.format(nodes=nodes, networks=", ".join(row.name for row in scene.rows))


def _element(parent: etree._Element, tag: str, attributes: dict[str, str] | None = None) -> etree._Element:
    return etree.SubElement(parent, tag, attributes or {})


def _rect(parent: etree._Element, kind: str, x: float, y: float, width: float, height: float, radius: float) -> None:
    places = {"x": x, "y": y, "width": width, "height": height, "rx": radius}
    _element(parent, "rect", {"class": kind, **{key: f"{value:g}" for key, value in places.items()}})


def _text(parent: etree._Element, kind: str, x: float, y: float, text: str, anchor: str = "start") -> None:
    attributes = {"class": kind, "x": f"{x:g}", "y": f"{y:g}"}
    if anchor != "start":
        attributes["text-anchor"] = anchor
    _element(parent, "text", attributes).text = text

"""The file as a file: its first lines, what may repeat, what may hold text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lab.config.check.defect import Defect
from lab.config.check.node import Config, Node
from lab.config.text import LIST_TAGS
from lab.config.tree import ROOT, ConfigSyntaxError, Document

UNREADABLE = "cannot be read"
READABLE = "what pfSense writes: well-formed XML in UTF-8"
HINT_XML = "pfSense would put the newest backup in its place. XML knows five entities: &amp; &lt; &gt; &quot; &apos;"
WRONG_DECLARATION = "the first line is not the XML declaration"
WRONG_SECOND_LINE = "the second line is not the bare root tag"
HINT_SECOND_LINE = "pfSense's configuration locator takes a file only with nothing else in this line (rc.ecl)"
WRONG_ROOT = "the root element has another name"
REPEATED = "occurs more than once"
ONE_ONLY = "one <{tag}>: it is no list in pfSense, which refuses the whole file"
FIRST_AT = "also in line {line}"
MIXED = "has text beside elements"
HINT_MIXED = "pfSense's reader fails on text before an element, and loses the elements before a text"
NO_FIELDS = "holds a value where an entry with fields belongs"
PLURAL = "is a name that pfSense does not look for"
EACH = "<{tag}>, once for each entry"
SECTIONS = ("system", "interfaces")
A_SECTION = "a section with elements in it"
DECLARATION = '<?xml version="1.0"?>'
ENTRIES = {
    "virtualip": ("vip",),
    "filter": ("rule",),
    "system": ("user", "group"),
    "gateways": ("gateway_item", "gateway_group"),
    "aliases": ("alias",),
    "staticroutes": ("route",),
    "cron": ("item",),
    "outbound": ("rule",),
}
"""Section -> list tags in it that are entries with fields of their own."""

_NO_TEXT = re.compile(r"<!--.*?-->|<\?.*?\?>", re.DOTALL)


def unreadable(error: ConfigSyntaxError) -> Defect:
    return Defect("/", error.line, UNREADABLE, READABLE, error.reason, HINT_XML)


def is_pfsense(document: Document) -> bool:
    return document.root.tag.lower() == ROOT


def wrong_root(document: Document) -> Defect:
    """For a file that `is_pfsense` denies."""
    tag = document.root.tag
    return Defect(f"/{tag}", document.line(document.root), WRONG_ROOT, f"<{ROOT}>", f"<{tag}>")


def first_lines(document: Document) -> Iterator[Defect]:
    """Line 1 is the declaration, line 2 the root tag and nothing else."""
    lines = document.source(0, min(len(document.data), 4096)).split("\n", 2)
    if lines[0].rstrip("\r") != DECLARATION:
        yield Defect("/", 1, WRONG_DECLARATION, DECLARATION, lines[0][:80])
    second = lines[1] if len(lines) > 1 else ""
    if second != f"<{ROOT}>" and is_pfsense(document):
        yield Defect(f"/{document.root.tag}", 2, WRONG_SECOND_LINE, f"<{ROOT}>", second[:80], HINT_SECOND_LINE)


def repeated_tags(config: Config) -> Iterator[Defect]:
    """A tag that is no list stands once in its section."""
    for node in config.root.everything():
        first: dict[str, Node] = {}
        for child in node.nodes:
            if child.tag in first and child.tag not in LIST_TAGS:
                seen = FIRST_AT.format(line=first[child.tag].line)
                yield child.defect(REPEATED, ONE_ONLY.format(tag=child.tag), seen)
            first.setdefault(child.tag, child)


def mixed_content(config: Config) -> Iterator[Defect]:
    """Either a value or elements."""
    for node in config.root.everything():
        if not node.is_section:
            continue
        text = text_beside(node)
        if text:
            yield node.defect(MIXED, "elements alone", text[:60], HINT_MIXED)


def text_beside(node: Node) -> str:
    """Text between a section's elements, comments excepted."""
    document, at = node.document, node.document.spans[node.element].inner
    pieces = []
    for child in node.element:
        there = document.spans[child]
        pieces.append(document.source(at, there.start))
        at = there.end
    pieces.append(document.source(at, document.spans[node.element].inner_end))
    return " ".join(filter(None, (_NO_TEXT.sub("", piece).strip() for piece in pieces)))


def entries_without_fields(config: Config) -> Iterator[Defect]:
    """`<vip>text</vip>`: pfSense takes the text for the entry, and then looks for fields in it."""
    for section in config.root.everything():
        for tag in ENTRIES.get(section.tag, ()):
            for node in section.children(tag):
                if node.value and not node.is_section:
                    yield node.defect(NO_FIELDS, f"<{tag}> with elements in it")


def plurals(config: Config) -> Iterator[Defect]:
    """`<rules>` for `<rule>`: pfSense reads lists by repetition, and does not look at another name."""
    for section in config.root.everything():
        for tag in ENTRIES.get(section.tag, ()):
            for node in section.nodes:
                if node.tag in (f"{tag}s", f"{tag}es"):
                    yield node.defect(PLURAL, EACH.format(tag=tag), f"<{node.tag}>")


def missing_sections(config: Config) -> Iterator[Defect]:
    """What pfSense cannot start without."""
    for tag in SECTIONS:
        node = config.root.child(tag)
        if node is None or not node.is_section:
            yield config.root.lacks(tag, A_SECTION)

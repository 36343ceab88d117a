"""Write a tree as pfSense 2.7.0 would, or write a changed document so that only what changed differs."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from lab.config.text import element_text
from lab.config.tree import Document, Span

HEADER = '<?xml version="1.0"?>\n'
_COMMENT = re.compile(r"\s*<!--.*?-->", re.DOTALL)


def fresh(root: Element) -> str:
    """A whole file from scratch, as dump_xml_config() lays it out: tabs, `<tag></tag>` for empty, CDATA by tag."""
    return f"{HEADER}{_element(root, 0)}\n"


def rewritten(document: Document) -> bytes:
    """The document's file with the edits that its tree has had since it was read. Without edits: the same bytes."""
    root = document.spans[document.root]
    text = (
        document.source(0, root.start)
        + _Writer(document).element(document.root, 0)
        + document.source(root.end, len(document.data))
    )
    return text.encode(document.encoding)


class _Writer:
    """Copies what is as it was, and writes the rest."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def element(self, element: Element, depth: int) -> str:
        span = self._document.spans.get(element)
        if span is None:
            return _element(element, depth, self)
        if self._untouched(element, span):
            return self._document.source(span.start, span.end)
        head = self._document.source(span.start, span.inner).removesuffix("/>").rstrip().removesuffix(">")
        tail = self._document.source(span.inner_end, span.end) or f"</{element.tag}>"
        if len(element) or span.children:
            return f"{head}>{self._inside(element, span, depth)}{tail}"
        comments = "".join(_COMMENT.findall(self._document.source(span.inner, span.inner_end)))
        return f"{head}>{comments}{element_text(element.tag, element.text or '')}{tail}"

    def _untouched(self, element: Element, span: Span) -> bool:
        children = tuple(element)
        if len(children) != len(span.children) or any(a is not b for a, b in zip(children, span.children, strict=True)):
            return False
        if not children and (element.text or "") != span.text:
            return False
        spans = self._document.spans
        return all(child in spans and self._untouched(child, spans[child]) for child in children)

    def _inside(self, element: Element, span: Span, depth: int) -> str:
        """Children with the white space and comments that stood before them; what stood before a removed one goes with it."""
        before, last = self._gaps(span)
        new_line = "\n" + "\t" * (depth + 1)
        parts: list[str] = []
        kept = set(element)
        lost = [gap for child, gap in before.items() if child not in kept]
        comments = "".join(comment for gap in lost for comment in _COMMENT.findall(gap))
        for child in element:
            gap = before.get(child, new_line)
            parts.append(gap + self.element(child, depth + 1))
        if not span.children:
            return f"{last}{''.join(parts)}\n{chr(9) * depth}"
        return "".join(parts) + comments + last

    def _gaps(self, span: Span) -> tuple[dict[Element, str], str]:
        """What stands before each child, and after the last one."""
        at = span.inner
        before: dict[Element, str] = {}
        for child in span.children:
            there = self._document.spans[child]
            before[child] = self._document.source(at, there.start)
            at = there.end
        rest = self._document.source(at, span.inner_end)
        return before, rest if span.children else "".join(_COMMENT.findall(rest))


def _element(element: Element, depth: int, writer: _Writer | None = None) -> str:
    tag = element.tag
    if not len(element):
        return f"<{tag}>{element_text(tag, element.text or '')}</{tag}>"
    indent = "\n" + "\t" * (depth + 1)
    inside = "".join(
        indent + (writer.element(child, depth + 1) if writer else _element(child, depth + 1)) for child in element
    )
    return f"<{tag}>{inside}\n{chr(9) * depth}</{tag}>"

"""A config.xml as a tree that knows where each element stands in the file.

Elements are those of xml.etree; `text` is the value as pfSense reads it, so it may be compared and set without a thought
for entities. The bytes stay at hand: `lab.config.write` changes what was changed and leaves every other byte alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from xml.etree.ElementTree import Element
from xml.parsers import expat

from lab.config.text import value_of

ROOT = "pfsense"

ENCODINGS = ("utf-8", "us-ascii", "iso-8859-1")
"""What a declaration may name. pfSense writes none, which means UTF-8."""

NOT_XML = "not well-formed XML: {reason}"
WRONG_ROOT = "the root element is <{tag}>, not <pfsense>"
DOCTYPE = "a DOCTYPE, which pfSense never writes"
ENCODING = "the encoding {name}, which pfSense never writes"

_START_TAG = re.compile(rb"<[^\s/>]+(?:\"[^\"]*\"|'[^']*'|[^>\"'])*>")


class ConfigSyntaxError(ValueError):
    """Bytes that pfSense could not read as its configuration. line counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        self.reason = reason
        super().__init__(f"line {line}: {reason}")


class Span(NamedTuple):
    """Where an element stands: byte offsets of its start tag, of what is inside, and of its end; line from 1.

    text, children: as they were when the file was read.
    """

    start: int
    inner: int
    inner_end: int
    end: int
    line: int
    text: str
    children: tuple[Element, ...]


@dataclass(frozen=True)
class Document:
    """One config.xml. Elements may be edited in place; the spans describe the file as it was read."""

    data: bytes
    encoding: str
    root: Element
    spans: Mapping[Element, Span]

    def line(self, element: Element) -> int:
        """The line of an element's start tag, from 1; 0 for one that was not in the file."""
        span = self.spans.get(element)
        return span.line if span else 0

    def source(self, start: int, end: int) -> str:
        return self.data[start:end].decode(self.encoding)


def parse(data: bytes) -> Document:
    """Read a configuration. Raises ConfigSyntaxError where it is not XML, or not pfSense's."""
    document = parse_any(data)
    if document.root.tag.lower() != ROOT:
        raise ConfigSyntaxError(document.line(document.root), WRONG_ROOT.format(tag=document.root.tag))
    return document


def parse_any(data: bytes) -> Document:
    """The same for any root element."""
    reader = _Reader(data)
    reader.read()
    return Document(data, reader.encoding, reader.root, reader.spans)


class _Reader:
    """Expat's events into elements and spans."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.encoding = ENCODINGS[0]
        self.spans: dict[Element, Span] = {}
        self.root = Element("")
        self._open: list[tuple[Element, int, int, int]] = []
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.XmlDeclHandler = self._declared
        self._parser.StartDoctypeDeclHandler = self._doctype

    def read(self) -> None:
        try:
            self._parser.Parse(self.data, True)
        except expat.ExpatError as error:
            reason = NOT_XML.format(reason=expat.ErrorString(error.code))
            raise ConfigSyntaxError(error.lineno, reason) from None

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        start = self._parser.CurrentByteIndex
        match = _START_TAG.match(self.data, start)
        inner = match.end() if match else start
        element = Element(tag, attributes)
        if self._open:
            self._open[-1][0].append(element)
        else:
            self.root = element
        self._open.append((element, start, inner, self._parser.CurrentLineNumber))

    def _end(self, tag: str) -> None:
        element, start, inner, line = self._open.pop()
        children = tuple(element)
        if self.data[inner - 2 : inner] == b"/>":
            inner_end = end = inner
        else:
            inner_end = self._parser.CurrentByteIndex
            end = self.data.index(b">", inner_end) + 1
        text = "" if children else value_of(self.data[inner:inner_end].decode(self.encoding))
        element.text = text
        self.spans[element] = Span(start, inner, inner_end, end, line, text, children)

    def _declared(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is None:
            return
        if encoding.lower() not in ENCODINGS:
            raise ConfigSyntaxError(1, ENCODING.format(name=encoding))
        self.encoding = encoding.lower()

    def _doctype(self, *_: object) -> None:
        raise ConfigSyntaxError(self._parser.CurrentLineNumber, DOCTYPE)

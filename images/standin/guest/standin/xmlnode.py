"""Reading config.xml by pfSense's own rules: tags in any case, presence as truth, lists by repetition, entities inside CDATA."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, NetmaskValueError
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, ParseError, XMLParser

if TYPE_CHECKING:
    from lab.config.tree import Document


class SettingsError(Exception):
    """A config.xml that cannot be obeyed. `path` names the element, e.g. `/pfsense/interfaces/lan/subnet`."""

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        super().__init__(f"{path}: {message}")


@dataclass(frozen=True)
class Node:
    """One element and the way to it."""

    element: Element
    path: str

    def children(self, tag: str) -> list[Node]:
        """Every child called `tag`, numbered from 1 in their paths when there are several."""
        found = [child for child in self.element if isinstance(child.tag, str) and child.tag.lower() == tag]
        if len(found) == 1:
            return [Node(found[0], f"{self.path}/{tag}")]
        return [Node(child, f"{self.path}/{tag}[{number}]") for number, child in enumerate(found, 1)]

    def all_children(self) -> Iterator[Node]:
        for child in self.element:
            if isinstance(child.tag, str):
                yield Node(child, f"{self.path}/{child.tag.lower()}")

    @property
    def tag(self) -> str:
        return self.element.tag.lower()

    def child(self, tag: str) -> Node | None:
        """The one child called `tag`; pfSense refuses a file that repeats what is no list."""
        found = self.children(tag)
        if len(found) > 1:
            raise SettingsError(f"{self.path}/{tag}", "cannot occur more than once")
        return found[0] if found else None

    def has(self, tag: str) -> bool:
        """pfSense's booleans: the tag is there, whatever it holds."""
        return self.child(tag) is not None

    @property
    def value(self) -> str:
        return (self.element.text or "").strip()

    def text(self, tag: str) -> str:
        """Text of the child `tag`, trimmed; "" when it is absent or empty."""
        child = self.child(tag)
        return child.value if child else ""

    def required(self, tag: str) -> str:
        text = self.text(tag)
        if not text:
            raise SettingsError(f"{self.path}/{tag}", "is missing or empty")
        return text

    def number(self, tag: str, low: int, high: int, default: int | None = None) -> int:
        """A decimal number within [low, high]."""
        text = self.text(tag)
        if not text and default is not None:
            return default
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise SettingsError(f"{self.path}/{tag}", f"expected a number from {low} to {high}, found {text!r}")
        return int(text)

    def ipv4(self, tag: str) -> IPv4Address:
        text = self.required(tag)
        try:
            return IPv4Address(text)
        except (AddressValueError, NetmaskValueError):
            raise SettingsError(f"{self.path}/{tag}", f"expected an IPv4 address, found {text!r}") from None


def parse_root(data: bytes) -> Node:
    """The `<pfsense>` element of a config.xml, its texts as pfSense reads them.

    Raises SettingsError when the bytes are not well-formed XML or the root is another one.
    """
    if b"&" in data:
        return Node(parse_document(data).root, "/pfsense")
    # Without an entity there is nothing to decode, and the quick parser will do: this is read at every boot.
    parser = XMLParser()
    try:
        parser.feed(data)
        root = parser.close()
    except ParseError as error:
        raise SettingsError("/", f"not well-formed XML: {error}") from None
    if root.tag.lower() != "pfsense":
        raise SettingsError("/", f"expected the root element <pfsense>, found <{root.tag}>")
    return Node(root, "/pfsense")


def parse_document(data: bytes) -> Document:
    """The same with the place of every element in the file, so that it can be changed and nothing else with it."""
    from lab.config.tree import ConfigSyntaxError, parse

    try:
        return parse(data)
    except ConfigSyntaxError as error:
        raise SettingsError("/", str(error)) from None

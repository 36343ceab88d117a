"""What kinds of values there are, and how to say that one is not of its kind."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from ipaddress import IPv4Address, ip_address, ip_network

from lab.config.check.defect import Defect
from lab.config.check.node import Node

NOT_A_NUMBER = "is not a number in range"
RANGE = "a number from {low} to {high}"
UNKNOWN_WORD = "is none of the words pfSense knows"
NO_ADDRESS = "is not an IP address"
NO_IPV4 = "is not an IPv4 address"
NO_NETWORK = "is not a network"
ADDRESS = "an address such as 10.0.0.1"
NETWORK = "a network such as 10.0.0.0/24"
LONG_LIST = 12
"""Words that a message lists before it breaks off."""

PORT = re.compile(r"^\d{1,5}([-:]\d{1,5})?$")
ALIAS_NAME = re.compile(r"^[A-Za-z0-9_]{1,31}$")
"""is_validaliasname() in util.inc."""


def number(node: Node, tag: str, low: int, high: int, required: bool = False) -> Iterator[Defect]:
    """A decimal number within [low, high]; where it is not required it may be absent or empty."""
    child = node.child(tag)
    expected = RANGE.format(low=low, high=high)
    if child is None or not child.value:
        if required:
            yield node.lacks(tag, expected)
    elif not (child.value.isascii() and child.value.isdigit() and low <= int(child.value) <= high):
        yield child.defect(NOT_A_NUMBER, expected)


def word(node: Node, tag: str, known: Collection[str], required: bool = False, hint: str = "") -> Iterator[Defect]:
    """One of a few words."""
    child = node.child(tag)
    expected = listed(known)
    if child is None or not child.value:
        if required:
            yield node.lacks(tag, expected, hint)
    elif child.value not in known:
        yield child.defect(UNKNOWN_WORD, expected, hint=hint)


def listed(words: Collection[str]) -> str:
    """Words for a message."""
    shown = [each for each in words if each]
    return ", ".join(shown[:LONG_LIST]) + (", …" if len(shown) > LONG_LIST else "")


def is_address(text: str) -> bool:
    """IPv4 or IPv6, without a prefix length."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_ipv4(text: str) -> bool:
    """Four decimal numbers with dots."""
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def is_network(text: str) -> bool:
    """An address with a prefix length; host bits may be set, pf masks them."""
    address, slash, _ = text.partition("/")
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return bool(slash and address)


def is_port(text: str) -> bool:
    """A number, or two with `-` or `:` between."""
    return bool(PORT.match(text)) and all(1 <= int(each) <= 65535 for each in re.split("[-:]", text))


def repeated(nodes: list[Node], tag: str) -> Iterator[tuple[Node, Node]]:
    """Pairs of children `tag` with the same value: (the later, the first)."""
    first: dict[str, Node] = {}
    for node in nodes:
        child = node.child(tag)
        if child and child.value:
            if child.value in first:
                yield child, first[child.value]
            else:
                first[child.value] = child

"""An element with its way from the root, and what many checks ask about the file as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from xml.etree.ElementTree import Element

from lab.config.check.defect import Defect
from lab.config.text import LIST_TAGS
from lab.config.tree import Document

MISSING = "is missing"
EMPTY = "is empty"


@dataclass(frozen=True)
class Node:
    """One element. Tags compare in lower case, as pfSense reads them."""

    document: Document
    element: Element
    path: str

    @property
    def tag(self) -> str:
        return self.element.tag.lower()

    @property
    def line(self) -> int:
        return self.document.line(self.element)

    @property
    def value(self) -> str:
        """The value without blanks at its ends; "" for a section."""
        return (self.element.text or "").strip()

    @property
    def is_section(self) -> bool:
        return len(self.element) > 0

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All children; of those that may repeat, each with its number."""
        tags = [child.tag.lower() for child in self.element]
        seen: dict[str, int] = {}
        found = []
        for child, tag in zip(self.element, tags, strict=True):
            seen[tag] = seen.get(tag, 0) + 1
            index = f"[{seen[tag]}]" if tag in LIST_TAGS or tags.count(tag) > 1 else ""
            found.append(Node(self.document, child, f"{self.path}/{child.tag}{index}"))
        return tuple(found)

    def children(self, tag: str) -> list[Node]:
        return [node for node in self.nodes if node.tag == tag]

    def child(self, tag: str) -> Node | None:
        return next((node for node in self.nodes if node.tag == tag), None)

    def at(self, path: str) -> Node | None:
        """The descendant at `a/b/c`, the first of several."""
        found: Node | None = self
        for tag in path.split("/"):
            found = found.child(tag) if found else None
        return found

    def all_at(self, path: str) -> list[Node]:
        """Every child called by the last word of the path, below the first of each word before."""
        parent, _, tag = path.rpartition("/")
        holder = self.at(parent) if parent else self
        return holder.children(tag) if holder else []

    def text(self, tag: str) -> str:
        child = self.child(tag)
        return child.value if child else ""

    def has(self, tag: str) -> bool:
        return self.child(tag) is not None

    def everything(self) -> Iterator[Node]:
        yield self
        for node in self.nodes:
            yield from node.everything()

    def defect(self, summary: str, expected: str = "", seen: str | None = None, hint: str = "") -> Defect:
        """Something wrong with this element; seen defaults to its value."""
        return Defect(self.path, self.line, summary, expected, self.value if seen is None else seen, hint)

    def warning(self, summary: str, expected: str = "", hint: str = "") -> Defect:
        """Something about this element that pfSense takes."""
        return Defect(self.path, self.line, summary, expected, self.value, hint, warning=True)

    def quiet_warning(self, summary: str, expected: str, hint: str) -> Defect:
        """The same for a value that must not be shown."""
        return Defect(self.path, self.line, summary, expected, f"{len(self.value.encode())} bytes", hint, warning=True)

    def lacks(self, tag: str, expected: str = "", hint: str = "") -> Defect:
        """A child that has to be there, and to have a value."""
        child = self.child(tag)
        if child is None:
            return Defect(f"{self.path}/{tag}", self.line, MISSING, expected, "", hint)
        return Defect(child.path, child.line, EMPTY, expected, "", hint)


@dataclass(frozen=True)
class Config:
    """The root, and what other places refer to."""

    root: Node

    @cached_property
    def interfaces(self) -> dict[str, Node]:
        """Key -> entry."""
        section = self.root.child("interfaces")
        return {node.tag: node for node in section.nodes} if section else {}

    @cached_property
    def vips(self) -> list[Node]:
        return self.root.all_at("virtualip/vip")

    @cached_property
    def vip_names(self) -> set[str]:
        """What a reference to a virtual IP looks like."""
        return {f"_vip{vip.text('uniqid')}" for vip in self.vips if vip.text("uniqid")}

    @cached_property
    def aliases(self) -> set[str]:
        return {node.text("name") for node in self.root.all_at("aliases/alias")}

    @cached_property
    def gateways(self) -> set[str]:
        """Named ones, groups, and those that pfSense makes of dynamic interfaces (gwlb.inc: DESCR_KIND)."""
        named = {node.text("name") for node in self.root.all_at("gateways/gateway_item")}
        groups = {node.text("name") for node in self.root.all_at("gateways/gateway_group")}
        dynamic = set()
        for key, node in self.interfaces.items():
            label = (node.text("descr") or key).upper()
            kinds = (node.text("ipaddr"), node.text("ipaddrv6"))
            dynamic |= {f"{label}_{kind.upper()}" for kind in kinds if kind.isalnum() and not kind.isdigit()}
        vpn = {
            f"{(node.text('descr') or key).upper()}_VPNV{n}" for key, node in self.interfaces.items() for n in (4, 6)
        }
        return named | groups | dynamic | vpn

    @cached_property
    def own_addresses(self) -> dict[str, Node]:
        """Static address of each interface -> its `<ipaddr>`."""
        found: dict[str, Node] = {}
        for node in self.interfaces.values():
            address = node.child("ipaddr")
            if address and interface_network(node):
                found.setdefault(address.value, address)
        return found

    @cached_property
    def interface_groups(self) -> set[str]:
        return {node.text("ifname") for node in self.root.all_at("ifgroups/ifgroupentry")}


def config_of(document: Document) -> Config:
    """The document as the checks see it."""
    return Config(Node(document, document.root, f"/{document.root.tag}"))


def interface_network(node: Node) -> IPv4Interface | None:
    """An interface's static IPv4 address with its prefix; None where it has none, or a wrong one."""
    found = _address(node.text("ipaddr"), node.text("subnet"))
    return found if isinstance(found, IPv4Interface) else None


def vip_network(vip: Node) -> IPv4Interface | IPv6Interface | None:
    """The same for a virtual IP."""
    return _address(vip.text("subnet"), vip.text("subnet_bits"))


def _address(address: str, bits: str) -> IPv4Interface | IPv6Interface | None:
    try:
        return ip_interface(f"{address}/{bits}")
    except ValueError:
        return None

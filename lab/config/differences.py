"""Where two configurations differ, by section, as pfSense reads them: white space, order of fields and CDATA say nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from lab.config.text import LIST_TAGS

IDENTITIES = ("uniqid", "tracker", "refid", "uid", "gid", "name")
"""Fields by which an entry of a list is known wherever it stands; the first that it has counts."""

IGNORED = ("revision", "lastchange", "created", "updated")
"""Who changed what when."""
SWITCHES = ("virtualip_carp_maintenancemode",)
"""Top-level tags that are true by presence. Any other that is empty says the same as none: a configuration sync drops it."""

SECRET = ("password", "bcrypt-hash", "sha512-hash", "md5-hash", "prv", "pre-shared-key", "authorizedkeys")
"""Tags whose values are never shown: that they differ is all one may know."""

HIDDEN = "(hidden)"


@dataclass(frozen=True)
class Difference:
    """path: XPath below the root, entries of lists by their identity, as `filter/rule[tracker='1700000001']/descr`.

    one, other: the values; None where there is no such element.
    """

    section: str
    path: str
    one: str | None
    other: str | None


def differences(one: Element, other: Element, ignored: Collection[str] = IGNORED) -> tuple[Difference, ...]:
    """Of two roots, in the order of the first. Rules whose order alone differs are told apart at `filter/rule/order()`.

    ignored: tags left out wherever they stand.
    """
    first, second = _sections(one), _sections(other)
    found: list[Difference] = []
    for section in dict.fromkeys((*first, *second)):
        if section in ignored:
            continue
        ours = _flat(section, first.get(section), ignored)
        theirs = _flat(section, second.get(section), ignored)
        found += [
            Difference(section, path, _shown(path, ours.get(path)), _shown(path, theirs.get(path)))
            for path in dict.fromkeys((*ours, *theirs))
            if ours.get(path) != theirs.get(path) and not _both_nothing(path, ours.get(path), theirs.get(path))
        ]
    return tuple(found)


def by_section(found: Collection[Difference]) -> Mapping[str, tuple[Difference, ...]]:
    """The same, sorted into sections."""
    sections = dict.fromkeys(each.section for each in found)
    return {section: tuple(each for each in found if each.section == section) for section in sections}


def _both_nothing(path: str, one: str | None, other: str | None) -> bool:
    """An empty section, and none."""
    return "/" not in path and path not in SWITCHES and not one and not other


def _shown(path: str, value: str | None) -> str | None:
    return HIDDEN if value and path.rsplit("/", 1)[-1] in SECRET else value


def _sections(root: Element) -> dict[str, Element]:
    return {child.tag.lower(): child for child in root}


def _flat(path: str, element: Element | None, ignored: Collection[str]) -> dict[str, str]:
    """Path -> value of every element that holds one. A list also tells the order of its entries."""
    if element is None:
        return {}
    if not len(element):
        return {path: (element.text or "").strip()}
    found: dict[str, str] = {}
    order: dict[str, list[str]] = {}
    for child in element:
        tag = child.tag.lower()
        if tag in ignored:
            continue
        label = tag
        if tag in LIST_TAGS:
            entries = order.setdefault(tag, [])
            label = f"{tag}[{_identity(child, len(entries) + 1)}]"
            entries.append(label)
        found |= _flat(f"{path}/{label}", child, ignored)
    for tag, entries in order.items():
        found[f"{path}/{tag}/order()"] = " ".join(entries)
    return found


def _identity(entry: Element, number: int) -> str:
    for tag in IDENTITIES:
        value = entry.findtext(tag)
        if value:
            return f"{tag}='{value}'"
    return str(number)

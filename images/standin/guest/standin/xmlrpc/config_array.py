"""config.xml as the array pfSense makes of it, and back: parse_xml_config and dump_xml_config (src/etc/inc/xmlparse.inc)."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from lab.config.text import LIST_TAGS, element_text
from standin.xmlnode import SettingsError, parse_document
from standin.xmlrpc.php import Array, Value, text_of

ROOT = "pfsense"
TWICE = "cannot occur more than once"


def parse(data: bytes) -> Array:
    """The array of a whole file, without its root.

    Raises SettingsError where pfSense's parser gives up: not XML, another root, a tag repeated that is no list.
    """
    return _members(parse_document(data).root, "")


def from_element(root: Element) -> Array:
    """The same of a tree whose texts are values already."""
    return _members(root, "")


def _members(element: Element, path: str) -> Array:
    found: Array = {}
    for child in element:
        tag = child.tag.lower()
        value: Value = _members(child, f"{path}/{tag}") if len(child) else child.text or ""
        if tag not in LIST_TAGS:
            if tag in found:
                raise SettingsError(f"{path}/{tag}", TWICE)
            found[tag] = value
            continue
        items = found.setdefault(tag, {})
        assert isinstance(items, dict)
        if value != "":  # an empty element of a list is none
            items[len(items)] = value
    return found


def dump(config: Array) -> bytes:
    """The file pfSense would write: declaration, root alone on line 2, tabs, `<tag></tag>` for empty."""
    lines = ['<?xml version="1.0"?>', f"<{ROOT}>"]
    _dump(config, 1, lines)
    return "\n".join([*lines, f"</{ROOT}>", ""]).encode()


def _dump(array: Array, depth: int, lines: list[str]) -> None:
    for key, value in array.items():
        tag = str(key)
        if isinstance(value, dict) and tag.lower() in LIST_TAGS:
            for item in value.values():
                _element(tag, item, depth, lines)
        else:
            _element(tag, value, depth, lines)


def _element(tag: str, value: Value, depth: int, lines: list[str]) -> None:
    tabs = "\t" * depth
    if value is False:
        return
    if value is True or value == {}:
        value = ""
    if isinstance(value, dict):
        lines.append(f"{tabs}<{tag}>")
        _dump(value, depth + 1, lines)
        lines.append(f"{tabs}</{tag}>")
    else:
        lines.append(f"{tabs}<{tag}>{element_text(tag, text_of(value))}</{tag}>")

"""Small edits of a config.xml tree."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement


def section(root: Element, path: str) -> Element:
    """The element at `a/b/c`, made where it is missing."""
    found = root
    for tag in path.split("/"):
        inner = found.find(tag)
        found = SubElement(found, tag) if inner is None else inner
    return found


def set_text(root: Element, path: str, text: str) -> None:
    section(root, path).text = text


def remove(root: Element, path: str) -> None:
    """Take the element away, if it is there."""
    parent, _, tag = path.rpartition("/")
    holder = root.find(parent) if parent else root
    found = holder.find(tag) if holder is not None else None
    if holder is not None and found is not None:
        holder.remove(found)


def set_flag(root: Element, path: str, on: bool) -> None:
    """A boolean as pfSense keeps it: the tag is there, or is not."""
    if on:
        section(root, path)
    else:
        remove(root, path)

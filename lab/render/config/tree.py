"""XML as pfSense 2.7.0 writes it (src/etc/inc/xmlparse.inc, dump_xml_config_sub): tabs, `<tag></tag>` for empty, CDATA by tag name."""

from __future__ import annotations

from lxml import etree

from lab.config.text import encode, is_cdata

HEADER = '<?xml version="1.0"?>\n'


def leaf(tag: str, text: object = "") -> etree._Element:
    """One value. In CDATA fields the text is HTML-escaped once more: pfSense writes it so and decodes it when it reads.

    Blanks alone are written as nothing, since that is how pfSense reads them.
    """
    element = etree.Element(tag)
    value = str(text)
    if not value.strip(" "):
        value = ""
    if value and is_cdata(tag):
        element.text = etree.CDATA(encode(value))
    else:
        element.text = value
    return element


def flags(*tags: str) -> list[etree._Element]:
    """Booleans: true by presence."""
    return [leaf(tag) for tag in tags]


def branch(tag: str, *children: etree._Element) -> etree._Element:
    """A section; without children `<tag></tag>`."""
    element = etree.Element(tag)
    element.text = ""
    element.extend(children)
    return element


def document(root: etree._Element) -> str:
    """The file. Line 2 is the bare root tag: pfSense's configuration locator (rc.ecl) takes nothing else there."""
    etree.indent(root, space="\t")
    return f"{HEADER}{etree.tostring(root, encoding='unicode')}\n"

"""A firewall's stored configuration, read over XML-RPC, as a tree that compares with a config.xml."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element, SubElement

from lab.appliances.xmlrpc import Section, XmlRpc
from lab.config.text import LIST_TAGS
from lab.config.tree import ROOT, parse

_NAMES = (
    "version lastchange system interfaces staticroutes dhcpd dhcpdv6 snmpd diag syslog nat filter shaper ipsec aliases "
    "proxyarp cron wol rrd widgets openvpn dnshaper unbound dnsmasq vlans qinqs gateways virtualip hasync revision cert ca "
    "crl schedules captiveportal voucher dhcrelay dhcrelay6 installedpackages virtualip_carp_maintenancemode notifications "
    "ppps bridges gifs gres laggs vxlans wireless ifgroups ntpd igmpproxy load_balancer dyndnses dnsupdates theme sysctl "
    "separator"
)
SECTIONS = tuple(_NAMES.split(" "))
"""What a pfSense 2.7.0 may have at the top of its config.xml: names that are asked for."""


def read_stored(firewall: XmlRpc, more: Iterable[str] = ()) -> Element:
    """The whole configuration. more: names of further sections that may be there. Raises LabError."""
    return tree_of(firewall.backup_config_section(dict.fromkeys((*SECTIONS, *more))))


def tree_of(sections: dict[str, Section]) -> Element:
    """Sections as they come over XML-RPC, below one root."""
    root = Element(ROOT)
    for tag, value in sections.items():
        _put(root, tag, value)
    return root


def tree_of_file(data: bytes) -> Element:
    """A config.xml as pfSense keeps it: an empty element of a list is none. Raises ConfigSyntaxError."""
    root = parse(data).root
    for element in [*root.iter()]:
        for child in [*element]:
            if child.tag.lower() in LIST_TAGS and not len(child) and not (child.text or "").strip():
                element.remove(child)
    return root


def _put(parent: Element, tag: str, value: Section) -> None:
    if tag.lower() in LIST_TAGS and isinstance(value, dict | list):
        for item in _items(value):
            _fill(SubElement(parent, tag), item)
    else:
        _fill(SubElement(parent, tag), value)


def _fill(element: Element, value: Section) -> None:
    if isinstance(value, dict):
        for tag, inner in value.items():
            _put(element, tag, inner)
    elif not isinstance(value, list):  # an empty list: a section without anything
        element.text = ("" if value is True else str(value)) or ""


def _items(value: dict[str, Section] | list[Section]) -> Iterator[Section]:
    """PHP sends a list with holes as a struct of numbers."""
    return iter(value if isinstance(value, list) else value.values())

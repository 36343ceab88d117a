"""Booleans: true by presence in most places, by the word `on` in a few."""

from __future__ import annotations

from collections.abc import Iterator

from lab.config.check.defect import Defect
from lab.config.check.node import Config, Node
from lab.config.hasync import SYNCHRONIZE

STILL_ON = "is on, whatever it says"
HINT_STILL_ON = "pfSense asks only whether the tag is there: leave it out to switch this off"
NEGATIVE = ("no", "off", "false", "0", "disabled", "none", "disable")
ABSENT = "an empty tag, or none"

PRESENCE = {
    "system": """dnsallowoverride enableserial disableconsolemenu disablesegmentationoffloading disablechecksumoffloading
        disablelargereceiveoffloading ipv6allow disablefilter hn_altq_enable""",
    "system/webgui": "loginautocomplete noantilockout disablehttpredirect nodnsrebindcheck nohttpreferercheck",
    "system/ssh": "enable",
    "hasync": "pfsyncenabled",
    "unbound": "enable",
    "rrd": "enable",
}
IN_EACH = {
    "filter/rule": "disabled log nosync nopfsync floating disablereplyto",
    "nat/rule": "disabled nosync nordr",
    "nat/outbound/rule": "disabled nosync nonat staticnatport",
    "gateways/gateway_item": "monitor_disable action_disable disabled force_down nonlocalgateway",
    "staticroutes/route": "disabled",
}
OF_INTERFACES = ("enable", "blockpriv", "blockbogons")
OF_SIDES = ("any", "not")
AT_THE_TOP = ("virtualip_carp_maintenancemode",)

TOGGLES = ("adminsync", *SYNCHRONIZE)
"""Boxes of system_hasync.php."""
ON = "on"
NOT_ON = "is no box that the page would show ticked"
HINT_NOT_ON = (
    "any text here makes pfSense synchronise this, and only `on` is shown as ticked; leave the tag out to switch it off"
)
UNKNOWN_TOGGLE = "is no box of the page"
NEEDS_TEXT = "is off: an empty toggle counts as unticked"
WORD_ON = "`on`, or no tag"


def presence_switches(config: Config) -> Iterator[Defect]:
    """A switch that says `no` is on."""
    for switch in _switches(config):
        if switch.value.lower() in NEGATIVE:
            yield switch.defect(STILL_ON, ABSENT, hint=HINT_STILL_ON)


def sync_toggles(config: Config) -> Iterator[Defect]:
    """`<hasync>`: the boxes hold `on` or are not there."""
    section = config.root.child("hasync")
    for node in section.nodes if section else ():
        if node.tag in TOGGLES:
            if node.value != ON:
                yield node.defect(NOT_ON if node.value else NEEDS_TEXT, WORD_ON, hint=HINT_NOT_ON)
        elif node.tag.startswith("synchronize") and node.tag != "synchronizetoip":
            yield node.defect(UNKNOWN_TOGGLE, "one of the boxes of System > High Availability", seen=node.tag)


def _switches(config: Config) -> Iterator[Node]:
    root = config.root
    yield from (node for node in root.nodes if node.tag in AT_THE_TOP)
    for path, tags in PRESENCE.items():
        section = root.at(path)
        yield from (node for node in (section.nodes if section else ()) if node.tag in tags.split())
    for path, tags in IN_EACH.items():
        for entry in root.all_at(path):
            yield from (node for node in entry.nodes if node.tag in tags.split())
            for side in (*entry.children("source"), *entry.children("destination")):
                yield from (node for node in side.nodes if node.tag in OF_SIDES)
    for entry in config.interfaces.values():
        yield from (node for node in entry.nodes if node.tag in OF_INTERFACES)

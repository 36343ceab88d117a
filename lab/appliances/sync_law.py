"""What a configuration sync must have left on the backup, computed from the master's configuration. Pure.

The sections by toggle, and what is changed on the way, are the facts of pfSense 2.7.0 (src/etc/rc.filter_synchronize,
src/usr/local/www/xmlrpc.php), written down here once more on purpose: this judges the stand-in, and shares nothing with it.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from lab.config.differences import Difference, differences
from lab.config.tree import ROOT

SENT_BY = {
    "filter": ("synchronizerules",),
    "nat": ("synchronizenat",),
    "aliases": ("synchronizealiases",),
    "dhcpd": ("synchronizedhcpd",),
    "dhcrelay": ("synchronizedhcrelay",),
    "dhcrelay6": ("synchronizedhcrelay6",),
    "wol": ("synchronizewol",),
    "shaper": ("synchronizetrafficshaper",),
    "dnshaper": ("synchronizetrafficshaperlimiter",),
    "staticroutes": ("synchronizestaticroutes",),
    "gateways": ("synchronizestaticroutes",),
    "virtualip": ("synchronizevirtualip",),
    "ipsec": ("synchronizeipsec",),
    "openvpn": ("synchronizeopenvpn",),
    "cert": ("synchronizecerts", "synchronizeopenvpn"),
    "ca": ("synchronizecerts", "synchronizeopenvpn"),
    "crl": ("synchronizecerts", "synchronizeopenvpn"),
    "dnsmasq": ("synchronizednsforwarder",),
    "unbound": ("synchronizednsforwarder",),
    "schedules": ("synchronizeschedules", "synchronizerules"),
    "captiveportal": ("synchronizecaptiveportal",),
}
"""Section -> toggles of <hasync>, any of which sends it. `system` is sent in parts, by `synchronizeusers`."""
USERS = ("user", "group")
SKEW_STEP, HIGHEST_SKEW = 100, 254
FIRST_USER = 2000


@dataclass(frozen=True)
class Comparison:
    """One section of both nodes. sent: whether the sync carries it. wrong: where the backup is not as the master wants it.

    differ: where the two nodes differ, for whatever reason.
    """

    section: str
    sent: bool
    wrong: tuple[Difference, ...]
    differ: tuple[Difference, ...]


def compare(master: Element, backup: Element) -> tuple[Comparison, ...]:
    """Section by section, in the master's order."""
    hasync = master.find("hasync")
    ticked = {child.tag for child in hasync if (child.text or "").strip()} if hasync is not None else set()
    found = []
    for section in dict.fromkeys(child.tag for root in (master, backup) for child in root):
        sent = any(toggle in ticked for toggle in SENT_BY.get(section, ()))
        wrong: tuple[Difference, ...] = ()
        if sent:
            wrong = meant(_expected(master, section), _only(backup, section))
        elif section == "system" and "synchronizeusers" in ticked:
            admin_too = "adminsync" in ticked
            wrong = meant(_accounts(master, admin_too), _accounts(backup, admin_too))
        differ = meant(_only(master, section), _only(backup, section))
        found.append(Comparison(section, sent or (section == "system" and "synchronizeusers" in ticked), wrong, differ))
    return tuple(found)


def meant(one: Element, other: Element) -> tuple[Difference, ...]:
    """Differences that mean something: a section without anything in it is as good as none, and only rules have an order."""
    return tuple(each for each in differences(one, other) if not (_both_empty(each) or _mere_order(each)))


def _both_empty(each: Difference) -> bool:
    return each.path == each.section and not each.one and not each.other


def _mere_order(each: Difference) -> bool:
    """A receiver sorts users and groups by name."""
    return each.path.endswith("/order()") and not each.path.endswith("/rule/order()")


def _only(root: Element, section: str) -> Element:
    """A root with this section alone."""
    made = Element(ROOT)
    made.extend([child for child in root if child.tag == section])
    return made


def _expected(master: Element, section: str) -> Element:
    made = deepcopy(_only(master, section))
    for parent in [*made.iter()]:
        for child in [*parent]:
            if child.tag in ("rule", "alias", "hosts", "tunnel") and child.find("nosync") is not None:
                parent.remove(child)
    for vip in made.findall("virtualip/vip"):
        mode, on = vip.findtext("mode") or "", vip.findtext("interface") or ""
        if mode in ("ipalias", "proxyarp") and "_vip" not in on and "lo0" not in on:
            holder = made.find("virtualip")
            assert holder is not None
            holder.remove(vip)
        skew = vip.find("advskew")
        if skew is not None and (skew.text or "").isdigit():
            skew.text = str(min(int(skew.text or 0) + SKEW_STEP, HIGHEST_SKEW))
    for key in made.findall("dhcpd/*"):
        peer, own = key.find("failover_peerip"), master.findtext(f"interfaces/{key.tag}/ipaddr")
        if peer is not None and peer.text and own:
            peer.text = own
    return made


def _accounts(root: Element, admin_too: bool) -> Element:
    made = Element(ROOT)
    system = SubElement(made, "system")
    for tag in USERS:
        for account in root.findall(f"system/{tag}"):
            number = account.findtext("uid") or ""
            if tag == "user" and not admin_too and number.isdigit() and int(number) < FIRST_USER:
                continue
            system.append(account)
    return made

"""`<system>` and `<revision>`: name, users, consoles, services of the node itself."""

from __future__ import annotations

from datetime import UTC, datetime

from lxml import etree

from lab.render.config.tree import branch, flags, leaf
from lab.topology.plan import Plan, PlannedMachine
from lab.topology.secrets import Secrets

SERIAL_SPEED = 115200
ADMIN = "admin"
REVISION_BY = "uranus-lab"
REVISION_TEXT = "{stage}: made from the topology {topology} ({when})"


def system(plan: Plan, node: PlannedMachine, secrets: Secrets) -> etree._Element:
    """Shipped defaults, with what a headless lab node needs: ssh, serial console, no hardware offloading.

    `ipv6allow` is left out on purpose: a topology says nothing of IPv6, so pfSense refuses it all (first rules of its
    set) and no path exists that the lab does not know of.
    """
    return branch(
        "system",
        leaf("optimization", "normal"),
        leaf("hostname", node.hostname),
        leaf("domain", plan.topology.domain),
        *_name_servers(plan),
        *_groups(),
        _admin(secrets),
        leaf("nextuid", 2000),
        leaf("nextgid", 2000),
        leaf("timezone", "Etc/UTC"),
        leaf("timeservers", "2.pfsense.pool.ntp.org"),
        branch("webgui", leaf("protocol", "https"), *flags("loginautocomplete")),
        branch("ssh", leaf("enable", "enabled")),
        *flags("enableserial"),
        leaf("serialspeed", SERIAL_SPEED),
        leaf("primaryconsole", "serial"),
        leaf("disablenatreflection", "yes"),
        # vtnet checksums and pf's rewriting do not mix; without the other two tags pfSense switches TSO and LRO on.
        *flags("disablechecksumoffloading", "disablesegmentationoffloading", "disablelargereceiveoffloading"),
        leaf("maximumtableentries", 400000),
        leaf("powerd_ac_mode", "hadp"),
        leaf("powerd_battery_mode", "hadp"),
        leaf("powerd_normal_mode", "hadp"),
        branch("bogons", leaf("interval", "monthly")),
        *flags("hn_altq_enable"),
    )


def revision(plan: Plan, stage: str, time: int) -> etree._Element:
    """time: seconds since the epoch; pfSense names its backups after it."""
    when = datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return branch(
        "revision",
        leaf("time", time),
        leaf("description", REVISION_TEXT.format(stage=stage, topology=plan.topology.name, when=when)),
        leaf("username", REVISION_BY),
    )


def _name_servers(plan: Plan) -> list[etree._Element]:
    """With DHCP the lease may bring servers, as shipped; with a static WAN the upstream router is the only candidate."""
    wan = plan.topology.networks[plan.topology.wan]
    if wan.addressing == "dhcp" or wan.gateway is None:
        return flags("dnsallowoverride")
    return [leaf("dnsserver", wan.gateway)]


def _groups() -> list[etree._Element]:
    return [
        branch(
            "group",
            leaf("name", "all"),
            leaf("description", "All Users"),
            leaf("scope", "system"),
            leaf("gid", 1998),
            leaf("member", 0),
        ),
        branch(
            "group",
            leaf("name", "admins"),
            leaf("description", "System Administrators"),
            leaf("scope", "system"),
            leaf("gid", 1999),
            leaf("member", 0),
            leaf("priv", "page-all"),
        ),
    ]


def _admin(secrets: Secrets) -> etree._Element:
    return branch(
        "user",
        leaf("name", ADMIN),
        leaf("descr", "System Administrator"),
        leaf("scope", "system"),
        leaf("groupname", "admins"),
        leaf("bcrypt-hash", secrets.admin_bcrypt),
        leaf("uid", 0),
        leaf("priv", "user-shell-access"),
    )

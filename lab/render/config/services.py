"""The sections that are the same on every node: pfSense's shipped defaults, with the DHCP servers off."""

from __future__ import annotations

from lxml import etree

from lab.render.config.tree import branch, flags, leaf

CRON = (
    ("*/1", "*", "*", "*", "*", "/usr/sbin/newsyslog"),
    ("1", "3", "*", "*", "*", "/etc/rc.periodic daily"),
    ("15", "4", "*", "*", "6", "/etc/rc.periodic weekly"),
    ("30", "5", "1", "*", "*", "/etc/rc.periodic monthly"),
    ("1,31", "0-5", "*", "*", "*", "/usr/bin/nice -n20 adjkerntz -a"),
    ("1", "3", "1", "*", "*", "/usr/bin/nice -n20 /etc/rc.update_bogons.sh"),
    ("1", "1", "*", "*", "*", "/usr/bin/nice -n20 /etc/rc.dyndns.update"),
    ("*/60", "*", "*", "*", "*", "/usr/bin/nice -n20 /usr/local/sbin/expiretable -v -t 3600 virusprot"),
    ("30", "12", "*", "*", "*", "/usr/bin/nice -n20 /etc/rc.update_urltables"),
    ("1", "0", "*", "*", "*", "/usr/bin/nice -n20 /etc/rc.update_pkg_metadata"),
)
"""minute, hour, mday, month, wday, command: the ten jobs of conf.default/config.xml (log rotation among them)."""

WIDGETS = (
    "system_information:col1:show",
    "disks:col1:show",
    "carp_status:col2:show",
    "interfaces:col2:show",
)


def before_policy() -> list[etree._Element]:
    """What stands between `<interfaces>` and `<nat>`.

    The document's machines have static addresses, and two independent DHCP servers on one LAN would be a fault, so both
    servers are off; their empty ranges keep the sections arrays, which pfSense's PHP expects.
    """
    empty_range = branch("range", leaf("from"), leaf("to"))
    empty_range6 = branch("range", leaf("from"), leaf("to"))
    return [
        branch("staticroutes"),
        branch("dhcpd", branch("lan", empty_range)),
        branch("dhcpdv6", branch("lan", empty_range6, leaf("ramode", "disabled"), leaf("rapriority", "medium"))),
        branch("snmpd", leaf("syslocation"), leaf("syscontact"), leaf("rocommunity", "public")),
        branch("diag", branch("ipv6nat", leaf("ipaddr"))),
        branch("syslog", leaf("filterdescriptions", 1)),
    ]


def after_policy() -> list[etree._Element]:
    """What stands after `<filter>`."""
    return [
        *(branch(tag) for tag in ("shaper", "ipsec", "aliases", "proxyarp")),
        branch("cron", *(_job(*job) for job in CRON)),
        branch("wol"),
        branch("rrd", *flags("enable")),
        branch("widgets", leaf("sequence", ",".join(WIDGETS)), leaf("period", 10)),
        *(branch(tag) for tag in ("openvpn", "dnshaper")),
        _resolver(),
        *(branch(tag) for tag in ("vlans", "qinqs")),
    ]


def _job(minute: str, hour: str, mday: str, month: str, wday: str, command: str) -> etree._Element:
    return branch(
        "item",
        leaf("minute", minute),
        leaf("hour", hour),
        leaf("mday", mday),
        leaf("month", month),
        leaf("wday", wday),
        leaf("who", "root"),
        leaf("command", command),
    )


def _resolver() -> etree._Element:
    return branch(
        "unbound",
        *flags("enable", "dnssec", "active_interface", "outgoing_interface", "custom_options"),
        *flags("hideidentity", "hideversion", "dnssecstripped"),
    )

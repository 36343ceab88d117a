"""Names that no interface may have: its description becomes a macro of pf, whose words they are."""

from __future__ import annotations

_PF_WORDS = """
    all altq anchor antispoof any bandwidth binat bitmask block buckets cbq code codel codelq crop debug dnpipe dnqueue
    drop ether fairq fastroute file fingerprints flags floating flush for fragment from global group hfsc hogs hostid in
    include inet inet6 interval keep keepcounters l3 label limit linkshare load log loginterface match max min modulate
    nat no nosync on optimization os out overload pass port prio priority priq probability proto qlimit queue quick
    random rdr realtime reassemble return ridentifier route rtable rule scrub set skip sloppy state syncookies synproxy
    table tag tagged target tbrsize timeout to tos ttl upperlimit user
"""
_PFSENSE_WORDS = """
    bogons bogonsv6 error filename ipsec l2tp negate_networks openvpn pppoe pptp snort2c sshguard tonatsubnets virusprot
    vpn_networks
"""
RESERVED = frozenset(_PF_WORDS.split()) | frozenset(_PFSENSE_WORDS.split())
"""pf.conf(5)'s words, and pfSense's own tables and groups. The page Interfaces refuses them in either case (interfaces.php)."""


def is_reserved(description: str) -> bool:
    return description.lower() in RESERVED

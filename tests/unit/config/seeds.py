"""Mistakes to sow into a good config.xml, and the path that the checker must name for each."""

from __future__ import annotations

from typing import NamedTuple


class Seed(NamedTuple):
    """One mistake: `old` becomes `new` once, after the first place where `after` stands."""

    name: str
    old: str
    new: str
    path: str
    after: str = ""


VIP2 = "<vhid>2</vhid>"
VIP1 = "<virtualip>"
ADMIN_HASH = "<bcrypt-hash>$2b$04$J1q0nEOIYHvsVyRIaKjMCewmrEKvt7/eCWbR7ejHW0gjprE4RPQWe</bcrypt-hash>"
PFSYNC_RULE = "<tracker>1700000011</tracker>"
XMLRPC_RULE = "<tracker>1700000010</tracker>"
FIRST_RULE = "<tracker>1700000001</tracker>"
ALL_USERS = "<description><![CDATA[All Users]]></description>"

FORWARD = (
    "</outbound><rule><interface>wan</interface><protocol>tcp</protocol><source><any></any></source>"
    "<destination><network>wanip</network><port>80</port></destination>{target}<local-port>80</local-port></rule>"
)

SEEDS = (
    # the file
    Seed("not well-formed", "</hasync>", "</hasyn>", "/"),
    Seed("entity of HTML", "<domain>home", "<domain>h&ocirc;me", "/"),
    Seed("no declaration", '<?xml version="1.0"?>', "", "/"),
    Seed("root not alone in line 2", "<pfsense>\n", '<pfsense lang="en">\n', "/pfsense"),
    Seed("root shares line 2", "<pfsense>\n\t<version>", "<pfsense><version>", "/pfsense"),
    Seed("comment before the root", "<pfsense>\n", "<!-- made by hand -->\n<pfsense>\n", "/pfsense"),
    Seed("doctype", "<pfsense>\n", "<!DOCTYPE pfsense>\n<pfsense>\n", "/"),
    # what may repeat, what may hold text
    Seed("tag twice", "<hostname>", "<hostname>x</hostname><hostname>", "/pfsense/system/hostname[2]"),
    Seed("section twice", "<wol></wol>", "<wol></wol><wol></wol>", "/pfsense/wol[2]"),
    Seed(
        "tag twice in a rule",
        "<type>block</type>",
        "<type>block</type><type>pass</type>",
        "/pfsense/filter/rule[2]/type[2]",
    ),
    Seed("text beside elements", "<outbound>", "<outbound>manual", "/pfsense/nat/outbound"),
    Seed("entry that is a value", "<virtualip>", "<virtualip><vip>172.17.1.252</vip>", "/pfsense/virtualip/vip[1]"),
    Seed(
        "list in the plural",
        "<aliases></aliases>",
        "<aliases><aliass><name>a</name></aliass></aliases>",
        "/pfsense/aliases/aliass",
    ),
    # switches
    Seed(
        "switch that says no",
        "<enableserial></enableserial>",
        "<enableserial>no</enableserial>",
        "/pfsense/system/enableserial",
    ),
    Seed(
        "interface that says no", "<enable></enable>", "<enable>0</enable>", "/pfsense/interfaces/lan/enable", "<lan>"
    ),
    Seed(
        "maintenance that says off",
        VIP1,
        "<virtualip_carp_maintenancemode>off</virtualip_carp_maintenancemode><virtualip>",
        "/pfsense/virtualip_carp_maintenancemode",
    ),
    Seed("rule disabled: no", FIRST_RULE, f"<disabled>no</disabled>{FIRST_RULE}", "/pfsense/filter/rule[1]/disabled"),
    Seed(
        "negation that says false",
        "<network>lan</network>",
        "<network>lan</network><not>false</not>",
        "/pfsense/filter/rule[1]/source/not",
        FIRST_RULE,
    ),
    Seed("toggle without text", "<synchronizerules>on", "<synchronizerules>", "/pfsense/hasync/synchronizerules"),
    Seed("toggle that says no", "<synchronizenat>on", "<synchronizenat>no", "/pfsense/hasync/synchronizenat"),
    Seed(
        "toggle nobody knows",
        "<adminsync>",
        "<synchronizeall>on</synchronizeall><adminsync>",
        "/pfsense/hasync/synchronizeall",
    ),
    # the system
    Seed("version from the future", "<version>22.9", "<version>23.3", "/pfsense/version"),
    Seed("no version", "<version>22.9</version>", "", "/pfsense/version"),
    Seed("version in words", "<version>22.9", "<version>2.7.0-RELEASE", "/pfsense/version"),
    Seed("no host name", "<hostname>fw-master</hostname>", "", "/pfsense/system/hostname"),
    Seed("host name with a dot", "<hostname>fw-", "<hostname>fw.", "/pfsense/system/hostname"),
    Seed("name server by name", "<dnsserver>192.168.1.1", "<dnsserver>dns.example", "/pfsense/system/dnsserver[1]"),
    Seed("no administrator", "<uid>0</uid>", "<uid>2001</uid>", "/pfsense/system/user"),
    Seed("user without a password", ADMIN_HASH, "", "/pfsense/system/user[1]/bcrypt-hash"),
    Seed(
        "password for a hash", ADMIN_HASH, "<bcrypt-hash>pfsense</bcrypt-hash>", "/pfsense/system/user[1]/bcrypt-hash"
    ),
    Seed("member that is nobody", "<member>0</member>", "<member>7</member>", "/pfsense/system/group[1]/member[1]"),
    Seed("group number twice", "<gid>1999</gid>", "<gid>1998</gid>", "/pfsense/system/group[2]/gid"),
    Seed("serial speed", "<serialspeed>115200", "<serialspeed>1152", "/pfsense/system/serialspeed"),
    Seed("web interface protocol", "<protocol>https", "<protocol>ssl", "/pfsense/system/webgui/protocol"),
    Seed("time in words", "<time>1700000000", "<time>yesterday", "/pfsense/revision/time"),
    # interfaces and gateways
    Seed("interface without a card", "<if>vtnet2</if>", "", "/pfsense/interfaces/opt1/if"),
    Seed("one card twice", "<if>vtnet2</if>", "<if>vtnet1</if>", "/pfsense/interfaces/opt1/if"),
    Seed("address without its length", "<subnet>24</subnet>", "", "/pfsense/interfaces/lan/subnet", "<lan>"),
    Seed("prefix length 33", "<subnet>24", "<subnet>33", "/pfsense/interfaces/lan/subnet", "<lan>"),
    Seed("octet 256", "<ipaddr>172.17.1.254", "<ipaddr>172.17.1.256", "/pfsense/interfaces/lan/ipaddr"),
    Seed("network address", "<ipaddr>172.17.1.254", "<ipaddr>172.17.1.0", "/pfsense/interfaces/lan/ipaddr"),
    Seed("broadcast address", "<ipaddr>172.17.1.254", "<ipaddr>172.17.1.255", "/pfsense/interfaces/lan/ipaddr"),
    Seed("networks overlap", "<ipaddr>172.17.2.254", "<ipaddr>172.17.1.9", "/pfsense/interfaces/opt1/ipaddr"),
    Seed("interface name twice", "<![CDATA[SRV]]>", "<![CDATA[lan]]>", "/pfsense/interfaces/opt1/descr"),
    Seed("interface name with a blank", "<![CDATA[SRV]]>", "<![CDATA[my srv]]>", "/pfsense/interfaces/opt1/descr"),
    Seed("interface with a name of pf", "<![CDATA[SRV]]>", "<![CDATA[Queue]]>", "/pfsense/interfaces/opt1/descr"),
    Seed("interface's gateway unknown", "<gateway>WANGW", "<gateway>WAN_GW", "/pfsense/interfaces/wan/gateway"),
    Seed(
        "gateway on no interface",
        "<interface>wan",
        "<interface>opt8",
        "/pfsense/gateways/gateway_item[1]/interface",
        "<gateways>",
    ),
    Seed(
        "gateway beyond the link",
        "<gateway>192.168.1.1<",
        "<gateway>192.168.9.1<",
        "/pfsense/gateways/gateway_item[1]/gateway",
    ),
    Seed("gateway without a name", "<name>WANGW</name>", "", "/pfsense/gateways/gateway_item[1]/name"),
    Seed("default gateway unknown", "<defaultgw4>WANGW", "<defaultgw4>OTHER", "/pfsense/gateways/defaultgw4"),
    Seed(
        "route by no gateway",
        "<staticroutes>",
        "<staticroutes><route><network>10.0.0.0/8</network><gateway>NONE</gateway></route>",
        "/pfsense/staticroutes/route[1]/gateway",
    ),
    Seed(
        "route to no network",
        "<staticroutes>",
        "<staticroutes><route><network>10.0.0.0</network><gateway>WANGW</gateway></route>",
        "/pfsense/staticroutes/route[1]/network",
    ),
    # the cluster
    Seed("VHID 0", "<vhid>2<", "<vhid>0<", "/pfsense/virtualip/vip[2]/vhid"),
    Seed("VHID 256", "<vhid>2<", "<vhid>256<", "/pfsense/virtualip/vip[2]/vhid"),
    Seed(
        "VHID twice on an interface",
        "<interface>opt1</interface>\n\t\t\t<vhid>2<",
        "<interface>lan</interface>\n\t\t\t<vhid>1<",
        "/pfsense/virtualip/vip[2]/vhid",
    ),
    Seed("no VHID", VIP2, "", "/pfsense/virtualip/vip[2]/vhid"),
    Seed("skew 255", "<advskew>0", "<advskew>255", "/pfsense/virtualip/vip[1]/advskew", VIP1),
    Seed("base 0", "<advbase>1", "<advbase>0", "/pfsense/virtualip/vip[1]/advbase", VIP1),
    Seed(
        "no CARP password",
        "<password><![CDATA[carp-pass-of-19-chr]]></password>",
        "<password></password>",
        "/pfsense/virtualip/vip[1]/password",
    ),
    Seed("identifier twice", "62acfaebd4463", "ea03f7113f419", "/pfsense/virtualip/vip[2]/uniqid"),
    Seed("no identifier", "<uniqid>62acfaebd4463</uniqid>", "", "/pfsense/virtualip/vip[2]/uniqid"),
    Seed(
        "VIP on no interface",
        "<interface>opt1",
        "<interface>opt7",
        "/pfsense/virtualip/vip[2]/interface",
        "ea03f7113f419",
    ),
    Seed(
        "CARP on CARP",
        "<interface>opt1",
        "<interface>_vipea03f7113f419",
        "/pfsense/virtualip/vip[2]/interface",
        "ea03f7113f419",
    ),
    Seed("mode nobody knows", "<mode>carp", "<mode>vrrp", "/pfsense/virtualip/vip[1]/mode"),
    Seed(
        "VIP is a node's own address",
        "<subnet>172.17.2.252",
        "<subnet>172.17.2.254",
        "/pfsense/virtualip/vip[2]/subnet",
    ),
    Seed("VIP is the network", "<subnet>172.17.2.252", "<subnet>172.17.2.0", "/pfsense/virtualip/vip[2]/subnet"),
    Seed("VIP without length", "<subnet_bits>24</subnet_bits>", "", "/pfsense/virtualip/vip[1]/subnet_bits", VIP1),
    Seed("VIP is no address", "<subnet>172.17.2.252", "<subnet>172.17.2", "/pfsense/virtualip/vip[2]/subnet"),
    Seed("sync on no interface", "<pfsyncinterface>opt3", "<pfsyncinterface>ha", "/pfsense/hasync/pfsyncinterface"),
    Seed(
        "peer is this node", "<pfsyncpeerip>172.17.4.253", "<pfsyncpeerip>172.17.4.254", "/pfsense/hasync/pfsyncpeerip"
    ),
    Seed("peer by name", "<pfsyncpeerip>172.17.4.253", "<pfsyncpeerip>fw-backup", "/pfsense/hasync/pfsyncpeerip"),
    Seed("host id 0", "<pfhostid>a1", "<pfhostid>0", "/pfsense/hasync/pfhostid"),
    Seed("host id is no number", "<pfhostid>a1", "<pfhostid>master", "/pfsense/hasync/pfhostid"),
    Seed(
        "sync to itself",
        "<synchronizetoip>172.17.4.253",
        "<synchronizetoip>172.17.4.254",
        "/pfsense/hasync/synchronizetoip",
    ),
    Seed("sync without a password", "<password><![CDATA[Admin-pass.1]]></password>", "", "/pfsense/hasync/password"),
    # rules
    Seed("action nobody knows", "<type>block", "<type>deny", "/pfsense/filter/rule[2]/type"),
    Seed("rule without an action", "<type>block</type>", "", "/pfsense/filter/rule[2]/type"),
    Seed("rule on no interface", "<interface>lan", "<interface>LAN", "/pfsense/filter/rule[1]/interface", FIRST_RULE),
    Seed(
        "family nobody knows", "<ipprotocol>inet", "<ipprotocol>ipv4", "/pfsense/filter/rule[1]/ipprotocol", FIRST_RULE
    ),
    Seed("protocol in capitals", "<protocol>pfsync", "<protocol>PFSYNC", "/pfsense/filter/rule[11]/protocol"),
    Seed("tracker twice", "<tracker>1700000002", "<tracker>1700000001", "/pfsense/filter/rule[2]/tracker"),
    Seed("tracker in words", "<tracker>1700000002", "<tracker>two", "/pfsense/filter/rule[2]/tracker"),
    Seed(
        "network of no interface",
        "<network>opt3",
        "<network>opt9",
        "/pfsense/filter/rule[11]/source/network",
        PFSYNC_RULE,
    ),
    Seed(
        "network in figures",
        "<network>opt3",
        "<network>172.17.4.0/24",
        "/pfsense/filter/rule[11]/source/network",
        PFSYNC_RULE,
    ),
    Seed(
        "two kinds of source",
        "<network>opt3</network>",
        "<network>opt3</network><any></any>",
        "/pfsense/filter/rule[11]/source",
        PFSYNC_RULE,
    ),
    Seed(
        "rule without a destination",
        "<destination>\n\t\t\t\t<any></any>\n\t\t\t</destination>",
        "",
        "/pfsense/filter/rule[1]/destination",
        FIRST_RULE,
    ),
    Seed(
        "alias nobody made", "<address>172.17.3.252", "<address>gateways", "/pfsense/filter/rule[4]/destination/address"
    ),
    Seed("port 70000", "<port>443", "<port>70000", "/pfsense/filter/rule[10]/destination/port"),
    Seed("port without a protocol", "<protocol>tcp</protocol>", "", "/pfsense/filter/rule[10]/destination/port"),
    Seed(
        "rule by no gateway",
        XMLRPC_RULE,
        f"{XMLRPC_RULE}<gateway>NOWHERE</gateway>",
        "/pfsense/filter/rule[10]/gateway",
    ),
    Seed(
        "alias with a hyphen",
        "<aliases>",
        "<aliases><alias><name>my-net</name><type>network</type></alias>",
        "/pfsense/aliases/alias[1]/name",
    ),
    # NAT and services
    Seed("NAT mode", "<mode>advanced", "<mode>manual", "/pfsense/nat/outbound/mode"),
    Seed("NAT target by name", "<target>192.168.1.252", "<target>wanvip", "/pfsense/nat/outbound/rule[1]/target"),
    Seed(
        "NAT source", "<network>172.17.1.0/24", "<network>172.17.1.0-24", "/pfsense/nat/outbound/rule[1]/source/network"
    ),
    Seed(
        "NAT on no interface",
        "<interface>wan",
        "<interface>wan2",
        "/pfsense/nat/outbound/rule[1]/interface",
        "<outbound>",
    ),
    Seed(
        "DHCP range elsewhere",
        "<lan>\n\t\t\t<range>\n\t\t\t\t<from></from>",
        "<lan>\n\t\t\t<enable></enable><range>\n\t\t\t\t<from>10.0.0.1</from>",
        "/pfsense/dhcpd/lan/range/from",
    ),
    Seed("port forward to nowhere", "</outbound>", FORWARD.format(target=""), "/pfsense/nat/rule[1]/target"),
    Seed(
        "port forward to a name",
        "</outbound>",
        FORWARD.format(target="<target>web.example</target>"),
        "/pfsense/nat/rule[1]/target",
    ),
    Seed(
        "NAT to nobody's address",
        "<target>192.168.1.252",
        "<target>192.168.1.77",
        "/pfsense/nat/outbound/rule[1]/target",
    ),
    Seed("VIP without a type", "<type>single</type>", "", "/pfsense/virtualip/vip[1]/type", VIP1),
    Seed("rule without a tracker", FIRST_RULE, "", "/pfsense/filter/rule[1]/tracker"),
    Seed("optimization nobody knows", "<optimization>normal", "<optimization>fast", "/pfsense/system/optimization"),
    Seed("name server by no gateway", "<dnsserver>", "<dns1gw>NONE</dns1gw><dnsserver>", "/pfsense/system/dns1gw"),
    Seed(
        "certificate that is not there",
        "<loginautocomplete>",
        "<ssl-certref>64b0</ssl-certref><loginautocomplete>",
        "/pfsense/system/webgui/ssl-certref",
    ),
    Seed(
        "group of no gateway",
        "<defaultgw4>",
        "<gateway_group><name>g</name><item>GONE|1|address</item></gateway_group><defaultgw4>",
        "/pfsense/gateways/gateway_group[1]/item[1]",
    ),
    Seed(
        "hardware address", "<spoofmac></spoofmac>", "<spoofmac>52:54:00</spoofmac>", "/pfsense/interfaces/wan/spoofmac"
    ),
    Seed(
        "DHCP peer is this node",
        "<lan>\n\t\t\t<range>",
        "<lan>\n\t\t\t<enable></enable><failover_peerip>172.17.1.254</failover_peerip><range>",
        "/pfsense/dhcpd/lan/failover_peerip",
    ),
    Seed("job without a time", "<hour>3</hour>", "", "/pfsense/cron/item[2]/hour"),
)

"""config.xml -> Settings. Reads any file pfSense could have stored; what is missing gets pfSense's own default."""

from __future__ import annotations

from binascii import crc32
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from re import sub

from standin.filter_xml import read_aliases, read_forwards, read_outbound, read_rules
from standin.model import CarpVip, StateSync
from standin.settings import ConfigSync, Gateway, Interface, IpAlias, Settings, StaticRoute, User, Vlan
from standin.xmlnode import Node, SettingsError, parse_root

# Set as the skew of every VIP in persistent maintenance mode (pfSense interfaces.inc, interface_carp_configure).
MAINTENANCE_SKEW = 254
NO_ADDRESS_KINDS = ("", "none")
OTHER_ADDRESS_KINDS = ("pppoe", "ppp", "pptp", "l2tp")


def read(data: bytes) -> Settings:
    """Settings of a whole config.xml.

    Raises SettingsError, which names the element, when the file is not XML, not pfSense's, or contradicts itself.
    """
    root = parse_root(data)
    system = root.child("system")
    if system is None:
        raise SettingsError("/pfsense/system", "is missing")
    notes: list[str] = []
    interfaces = _interfaces(root, notes)
    maintenance = root.has("virtualip_carp_maintenancemode")
    vips, ip_aliases = _virtual_ips(root, interfaces, maintenance, notes)
    hostname, domain = system.text("hostname") or "pfSense", system.text("domain")
    webgui, ssh = system.child("webgui"), system.child("ssh")
    protocol = (webgui.text("protocol") if webgui else "") or "https"
    gateways = root.child("gateways")
    return Settings(
        version=root.text("version"),
        hostname=hostname,
        domain=domain,
        interfaces=interfaces,
        gateways=_gateways(gateways) if gateways else (),
        default_gateway=gateways.text("defaultgw4") if gateways else "",
        routes=_routes(root, notes),
        dns_servers=_dns_servers(system),
        vips=vips,
        ip_aliases=ip_aliases,
        host_id=_host_id(root.child("hasync"), hostname),
        state_sync=_state_sync(root, interfaces, hostname, notes),
        config_sync=_config_sync(root),
        aliases=read_aliases(root, notes),
        rules=read_rules(root),
        outbound=read_outbound(root),
        forwards=read_forwards(root),
        users=_users(system),
        webgui_protocol=protocol,
        webgui_port=(webgui.number("port", 1, 65535, 0) if webgui else 0) or (443 if protocol == "https" else 80),
        ssh_enabled=bool(ssh and ssh.has("enable")),
        ssh_port=ssh.number("port", 1, 65535, 22) if ssh else 22,
        maintenance=maintenance,
        anti_lockout=not (webgui and webgui.has("noantilockout")),
        ipv6_allowed=system.has("ipv6allow"),
        serial_console=system.has("enableserial"),
        console_locked=system.has("disableconsolemenu"),
        vlans=_vlans(root.child("vlans")),
        revised=root.has("revision"),
        authmode=webgui.text("authmode") if webgui else "",
        notes=tuple(notes),
    )


def _interfaces(root: Node, notes: list[str]) -> tuple[Interface, ...]:
    section = root.child("interfaces")
    if section is None:
        raise SettingsError("/pfsense/interfaces", "is missing")
    found: list[Interface] = []
    for node in section.all_children():
        section.child(node.tag)  # refuses a key that occurs twice
        found.append(_interface(node, notes))
    if not any(each.key == "wan" for each in found):
        raise SettingsError("/pfsense/interfaces/wan", "is missing: pfSense always has a WAN")
    return tuple(found)


def _interface(node: Node, notes: list[str]) -> Interface:
    kind = node.text("ipaddr").lower()
    address = None
    if kind in OTHER_ADDRESS_KINDS:
        notes.append(f"{node.path}/ipaddr: {kind} is not offered; the interface gets no address")
    elif kind not in (*NO_ADDRESS_KINDS, "dhcp"):
        address = IPv4Interface((node.ipv4("ipaddr"), node.number("subnet", 1, 32)))
    descr = node.text("descr") or node.tag.upper()
    return Interface(
        key=node.tag,
        nic=node.required("if"),
        descr=descr,
        enabled=node.has("enable"),
        address=address,
        dhcp=kind == "dhcp",
        gateway=node.text("gateway"),
        mtu=node.number("mtu", 576, 9000, 0),
        block_private=node.has("blockpriv"),
        block_bogons=node.has("blockbogons"),
    )


def _vlans(section: Node | None) -> tuple[Vlan, ...]:
    nodes = section.children("vlan") if section else []
    return tuple(Vlan(node.required("if"), node.number("tag", 1, 4094)) for node in nodes)


def _gateways(section: Node) -> tuple[Gateway, ...]:
    found = []
    for node in section.children("gateway_item"):
        if node.text("ipprotocol") == "inet6" or node.has("disabled"):
            continue
        dynamic = node.text("gateway") in ("dynamic", "")
        address = None if dynamic else node.ipv4("gateway")
        found.append(Gateway(node.required("name"), node.required("interface"), address))
    return tuple(found)


def _routes(root: Node, notes: list[str]) -> tuple[StaticRoute, ...]:
    section = root.child("staticroutes")
    found = []
    for node in section.children("route") if section else []:
        if node.has("disabled"):
            continue
        text = node.required("network")
        if ":" in text:
            notes.append(f"{node.path}/network: IPv6 is off in the stand-in; the route is left out")
            continue
        try:
            found.append(StaticRoute(IPv4Network(text, strict=False), node.required("gateway")))
        except ValueError:
            raise SettingsError(
                f"{node.path}/network", f"expected a network such as 10.1.0.0/16, found {text!r}"
            ) from None
    return tuple(found)


def _dns_servers(system: Node) -> tuple[IPv4Address, ...]:
    found = []
    for node in system.children("dnsserver"):
        if node.value and ":" not in node.value:
            try:
                found.append(IPv4Address(node.value))
            except ValueError:
                raise SettingsError(node.path, f"expected an IPv4 address, found {node.value!r}") from None
    return tuple(found)


def _virtual_ips(
    root: Node, interfaces: tuple[Interface, ...], maintenance: bool, notes: list[str]
) -> tuple[tuple[CarpVip, ...], tuple[IpAlias, ...]]:
    section = root.child("virtualip")
    vips: list[CarpVip] = []
    aliases: list[IpAlias] = []
    for node in section.children("vip") if section else []:
        mode, key = node.required("mode").lower(), node.required("interface")
        if ":" in node.text("subnet"):
            notes.append(f"{node.path}: IPv6 is off in the stand-in; the address is left out")
        elif mode == "ipalias":
            aliases.append(IpAlias(key, _vip_address(node)))
        elif mode == "carp":
            vip = _carp_vip(node, key, interfaces, maintenance, notes)
            vips += [vip] if vip else []
        else:
            notes.append(f"{node.path}/mode: {mode} is not offered; the address is left out")
    return tuple(vips), tuple(aliases)


def _carp_vip(
    node: Node, key: str, interfaces: tuple[Interface, ...], maintenance: bool, notes: list[str]
) -> CarpVip | None:
    """None where pfSense skips it: the parent does not exist or is not enabled."""
    parent = next((each for each in interfaces if each.key == key), None)
    if parent is None or not parent.enabled:
        notes.append(f"{node.path}/interface: {key} is not an enabled interface; the VIP is skipped")
        return None
    return CarpVip(
        key=key,
        nic=parent.nic,
        vhid=node.number("vhid", 1, 255),
        advbase=node.number("advbase", 1, 254, 1),
        advskew=MAINTENANCE_SKEW if maintenance else node.number("advskew", 0, 254, 0),
        password=_carp_key(node.text("password")),
        address=_vip_address(node),
        uniqid=node.text("uniqid"),
        descr=node.text("descr"),
    )


def _carp_key(password: str) -> str:
    """What pfSense hands to ifconfig: without blanks, and with a backslash before quotes and backslashes (addslashes there)."""
    return sub(r"([\\'\"])", r"\\\1", password.replace(" ", ""))


def _vip_address(node: Node) -> IPv4Interface:
    return IPv4Interface((node.ipv4("subnet"), node.number("subnet_bits", 1, 32, 32)))


def _state_sync(root: Node, interfaces: tuple[Interface, ...], hostname: str, notes: list[str]) -> StateSync | None:
    node = root.child("hasync")
    if node is None or not node.has("pfsyncenabled"):
        return None
    key = node.text("pfsyncinterface")
    parent = next((each for each in interfaces if each.key == key), None)
    if parent is None or parent.address is None or not parent.enabled:
        notes.append(f"{node.path}/pfsyncinterface: {key!r} has no static address; states are not synchronised")
        return None
    if not node.text("pfsyncpeerip"):
        notes.append(f"{node.path}/pfsyncpeerip: empty; the stand-in's state sync needs the peer's address")
        return None
    return StateSync(parent.nic, parent.address.ip, node.ipv4("pfsyncpeerip"), _host_id(node, hostname))


def _host_id(node: Node | None, hostname: str) -> int:
    """`pfhostid`; without one, a number of this node's own (a real pfSense takes its device id)."""
    text = node.text("pfhostid") if node else ""
    if node is None or not text:
        return crc32(hostname.encode()) or 1
    try:
        number = int(text, 16)
    except ValueError:
        number = 0
    if not 0 < number < 1 << 32:
        raise SettingsError(f"{node.path}/pfhostid", f"expected 1 to 8 hexadecimal digits, not zero, found {text!r}")
    return number


def _config_sync(root: Node) -> ConfigSync | None:
    node = root.child("hasync")
    if node is None or not node.text("synchronizetoip"):
        return None
    prefix = "synchronize"
    return ConfigSync(
        peer=node.text("synchronizetoip"),
        username=node.text("username") or "admin",
        password=node.text("password"),
        admin_too=bool(node.text("adminsync")),
        sections=tuple(
            each.tag.removeprefix(prefix)
            for each in node.all_children()
            if each.tag.startswith(prefix) and each.tag != "synchronizetoip" and each.value
        ),
    )


def _users(system: Node) -> tuple[User, ...]:
    return tuple(
        User(
            name=node.required("name"),
            uid=node.number("uid", 0, 1 << 31, 0),
            bcrypt_hash=node.text("bcrypt-hash"),
            privileges=tuple(each.value for each in node.children("priv")),
        )
        for node in system.children("user")
    )

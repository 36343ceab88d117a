"""What the master sends: the sections that `<hasync>` names, without `nosync` items, VIPs with a worse skew. Pure.

After src/etc/rc.filter_synchronize of 2.7.0.
"""

from __future__ import annotations

from copy import deepcopy

from standin.xmlrpc.php import Array, Value, array_at, arrays_in, at, text_at

SKEW_STEP = 100
HIGHEST = 254
"""A backup's advskew is the master's and 100 more, at most this; advbase is capped here too."""

NOSYNC = (
    ("nat", "outbound", "rule"),
    ("nat", "rule"),
    ("filter", "rule"),
    ("aliases", "alias"),
    ("dnsmasq", "hosts"),
    ("ipsec", "tunnel"),
)
"""Lists whose items may be marked `<nosync>`."""

# Toggle of <hasync> without its prefix "synchronize" -> sections it sends; those with "?" only where they are there.
TOGGLES: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("rules",), ("filter",)),
    (("nat",), ("nat",)),
    (("aliases",), ("aliases",)),
    (("dhcpd",), ("dhcpd?",)),
    (("dhcrelay",), ("dhcrelay?",)),
    (("dhcrelay6",), ("dhcrelay6?",)),
    (("wol",), ("wol",)),
    (("trafficshaper",), ("shaper",)),
    (("trafficshaperlimiter",), ("dnshaper",)),
    (("staticroutes",), ("staticroutes", "gateways")),
    (("virtualip",), ("virtualip",)),
    (("ipsec",), ("ipsec",)),
    (("openvpn",), ("openvpn",)),
    (("certs", "openvpn"), ("cert", "ca", "crl")),
    (("users",), ("user", "group")),
    (("authservers",), ("authserver",)),
    (("dnsforwarder",), ("dnsmasq?", "unbound?")),
    (("schedules", "rules"), ("schedules",)),
    (("captiveportal",), ("captiveportal", "voucher?")),
)
IN_SYSTEM = ("user", "group", "authserver")
NEXT_NUMBER = {"user": "nextuid", "group": "nextgid"}


def wanted(config: Array) -> list[str]:
    """Names of the sections that the toggles ask for, in pfSense's order."""
    hasync = array_at(config, "hasync")
    found: list[str] = []
    for toggles, sections in TOGGLES:
        if any(text_at(hasync, f"synchronize{toggle}") for toggle in toggles):
            for section in sections:
                name = section.removesuffix("?")
                if name == section or isinstance(config.get(name), dict):
                    found.append(name)
    return found


def to_send(config: Array) -> Array:
    """The one parameter of `restore_config_section`."""
    copy = deepcopy(config)
    for path in NOSYNC:
        _strip_nosync(copy, path)
    for key, scope in array_at(config, "dhcpd").items():
        own = at(config, "interfaces", str(key), "ipaddr")
        if text_at(scope, "failover_peerip") and own is not None:
            array_at(copy, "dhcpd", str(key))["failover_peerip"] = own
    sent: Array = {}
    for name in wanted(config):
        if name in IN_SYSTEM:
            system = sent.setdefault("system", {})
            assert isinstance(system, dict)
            system[name] = array_at(copy, "system", name)
            if name in NEXT_NUMBER:
                system[NEXT_NUMBER[name]] = text_at(copy, "system", NEXT_NUMBER[name])
        elif name == "virtualip":
            sent[name] = {"vip": virtual_ips(copy)}
        elif name == "staticroutes":
            sent[name] = array_at(copy, name) or {"route": {}}
        else:
            sent[name] = array_at(copy, name)
    if at(config, "hasync", "adminsync") is not None:
        sent["hasync"] = {"adminsync": text_at(config, "hasync", "adminsync")}
    return sent


def virtual_ips(config: Array) -> Array:
    """The VIPs as the other node shall have them; aliases of one interface alone stay here."""
    found: list[Value] = []
    for vip in arrays_in(array_at(config, "virtualip", "vip")):
        parent = text_at(vip, "interface")
        if text_at(vip, "mode") in ("proxyarp", "ipalias") and "_vip" not in parent and "lo0" not in parent:
            continue
        sent = dict(vip)
        if text_at(vip, "advskew"):
            sent["advskew"] = min(_number(text_at(vip, "advskew")) + SKEW_STEP, HIGHEST)
        if text_at(vip, "advbase"):
            sent["advbase"] = min(_number(text_at(vip, "advbase")), HIGHEST)
        found.append(sent)
    return dict(enumerate(found))


def _strip_nosync(config: Array, path: tuple[str, ...]) -> None:
    """As array_filter() does it: what stays keeps its number."""
    *parents, name = path
    holder = array_at(config, *parents)
    items = holder.get(name)
    if isinstance(items, dict):
        holder[name] = {
            key: item for key, item in items.items() if not (isinstance(item, dict) and item.get("nosync") is not None)
        }


def _number(text: str) -> int:
    """PHP's intval(): the digits in front, else 0."""
    digits = ""
    for character in text.strip():
        if not character.isdigit():
            break
        digits += character
    return int(digits or 0)

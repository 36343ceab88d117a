"""What the receiver makes of sections that were sent to it. Pure. After src/usr/local/www/xmlrpc.php of 2.7.0."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

from standin.xmlrpc.php import Array, Value, array_at, arrays_in, equal, key_of, text_at

COPIED = (
    "aliases",
    "ca",
    "cert",
    "crl",
    "dhcpd",
    "dhcrelay",
    "dhcrelay6",
    "dnshaper",
    "dnsmasq",
    "filter",
    "ipsec",
    "nat",
    "openvpn",
    "schedules",
    "shaper",
    "unbound",
    "wol",
)
"""Sections that are replaced as a whole, so that the last item of one can go."""

LOCAL_TO_PORTAL = ("enablebackwardsync", "backwardsyncip", "backwardsyncuser", "backwardsyncpassword")
FIRST_LOCAL_UID = 2000
"""Users below it (admin) are the node's own unless `adminsync` is on."""
ADMINS_GID = 1999
HIGHEST_ID = 65000

MERGED = "Merged in config ({sections} sections) from XMLRPC client."
ACCOUNTS = "Sync'd users and groups via XMLRPC"
ADDING, REMOVING = "Adding {what}: {name}", "Removing {what}: {name}"


@dataclass(frozen=True)
class Restored:
    """config: as it is to be stored. accounts: the same with users and groups as sent, None where they stay.

    said: what is logged about users and groups. virtual_ips: whether VIPs were sent.
    """

    config: Array
    description: str
    accounts: Array | None
    said: tuple[str, ...]
    virtual_ips: bool


def restore(config: Array, sections: Array) -> Restored:
    """`restore_config_section`: `config` with the sections of the master. Neither argument is changed."""
    config, sections = deepcopy(config), deepcopy(sections)
    copied = [name for name in COPIED if name in sections]
    for name in copied:
        config[name] = sections.pop(name)
    system = array_at(sections, "system")
    users, groups = system.pop("user", None), system.pop("group", None)
    if not (users and groups):
        system |= {key: value for key, value in (("user", users), ("group", groups)) if value is not None}
    _captive_portal(config, sections)
    own_vips = _own_addresses(config) if "virtualip" in sections else []
    config = merge_two_levels(config, sections)
    if own_vips:
        vips = array_at(config, "virtualip", "vip")
        array_at(config, "virtualip")["vip"] = dict(enumerate([*reversed(own_vips), *vips.values()]))
    description = MERGED.format(sections=", ".join([*map(str, sections), *copied]))
    accounts: Array | None = None
    said: tuple[str, ...] = ()
    if users and groups and isinstance(users, dict) and isinstance(groups, dict):
        admin_too = text_at(sections, "hasync", "adminsync") == "on"
        accounts, said = _accounts(config, users, groups, admin_too)
    return Restored(config, description, accounts, said, "virtualip" in sections)


def overlay(config: Array, given: Array) -> Array:
    """`merge_config_section`: only what is there already is changed."""
    result: Array = {}
    for key, value in config.items():
        new = given.get(key, value)
        result[key] = overlay(value, new) if isinstance(value, dict) and isinstance(new, dict) else new
    return result


def merge_two_levels(config: Array, given: Array) -> Array:
    """pfSense's array_merge_recursive_unique() of two arrays: members of a section are replaced, a level below is not merged.

    A section that is an empty array disappears from `config`, and takes nothing away when it is sent.
    """
    result: Array = {}
    for source in (config, given):
        for key, value in source.items():
            if not isinstance(value, dict):
                result[key] = value
                continue
            for inner_key, inner in value.items():
                there = result.get(key)
                if not isinstance(there, dict):
                    there = result[key] = {}
                there[inner_key] = inner
    return result


def _captive_portal(config: Array, sections: Array) -> None:
    """Copied as a whole; only its own HA settings stay this node's."""
    sent = sections.get("captiveportal")
    if not isinstance(sent, dict):
        return
    del sections["captiveportal"]
    local = array_at(config, "captiveportal")
    for zone in set(local) - set(sent):
        array_at(config, "voucher").pop(zone, None)
    for zone, portal in sent.items():
        if isinstance(portal, dict):
            for field in LOCAL_TO_PORTAL:
                portal.pop(field, None)
                own = array_at(local, str(zone)).get(field)
                if own is not None:
                    portal[field] = own
    config["captiveportal"] = sent


def _own_addresses(config: Array) -> list[Value]:
    """Aliases and proxy ARP addresses of one interface alone: the master does not send its own, we keep ours."""
    kept: list[Value] = []
    for vip in arrays_in(array_at(config, "virtualip", "vip")):
        mode, parent = text_at(vip, "mode"), text_at(vip, "interface")
        stacked, loopback = parent.startswith("_vip"), "lo0" in parent
        if mode == "carp" or (mode == "ipalias" and (stacked or loopback)):
            continue
        if (mode in ("ipalias", "proxyarp") and not stacked) or loopback:
            kept.append(vip)
    return kept


def _accounts(config: Array, users: Array, groups: Array, admin_too: bool) -> tuple[Array | None, tuple[str, ...]]:
    """The configuration with the master's users and groups; None where nothing differs."""
    own_users, own_groups = (
        arrays_in(array_at(config, "system", "user")),
        arrays_in(array_at(config, "system", "group")),
    )
    add_users, del_users = _difference(
        own_users, arrays_in(users), lambda user: _number(user, "uid") < FIRST_LOCAL_UID and not admin_too
    )
    add_groups, del_groups = _difference(
        own_groups, arrays_in(groups), lambda group: _number(group, "gid") < ADMINS_GID
    )
    if not (add_users or del_users or add_groups or del_groups):
        return None, ()
    said: list[str] = []
    for user in del_users:
        uid = _number(user, "uid")
        # An account of the system itself goes only where it comes back.
        returns = any(text_at(each, "name") == text_at(user, "name") for each in add_users)
        if uid > HIGHEST_ID or (uid < FIRST_LOCAL_UID and not returns):
            continue
        own_users = _without(own_users, user)
        said.append(REMOVING.format(what="user", name=text_at(user, "name")))
    for group in del_groups:
        if not ADMINS_GID <= _number(group, "gid") <= HIGHEST_ID:
            continue
        own_groups = _without(own_groups, group)
        said.append(REMOVING.format(what="group", name=text_at(group, "name")))
    said += [ADDING.format(what="user", name=text_at(each, "name")) for each in add_users]
    said += [ADDING.format(what="group", name=text_at(each, "name")) for each in add_groups]
    result = deepcopy(config)
    system = result.setdefault("system", {})
    assert isinstance(system, dict)
    system["user"], system["group"] = _sorted([*own_users, *add_users]), _sorted([*own_groups, *add_groups])
    return result, tuple(said)


def _difference(own: list[Array], sent: list[Array], stays: Callable[[Array], bool]) -> tuple[list[Array], list[Array]]:
    """What to add and what to take away, so that `own` becomes `sent`. stays: of a sent one, that ours is kept as it is."""
    by_name = {text_at(each, "name"): each for each in reversed(own)}
    add, remove, kept = [], [], []
    for each in sent:
        mine = by_name.get(text_at(each, "name"))
        if mine is None:
            add.append(each)
        elif stays(each) or equal(each, mine):
            kept.append(id(mine))
        else:
            add.append(each)
            remove.append(each)
            kept.append(id(mine))
    return add, [*remove, *(each for each in own if id(each) not in kept)]


def _without(accounts: list[Array], gone: Array) -> list[Array]:
    return [each for each in accounts if text_at(each, "name") != text_at(gone, "name")]


def _sorted(accounts: list[Array]) -> Array:
    return dict(enumerate(sorted(accounts, key=lambda each: text_at(each, "name"))))


def _number(account: Array, field: str) -> int:
    value = key_of(text_at(account, field))
    return value if isinstance(value, int) else 0

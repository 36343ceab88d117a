"""`<version>`, `<system>` and `<revision>`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lab.config.check.defect import Defect
from lab.config.check.node import Config, Node
from lab.config.check.values import ADDRESS, NO_ADDRESS, is_address, listed, number, repeated, word

LATEST = "22.9"
"""latest_config of 2.7.0 (src/etc/inc/globals.inc)."""

NO_VERSION = "is no configuration version"
TOO_NEW = "is newer than pfSense 2.7.0 knows"
HINT_TOO_NEW = "2.7.0 warns at every boot and cannot go back; an older number is upgraded step by step"
VERSION = "a number such as 22.9"
NO_HOSTNAME = "is no host name"
HOSTNAME = "letters, digits, hyphens and underscores, 63 at most"
NO_HASH = "has no password that pfSense could check"
HASHES = "one of bcrypt-hash, sha512-hash"
BAD_HASH = "is no bcrypt hash"
BCRYPT = "$2b$ or $2y$, two digits, $, and 53 characters"
TAKEN = "is taken twice"
FREE = "a value of its own"
FIRST = "also in line {line}"
UNKNOWN_USER = "is the number of no user"
NO_ADMIN = "has no user with uid 0"
ADMIN = "the administrator"
HINT_ADMIN = "nobody could log in, and the other node's configuration sync neither"
NEXT_TAKEN = "is the number of an account that exists"
SPEEDS = ("115200", "57600", "38400", "19200", "14400", "9600")
CONSOLES = ("serial", "video")
PROTOCOLS = ("http", "https")

UNKNOWN_GATEWAY = "is no gateway"
UNKNOWN_CERTIFICATE = "is no certificate of this file"
OPTIMIZATIONS = ("normal", "high-latency", "aggressive", "conservative")

_DNS_GATEWAY = re.compile(r"^dns\d+gw$")
_VERSION = re.compile(r"^\d{1,3}(\.\d{1,2})?$")
_HOSTNAME = re.compile(r"^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$")
_BCRYPT = re.compile(r"^\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}$")


def version(config: Config) -> Iterator[Defect]:
    """Known, and not from a later release."""
    node = config.root.child("version")
    if node is None or not node.value:
        yield config.root.lacks("version", VERSION)
    elif not _VERSION.match(node.value):
        yield node.defect(NO_VERSION, VERSION)
    elif float(node.value) > float(LATEST):
        yield node.defect(TOO_NEW, f"{LATEST} at most", hint=HINT_TOO_NEW)


def identity(config: Config) -> Iterator[Defect]:
    """Host name, domain, name servers."""
    section = config.root.child("system")
    if section is None:
        return
    name = section.child("hostname")
    if name is None or not name.value:
        yield section.lacks("hostname", HOSTNAME)
    elif not _HOSTNAME.match(name.value):
        yield name.defect(NO_HOSTNAME, HOSTNAME)
    if not section.text("domain"):
        yield section.lacks("domain", "a domain such as home.arpa")
    for server in section.children("dnsserver"):
        if server.value and not is_address(server.value):
            yield server.defect(NO_ADDRESS, ADDRESS)
    for node in section.nodes:
        if _DNS_GATEWAY.match(node.tag) and node.value not in ("", "none", *config.gateways):
            yield node.defect(UNKNOWN_GATEWAY, listed(sorted(config.gateways)))
    yield from word(section, "optimization", OPTIMIZATIONS)


def users(config: Config) -> Iterator[Defect]:
    """Names and numbers of their own, a hash that can be checked, and an administrator."""
    section = config.root.child("system")
    found = section.children("user") if section else []
    for user in found:
        if not user.text("name"):
            yield user.lacks("name")
        yield from number(user, "uid", 0, (1 << 31) - 1, required=True)
        yield from _hash(user)
    for tag in ("name", "uid"):
        for later, first in repeated(found, tag):
            yield later.defect(TAKEN, FREE, f"{later.value}, {FIRST.format(line=first.line)}")
    if section and not any(user.text("uid") == "0" for user in found):
        yield Defect(f"{section.path}/user", section.line, NO_ADMIN, ADMIN, hint=HINT_ADMIN)


def groups(config: Config) -> Iterator[Defect]:
    """Numbers of their own, and members that exist."""
    section = config.root.child("system")
    if section is None:
        return
    found = section.children("group")
    accounts = {user.text("uid") for user in section.children("user")}
    for group in found:
        if not group.text("name"):
            yield group.lacks("name")
        yield from number(group, "gid", 0, (1 << 31) - 1, required=True)
        for member in group.children("member"):
            if member.value and member.value not in accounts:
                yield member.defect(UNKNOWN_USER, listed(sorted(accounts)))
    for tag in ("name", "gid"):
        for later, first in repeated(found, tag):
            yield later.defect(TAKEN, FREE, f"{later.value}, {FIRST.format(line=first.line)}")
    for tag, taken in (("nextuid", accounts), ("nextgid", {group.text("gid") for group in found})):
        following = section.child(tag)
        yield from number(section, tag, 1, (1 << 31) - 1)
        if following and following.value in taken:
            yield following.defect(NEXT_TAKEN, FREE)


def consoles(config: Config) -> Iterator[Defect]:
    """The ways in: serial console, web interface, ssh."""
    section = config.root.child("system")
    if section is None:
        return
    yield from word(section, "serialspeed", SPEEDS)
    yield from word(section, "primaryconsole", CONSOLES)
    webgui, ssh = section.child("webgui"), section.child("ssh")
    if webgui:
        yield from word(webgui, "protocol", PROTOCOLS)
        yield from number(webgui, "port", 1, 65535)
        certificate = webgui.child("ssl-certref")
        known = {node.text("refid") for node in config.root.children("cert")}
        if certificate and certificate.value and certificate.value not in known:
            yield certificate.defect(UNKNOWN_CERTIFICATE, listed(sorted(known)))
    if ssh:
        yield from number(ssh, "port", 1, 65535)


def revision(config: Config) -> Iterator[Defect]:
    """`<time>` names the backups: seconds since the epoch, which older releases wrote with a fraction."""
    section = config.root.child("revision")
    if section is None:
        return
    time = section.child("time")
    if time and not re.match(r"^\d+(\.\d+)?$", time.value):
        yield time.defect("is no time", "seconds since the epoch")


def _hash(user: Node) -> Iterator[Defect]:
    known = ("bcrypt-hash", "sha512-hash", "md5-hash", "password")
    if not any(user.text(tag) for tag in known):
        yield Defect(f"{user.path}/bcrypt-hash", user.line, NO_HASH, HASHES)
    bcrypt = user.child("bcrypt-hash")
    if bcrypt and bcrypt.value and not _BCRYPT.match(bcrypt.value):
        # A hash of something else may be a password: it is not shown.
        yield bcrypt.defect(BAD_HASH, BCRYPT, f"{len(bcrypt.value)} characters")

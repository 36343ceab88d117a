"""How pfSense 2.7.0 puts a value into config.xml, and how it gets it out again (src/etc/inc/xmlparse.inc).

Out: htmlentities(), which names every character HTML 4.01 has a name for; a CDATA section around fields of free text.
In:  the XML parser resolves XML's own five entities, then every piece goes through html_entity_decode(), in CDATA too.
A piece is what stands between two entities or CDATA sections; tabs and line ends at its ends are dropped.
"""

from __future__ import annotations

import re
from functools import cache

_LIST_TAGS = """
    acls alias aliasurl allowedhostname allowedip authserver bridged build_port_path ca cacert cert
    checkipservice clone columnitem config container crl depends_on_package disk dnsserver dnsupdate
    domainoverrides dyndns earlyshellcmd element encryption-algorithm-option field fieldname gateway_group
    gateway_item gif gre group hash-algorithm-option hosts ifgroupentry igmpentry interface_array item key
    l7rules lagg lbaction lbpool lbprotocol member menu mobilekey monitor_type mount npt ntpserver onetoone
    openvpn-client openvpn-csc openvpn-server option package pages passthrumac phase1 phase2 pipe pool ppp pppoe
    priv proxyarpnet qinqentry queue radnsserver roll route row rrddatafile rule schedule servernat servers
    serversdisabled service shellcmd sshkeyfile staticmap subqueue switch swport tab timerange tunnel user vip
    virtual_server vlan vlangroup voucherdbfile vxlan wgpeer widget winsserver wolentry xmldatafile
"""
LIST_TAGS = frozenset(_LIST_TAGS.split())
"""Tags that may repeat, wherever they stand (listtags). Any other that repeats makes pfSense refuse the whole file."""

CDATA_PREFIXES = (
    "aclname",
    "auth_pass",
    "auth_prompt",
    "auth_user",
    "certca",
    "certname",
    "city",
    "common_name",
    "descr",
    "detail",
    "email",
    "encryption_password",
    "hint",
    "ldap_attr",
    "ldap_authcn",
    "ldap_basedn",
    "ldap_basedomain",
    "ldap_bind",
    "ldap_extended_query",
    "ldap_filter",
    "ldap_pam_groupdn",
    "ldap_pass",
    "ldap_user",
    "ldapbinddn",
    "ldapbindpass",
    "login_banner",
    "organization",
    "password",
    "rangedescr",
    "state",
    "text",
    "username",
    "varuserspassword",
    "varusersusername",
)
"""Tags that start with one of these hold CDATA (is_cdata_entity)."""

_QUOTES = {'"': "&quot;", "'": "&#039;"}
_PLAIN_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"} | _QUOTES
_XML_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_ENTITY = re.compile(r"&(?:#([0-9]+)|#[xX]([0-9a-fA-F]+)|([A-Za-z][A-Za-z0-9]*));")
_PIECE = re.compile(
    r"<!\[CDATA\[(?P<cdata>.*?)\]\]>|<!--.*?-->|<\?.*?\?>|&(?P<entity>#?\w+);|(?P<text>[^<&]+)", re.DOTALL
)
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_TRIMMED = "\t\n\r"


def is_cdata(tag: str) -> bool:
    """Whether pfSense writes this tag's value as CDATA."""
    return tag.startswith(CDATA_PREFIXES)


def encode(value: str) -> str:
    """A value as htmlentities() leaves it, inside CDATA."""
    if value.isascii():
        return encode_plain(value)
    escapes = _escapes()
    return "".join(escapes.get(character, character) for character in value)


def encode_plain(value: str) -> str:
    """The same outside CDATA, but for letters that only HTML has a name for.

    pfSense writes `&eacute;` there too, and then cannot read its own file: XML knows no such entity. They stay letters.
    """
    return "".join(_PLAIN_ESCAPES.get(character, character) for character in value)


def element_text(tag: str, value: str) -> str:
    """What stands between `<tag>` and `</tag>` for a value."""
    if value and is_cdata(tag):
        return f"<![CDATA[{encode(value)}]]>"
    return encode_plain(value)


def decode(text: str) -> str:
    """html_entity_decode() with its default flags: HTML 4.01, and nothing without its semicolon."""
    return _ENTITY.sub(_resolved, text) if "&" in text else text


def value_of(raw: str) -> str:
    """The value that pfSense gets from what stands between two tags, elements excepted."""
    kept: list[str] = []
    for piece in (piece.strip(_TRIMMED) for match in _PIECE.finditer(raw) for piece in _pieces(match)):
        # Blanks alone begin no value; once there is one, they belong to it.
        if piece and (kept or piece.strip(" ")):
            kept.append(decode(piece))
    return "".join(kept)


def _pieces(match: re.Match[str]) -> list[str]:
    """What libxml2 hands over one by one: plain text is also cut at line ends of DOS and at the first letter beyond ASCII."""
    if (entity := match["entity"]) is not None:
        return [_xml_entity(entity)]
    if (cdata := match["cdata"]) is not None:
        return [cdata]
    text = match["text"] or ""
    beyond = _BEYOND_ASCII.search(text)
    at = beyond.start() if beyond else len(text)
    return [*text[:at].split("\r"), _one_line_end(text[at:])]


def _one_line_end(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _xml_entity(name: str) -> str:
    if name.startswith("#"):
        return chr(int(name[2:], 16) if name[1] in "xX" else int(name[1:]))
    return _XML_ENTITIES.get(name, f"&{name};")


@cache
def _escapes() -> dict[str, str]:
    """Every letter that HTML 4.01 has a name for. Loaded only where a text needs it: a guest boots without."""
    from html.entities import codepoint2name

    return {chr(code): f"&{name};" for code, name in codepoint2name.items()} | _QUOTES


def _named(name: str) -> str:
    """The letter of a name, "" for none."""
    if name in _XML_ENTITIES and name != "apos":
        return _XML_ENTITIES[name]
    from html.entities import name2codepoint

    return chr(name2codepoint[name]) if name in name2codepoint else ""


def _resolved(match: re.Match[str]) -> str:
    decimal, hexadecimal, name = match.groups()
    if name:
        return _named(name) or match[0]
    code = int(decimal) if decimal else int(hexadecimal, 16)
    allowed = code in (9, 10, 13) or 0x20 <= code <= 0x7E or 0xA0 <= code <= 0xD7FF or 0xE000 <= code <= 0x10FFFF
    return chr(code) if allowed else match[0]

"""Field errors (pydantic's) in the words of a topology file."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from enum import StrEnum
from ipaddress import IPv4Network
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from lab.topology.findings import Finding
from lab.topology.model import CARP_PASSWORD_LIMIT, Topology
from lab.topology.source import Path, Source, dotted

MISSING = "missing"
UNKNOWN_KEY = "unknown key"
NO_VALUE = "no value"
BAD_NAME = "not a usable name"
BAD_TEXT = "not a usable text"
OUT_OF_RANGE = "out of range"
NOT_ALLOWED = "not one of the allowed values"
WRONG_TYPE = "the wrong kind of value"
BAD_ADDRESS = "not an IPv4 address"
BAD_SUBNET = "not an IPv4 subnet"
BAD_PASSWORD = "not a usable CARP password"

DID_YOU_MEAN = "did you mean `{word}`?"
ONE_OF = "one of: {words}"
RANGE = "a whole number from {low} to {high}"
A_NUMBER = "a whole number"
TRUE_OR_FALSE = "true or false"
TEXT = "text"
LINE = "one line of text, 200 characters at most"
MAPPING = "a mapping (key: value)"
LIST = "a list (- item)"
ADDRESS = "an address, as 172.17.1.254"
SUBNET = "a subnet, as 172.17.1.0/24"
PASSWORD = f"1 to {CARP_PASSWORD_LIMIT} printable characters without blanks"
NAME = "lower case letters and digits, a letter first"
NAME_DASH = "lower case letters, digits and dashes, a letter first"
HOST_NAME = "letters, digits and dashes, 63 at most"
DOMAIN = "lower case letters, digits, dots and dashes"

HINT_HOST_BITS = "the subnet of this address is {subnet}"
HINT_PASSWORD = "FreeBSD's ifconfig keeps only the first 19 characters: a longer one would not be the one you typed"
HINT_INDENT = "indent what belongs to it, or remove the key"

SEEN_NOTHING = "nothing"
SEEN_MAPPING = "a mapping: {words}"
SEEN_LIST = "a list of {count}"
SEEN_LENGTH = "{count} characters"
SEEN_LIMIT = 60

# Which names a path's pattern is about: the last word, or the word before a name of the user's.
NAMES_BY_FIELD = {"title": LINE, "descr": LINE, "hostname": HOST_NAME, "domain": DOMAIN, "name": NAME_DASH}
NAMES_BY_SECTION = {"networks": f"{NAME}, 12 at most", "firewalls": f"{NAME_DASH}, 15 at most"}
NAMES_BY_SECTION["machines"] = NAMES_BY_SECTION["firewalls"]
NETWORK_FIELDS = ("network", "on")

LOW_HIGH = {"advskew": (0, 254), "advbase": (1, 254), "vhid": (1, 255), "port": (1, 65535)}


def explain(error: ValidationError, source: Source) -> Iterator[Finding]:
    """One finding per field error, without those that only follow from another finding."""
    items = error.errors(include_url=False)
    misspelt = {_meant(tuple(item["loc"])) for item in items if item["type"] == "extra_forbidden"}
    unread = {finding.where for finding in source.findings}
    for item in items:
        path: Path = tuple(part for part in item["loc"] if part != "[key]")
        is_key = "[key]" in item["loc"]
        if (item["type"] == "missing" and path in misspelt) or dotted(path) in unread:
            continue
        summary, expected, hint = _say(item["type"], path, item, is_key)
        if is_key or item["type"] == "extra_forbidden":
            yield Finding(source.file, source.key_line(path), dotted(path), summary, expected, "", hint)
        else:
            seen = "" if item["type"] == "missing" else _show(path, item["input"])
            yield Finding(source.file, source.line(path), dotted(path), summary, expected, seen, hint)


def _say(kind: str, path: Path, item: Any, is_key: bool) -> tuple[str, str, str]:
    """(summary, expected, hint)."""
    name = str(path[-1]) if path else ""
    if kind == "missing":
        return MISSING, _expected_field(path), ""
    if kind == "extra_forbidden":
        known = sorted(_fields_at(path[:-1]))
        return UNKNOWN_KEY, ONE_OF.format(words=", ".join(known)), did_you_mean(name, known)
    if item["input"] is None and not is_key:
        return NO_VALUE, _expected_field(path), HINT_INDENT
    if name == "password" and kind.startswith("string"):
        return BAD_PASSWORD, PASSWORD, HINT_PASSWORD if kind == "string_too_long" else ""
    if kind in ("string_pattern_mismatch", "string_too_long", "string_too_short"):
        expected = _expected_name(path, is_key)
        return BAD_TEXT if expected is LINE else BAD_NAME, expected, ""
    if kind in ("literal_error", "enum"):
        words = _choices(path)
        return NOT_ALLOWED, ONE_OF.format(words=", ".join(words)), did_you_mean(str(item["input"]), words)
    if kind in ("greater_than_equal", "less_than_equal"):
        return OUT_OF_RANGE, _expected_field(path), ""
    if kind.startswith("ip_v4_network"):
        return BAD_SUBNET, SUBNET, _host_bits_hint(item["input"])
    if kind.startswith("ip_v4_address"):
        return BAD_ADDRESS, ADDRESS, ""
    return WRONG_TYPE, _expected_field(path), ""


def did_you_mean(word: str, known: list[str]) -> str:
    """A hint, or "" where nothing is near."""
    near = _nearest(word, known)
    return DID_YOU_MEAN.format(word=near) if near else ""


def _nearest(word: str, known: list[str]) -> str:
    return next(iter(difflib.get_close_matches(word, known, n=1, cutoff=0.6)), "")


def _meant(path: Path) -> Path:
    """The field an unknown key was probably meant to be."""
    return (*path[:-1], _nearest(str(path[-1]), sorted(_fields_at(path[:-1]))))


def _expected_name(path: Path, is_key: bool) -> str:
    name = str(path[-1])
    if is_key and len(path) > 1:
        return NAMES_BY_SECTION.get(str(path[-2]), NAMES_BY_SECTION["networks"])
    if name in NETWORK_FIELDS:
        return NAMES_BY_SECTION["networks"]
    return NAMES_BY_FIELD.get(name, LINE)


def _expected_field(path: Path) -> str:
    """In words, from the field's type."""
    name = str(path[-1]) if path else ""
    if name in LOW_HIGH:
        low, high = LOW_HIGH[name]
        return RANGE.format(low=low, high=high)
    annotation = _annotation_at(path)
    text = str(annotation)
    if "IPv4Network" in text and get_origin(annotation) is not dict:
        return SUBNET
    if get_origin(annotation) is tuple:
        return LIST
    if get_origin(annotation) is dict or (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return MAPPING
    if "IPv4Address" in text:
        return ADDRESS
    if annotation is bool:
        return TRUE_OR_FALSE
    if annotation is int:
        return A_NUMBER
    if choices := _choices(path):
        return ONE_OF.format(words=", ".join(choices))
    return TEXT


def _choices(path: Path) -> list[str]:
    annotation = _annotation_at(path)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return [member.value for member in annotation]
    return [word for word in get_args(annotation) if isinstance(word, str)]


def _annotation_at(path: Path) -> Any:
    """Type of the field at a path in the model; None where the model has none."""
    here: Any = Topology
    for part in path:
        here = _strip(here)
        if get_origin(here) is dict:
            here = get_args(here)[1]
        elif get_origin(here) is tuple:
            here = get_args(here)[0]
        elif isinstance(here, type) and issubclass(here, BaseModel):
            field = next((info for key, info in here.model_fields.items() if part in (key, info.alias)), None)
            here = field.annotation if field else None
        else:
            return None
    return _strip(here)


def _strip(annotation: Any) -> Any:
    """`Annotated[X, ...]` -> X, `X | None` -> X."""
    while hasattr(annotation, "__metadata__"):
        annotation = get_args(annotation)[0]
    options = [option for option in get_args(annotation) if option is not type(None)]
    if type(None) in get_args(annotation) and len(options) == 1:
        return _strip(options[0])
    return annotation


def _fields_at(path: Path) -> set[str]:
    model = _annotation_at(path)
    if isinstance(model, type) and issubclass(model, BaseModel):
        return {info.alias or key for key, info in model.model_fields.items()}
    return set()


def _host_bits_hint(value: Any) -> str:
    try:
        subnet = IPv4Network(str(value), strict=False)
    except ValueError:
        return ""
    return HINT_HOST_BITS.format(subnet=subnet)


def _show(path: Path, value: Any) -> str:
    """A value as the file has it, cut to a line; of a password the length alone."""
    if value is None:
        return SEEN_NOTHING
    if isinstance(value, dict):
        return SEEN_MAPPING.format(words=", ".join(map(str, value)))[:SEEN_LIMIT]
    if isinstance(value, list):
        return SEEN_LIST.format(count=len(value))
    if path[-1:] == ("password",):
        return SEEN_LENGTH.format(count=len(str(value)))
    text = " ".join(str(value).split()) or SEEN_NOTHING
    return text if len(text) <= SEEN_LIMIT else f"{text[: SEEN_LIMIT - 1]}…"

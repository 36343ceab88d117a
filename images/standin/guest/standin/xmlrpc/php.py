"""PHP's arrays, as far as pfSense's configuration goes: ordered, with numbers and strings as keys."""

from __future__ import annotations

Scalar = str | int | float | bool
Array = dict["int | str", "Value"]
Value = Scalar | Array


def key_of(name: str) -> int | str:
    """A string as PHP uses it for a key: a decimal number without leading zeros becomes a number."""
    digits = name.removeprefix("-")
    plain = digits.isascii() and digits.isdigit() and (digits == "0" or digits[0] != "0") and name != "-0"
    return int(name) if plain else name


def is_list(array: Array) -> bool:
    """Whether XML_RPC2 sends it as an array: keys that count up from 0 or 1; an empty one too."""
    keys = list(array)
    return not keys or any(keys == list(range(first, first + len(keys))) for first in (0, 1))


def listed(items: list[Value]) -> Array:
    return dict(enumerate(items))


def at(array: Value | None, *path: str) -> Value | None:
    """What stands at a path, None where nothing does."""
    found: Value | None = array
    for key in path:
        found = found.get(key_of(key)) if isinstance(found, dict) else None
    return found


def array_at(array: Value | None, *path: str) -> Array:
    """The array at a path; an empty one where there is none (pfSense's config_get_path(…, []))."""
    found = at(array, *path)
    return found if isinstance(found, dict) else {}


def text_at(array: Value | None, *path: str) -> str:
    """The text at a path, "" where there is none."""
    found = at(array, *path)
    return "" if found is None or isinstance(found, dict) else text_of(found)


def arrays_in(array: Array) -> list[Array]:
    """The members that are arrays themselves, in order."""
    return [each for each in array.values() if isinstance(each, dict)]


def text_of(value: Scalar) -> str:
    """A scalar as PHP turns it into a string."""
    if isinstance(value, bool):
        return "1" if value else ""
    return str(value)


def equal(one: Value | None, other: Value | None) -> bool:
    """PHP's `==`: the order of keys does not count, and 100 is "100"."""
    if isinstance(one, dict) or isinstance(other, dict):
        return (
            isinstance(one, dict)
            and isinstance(other, dict)
            and one.keys() == other.keys()
            and all(equal(value, other[key]) for key, value in one.items())
        )
    if one is None or other is None:
        return one is other
    left, right = text_of(one), text_of(other)
    return left == right or (left.isdigit() and right.isdigit() and int(left) == int(right))

"""Checking a user of config.xml: bcrypt and SHA-512 hashes by the system's own crypt(3)."""

from __future__ import annotations

import ctypes
from hmac import compare_digest

from standin.xmlrpc.php import Array, array_at, arrays_in, at, text_at

LIBRARY = "libcrypt.so.1"
HASHES = ("bcrypt-hash", "sha512-hash")
SYNC_PRIVILEGE = "system-xmlrpc-ha-sync"


def find_user(config: Array, name: str) -> Array | None:
    users = arrays_in(array_at(config, "system", "user"))
    return next((each for each in users if name and text_at(each, "name") == name), None)


def authenticate(config: Array, name: str, password: str) -> Array | None:
    """The user, when name and password are right and the account is not disabled."""
    user = find_user(config, name)
    if user is None or not password or at(user, "disabled") is not None:
        return None
    hashes = (text_at(user, field) for field in HASHES)
    return user if any(each and matches(password, each) for each in hashes) else None


def matches(password: str, stored: str) -> bool:
    """Whether `stored`, a hash in crypt's format, is of this password."""
    crypt = ctypes.CDLL(LIBRARY).crypt
    crypt.restype = ctypes.c_char_p
    made = crypt(password.encode(), stored.encode())
    return made is not None and not made.startswith(b"*") and compare_digest(made, stored.encode())


def may_sync(config: Array, user: Array) -> bool:
    """admin (uid 0), or a user with the privilege."""
    return may(config, user, (SYNC_PRIVILEGE,))


def may(config: Array, user: Array, wanted: tuple[str, ...]) -> bool:
    """Whether a user is admin (uid 0) or has one of these privileges, of its own or through a group."""
    if text_at(user, "uid") == "0":
        return True
    privileges = list(array_at(user, "priv").values())
    for group in arrays_in(array_at(config, "system", "group")):
        if text_at(user, "uid") in map(str, array_at(group, "member").values()):
            privileges += array_at(group, "priv").values()
    return any(each in privileges for each in wanted)

"""The passwords of one lab: made once, kept in a file only its owner can read."""

from __future__ import annotations

import json
import os
import secrets
import string
from pathlib import Path

from lab.topology.model import CARP_GENERATED, Topology
from lab.topology.secrets import Secrets

LENGTH = 16
ALPHABET = string.ascii_letters + string.digits
BCRYPT_COST = 10
"""pfSense's own: PHP's PASSWORD_BCRYPT default."""


def passwords_of(path: Path, topology: Topology) -> Secrets:
    """The lab's passwords; made and written (0600) on the first call."""
    if path.exists():
        return Secrets(**json.loads(path.read_text()))
    made = _make(topology)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump({"admin": made.admin, "admin_bcrypt": made.admin_bcrypt, "carp": made.carp}, file)
    beside.rename(path)
    return made


def _make(topology: Topology) -> Secrets:
    import bcrypt

    admin = _word()
    digest = bcrypt.hashpw(admin.encode(), bcrypt.gensalt(BCRYPT_COST)).decode()
    carp = topology.carp.password
    return Secrets(admin=admin, admin_bcrypt=digest, carp=_word() if carp == CARP_GENERATED else carp)


def _word() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))

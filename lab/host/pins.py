"""Certificates of a lab's firewalls, pinned: each makes its own, and it may not become another one unnoticed."""

from __future__ import annotations

import fcntl
import json
import os
from hashlib import sha256
from pathlib import Path

from lab.errors import LabError

CHANGED = "The certificate of {node} is another one than before"
CURE = "where the machine was made anew, remove its line from {path}; else somebody stands between"


class Pins:
    """path: one JSON object, node -> SHA-256 of its certificate. The first certificate seen is the one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def check(self, node: str, certificate: bytes) -> None:
        """certificate: DER. Raises LabError where it is not the one of the first time."""
        seen = sha256(certificate).hexdigest()
        with os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            known: dict[str, str] = json.loads(file.read() or "{}")
            if known.get(node) == seen:
                return
            if node in known:
                cure = CURE.format(path=self._path)
                raise LabError(CHANGED.format(node=node), expected=known[node], seen=seen, cure=cure)
            file.seek(0)
            file.truncate()
            json.dump({**known, node: seen}, file, indent=1)

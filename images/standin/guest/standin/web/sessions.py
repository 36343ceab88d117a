"""Logins of the web interface: a random word in a cookie here, a file of its hash there."""

from __future__ import annotations

import os
import time
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path

COOKIE = "PHPSESSID"
LIFE_SECONDS = 4 * 3600
"""pfSense's session_timeout: 240 minutes."""


class Sessions:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, user: str) -> str:
        """A new login; the word for its cookie. Logins that are over are cleared away."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in self._folder.iterdir():
            if self._over(old):
                old.unlink(missing_ok=True)
        word = os.urandom(24).hex()
        self._file(word).write_text(user)
        return word

    def user(self, word: str) -> str:
        """Who is logged in with this word, "" for nobody. A use prolongs it."""
        path = self._file(word)
        if not word or not path.is_file() or self._over(path):
            return ""
        os.utime(path)
        return path.read_text()

    def close(self, word: str) -> None:
        self._file(word).unlink(missing_ok=True)

    def form_word(self, word: str) -> str:
        """What a form of this login must bring along: another page cannot know it."""
        return sha256(f"form {word}".encode()).hexdigest()

    def is_form_of(self, word: str, given: str) -> bool:
        return compare_digest(self.form_word(word).encode(), given.encode())

    def _file(self, word: str) -> Path:
        return self._folder / sha256(word.encode()).hexdigest()

    @staticmethod
    def _over(path: Path) -> bool:
        return time.time() - path.stat().st_mtime > LIFE_SECONDS

"""The passwords of one lab. Made per lab, never shown: the repr hides them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Secrets:
    """admin: the web and console administrator. admin_bcrypt: its hash as config.xml stores it. carp: the shared CARP password."""

    admin: str = field(repr=False)
    admin_bcrypt: str = field(repr=False)
    carp: str = field(repr=False)

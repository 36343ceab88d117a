"""The administrator a stand-in starts with."""

from __future__ import annotations

DEFAULT_PASSWORD = "standin"
# bcrypt of the above, made once: the guest has no bcrypt.
DEFAULT_HASH = "$2b$10$Z/iG8HaR5QsFiUDDL4SZxe3sRUsyB5ors1eN5oLL7qvTlDN.wDYQa"

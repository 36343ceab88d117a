"""The document's chapters, in order: how far a lab is configured."""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """BARE: installed, interfaces only. VIPS: CARP addresses. PFSYNC: state sync. XMLRPC: configuration sync. RULES: complete."""

    BARE = "bare"
    VIPS = "vips"
    PFSYNC = "pfsync"
    XMLRPC = "xmlrpc"
    RULES = "rules"

    def reaches(self, other: Stage) -> bool:
        """Whether this stage includes what `other` adds."""
        order = list(Stage)
        return order.index(self) >= order.index(other)

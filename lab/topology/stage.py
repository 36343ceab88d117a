"""The document's chapters, in order: how far a lab is configured."""

from __future__ import annotations

from enum import StrEnum

from lab.errors import LabError

UNKNOWN_STAGE = "There is no stage called {word}"


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


def parse_stage(word: str) -> Stage:
    """A stage from what a person typed. Raises LabError with the words there are."""
    try:
        return Stage(word)
    except ValueError:
        known = ", ".join(stage.value for stage in Stage)
        raise LabError(UNKNOWN_STAGE.format(word=word), expected=known, seen=word) from None

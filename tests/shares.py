"""How the tests of a run that has several workers are dealt out."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

TOGETHER = (
    "tests/wire/host/",  # looks at the namespaces and mounts of the whole computer
    "tests/wire/test_carp_law.py",  # these make something once, for all their tests
    "tests/wire/test_standin_boot.py",
    "tests/wire/test_standin_ruleset.py",
)
"""Tests below each of these go to one worker, one after the other."""


class Shares(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Single tests to whoever is free, but for those that belong together."""

    def _split_scope(self, nodeid: str) -> str:
        return next((scope for scope in TOGETHER if nodeid.startswith(scope)), nodeid)

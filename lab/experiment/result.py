"""The result of one look at a lab. JSON: dataclasses.asdict."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CheckResult:
    """id: stable, `group:detail`. seconds: how long it took, 0.0 where it was one of many in one go."""

    id: str
    what: str
    expected: str
    seen: str
    ok: bool
    seconds: float = 0.0

"""The engine speaks English. For another language its sentences are found again by their templates, and said anew."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from string import Formatter

NUMBER = re.compile(r"(?<![\d.])([+-]?\d+)\.(\d+)(?![\d.])")
"""A decimal fraction; an address has more dots."""

SINGLE = "single"
"""A field whose name begins with this is one word."""


@dataclass(frozen=True)
class Translator:
    """phrases: English template -> template in the other language, with the same fields. decimal: the mark in 1.5.

    What no template knows stays as it is: English on a French page is better than nothing.
    """

    phrases: Mapping[str, str]
    decimal: str = "."

    def __call__(self, text: str) -> str:
        for pattern, template in self._patterns:
            if found := pattern.fullmatch(text):
                return template.format(**{name: self(value) for name, value in found.groupdict().items()})
        return NUMBER.sub(rf"\1{self.decimal}\2", text)

    def knows(self, text: str) -> bool:
        return any(pattern.fullmatch(text) for pattern, _ in self._patterns)

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        ordered = sorted(self.phrases.items(), key=lambda pair: -_said(pair[0]))
        return [(re.compile(_pattern(english), re.DOTALL), other) for english, other in ordered]


def _said(template: str) -> int:
    """How many characters it has besides its fields: the most particular goes first."""
    return sum(len(text) for text, _, _, _ in Formatter().parse(template))


def _pattern(template: str) -> str:
    parts: list[str] = []
    seen: set[str] = set()
    for text, name, _, _ in Formatter().parse(template):
        parts.append(re.escape(text))
        if name is not None:
            what = r"\S+" if name.startswith(SINGLE) else ".+?"
            parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>{what})")
            seen.add(name)
    return "".join(parts)

"""Figures, dates and lists as a language writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lab.report.translate import Translator
from lab.report.words import Plural, Words

SPACE = "\N{NARROW NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Style:
    """A language at work."""

    words: Words

    @property
    def translate(self) -> Translator:
        return Translator(self.words.phrases, self.words.decimal)

    def number(self, value: float, digits: int = 3, signed: bool = False) -> str:
        text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
        return text.replace("-", MINUS).replace(".", self.words.decimal)

    def tick(self, value: float) -> str:
        """As short as it can be said."""
        return f"{value:g}".replace("-", MINUS).replace(".", self.words.decimal)

    def whole(self, value: int) -> str:
        """In groups of three."""
        return f"{value:,}".replace(",", SPACE)

    def seconds(self, value: float, digits: int = 3, signed: bool = False) -> str:
        return self._unit(self.words.seconds.format(value=self.number(value, digits, signed)))

    def milliseconds(self, value: float) -> str:
        return self._unit(self.words.milliseconds.format(value=self.number(value, 1 if value < 10 else 0)))

    def range(self, low: float, high: float, digits: int = 3) -> str:
        """For a table. One figure where both ends round to the same."""
        return self._between(self.words.range, low, high, digits)

    def span(self, low: float, high: float, digits: int = 3) -> str:
        """The same within a sentence."""
        return self._between(self.words.span, low, high, digits)

    def date(self, text: str) -> str:
        """text: ISO 8601, UTC."""
        when = datetime.fromisoformat(text)
        month = self.words.months[when.month - 1]
        return self.words.date.format(
            day=when.day, month=month, year=when.year, hour=when.hour, minute=when.minute, second=when.second
        )

    def several(self, items: Sequence[str]) -> str:
        *rest, last = items
        return self.words.list_last.format(rest=", ".join(rest), last=last) if rest else last

    def plural(self, words: Plural, count: int, **fields: str) -> str:
        template = words.one if count in self.words.singular else words.many
        return template.format(count=self.whole(count), **fields)

    def _between(self, template: str, low: float, high: float, digits: int) -> str:
        if self.number(low, digits) == self.number(high, digits):
            return self.seconds(low, digits)
        return self._unit(template.format(low=self.number(low, digits), high=self.number(high, digits)))

    @staticmethod
    def _unit(text: str) -> str:
        """The unit stays beside its figure."""
        head, _, unit = text.rpartition(" ")
        return SPACE.join((head, unit))

"""Screens of the catalogue, drawn by Debian's dialog(1) with the titles, texts, buttons and default buttons that stand there."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

from lab.console.catalogue.installer import BACKTITLE, InstallerScreen, Item, Widget
from lab.console.catalogue.text import Product

OK, CANCEL, ESCAPE = 0, 1, 255
ANSWER = 3
"""The descriptor dialog writes its answer on; the screen is standard output's."""


@dataclass(frozen=True)
class Answer:
    """code: OK, CANCEL (the second button) or ESCAPE. chosen: a menu's tag, a check list's tags, what was typed."""

    code: int
    chosen: tuple[str, ...] = ()

    @property
    def tag(self) -> str:
        return self.chosen[0] if self.chosen else ""


class Screens:
    """Where dialogs are drawn. term: the terminal's type, which the person was asked for."""

    def __init__(self, product: Product, term: str, delay: float = 0.0) -> None:
        self._product, self._term, self._delay = product, term, delay

    def show(
        self,
        screen: InstallerScreen,
        items: Sequence[Item] = (),
        default_item: str = "",
        **fields: object,
    ) -> Answer:
        """Show one screen and wait for its answer. items: instead of the catalogue's own; fields: what its texts leave open."""
        rows = [(self._fill(item.tag), self._fill(item.about)) for item in items or screen.items]
        body = screen.body.fill(self._product, **fields)
        arguments = [*self._labels(screen), f"--{screen.widget}", body]
        if screen.widget is Widget.MENU:
            default = (
                ["--default-item", default_item or screen.default_item] if default_item or screen.default_item else []
            )
            arguments = [*default, *arguments, "0", "0", "0", *(word for row in rows for word in row)]
        elif screen.widget is Widget.CHECKLIST:
            arguments.insert(0, "--separate-output")
            arguments += ["0", "0", "0", *(word for row in rows for word in (*row, "off"))]
        else:
            arguments += ["0", "0"]
        return self._run([*self._head(screen), *arguments])

    def gauge(self, screen: InstallerScreen, percent: int) -> None:
        """Draw how far a step is; returns at once."""
        rows = [(self._fill(item.tag), f"-{percent}" if percent < 100 else "3") for item in screen.items]
        words = [word for row in rows for word in row]
        self._run(
            [*self._head(screen), "--mixedgauge", screen.body.fill(self._product), "0", "0", str(percent), *words]
        )

    def box(self, title: str, text: str) -> Answer:
        """A message that is not in the catalogue: what the stand-in cannot do."""
        return self._run(["--backtitle", BACKTITLE.fill(self._product), "--title", title, "--msgbox", text, "0", "0"])

    def ask(self, title: str, text: str, initial: str) -> Answer:
        return self._run(
            ["--backtitle", BACKTITLE.fill(self._product), "--title", title, "--inputbox", text, "0", "0", initial]
        )

    def clear(self) -> None:
        self._run(["--clear"])

    def _head(self, screen: InstallerScreen) -> list[str]:
        title = screen.title.fill(self._product)
        hline = ["--hline", screen.hline] if screen.hline else []
        return ["--backtitle", BACKTITLE.fill(self._product), "--title", title, *hline]

    @staticmethod
    def _labels(screen: InstallerScreen) -> list[str]:
        """dialog calls the two buttons of a question yes and no, of anything else OK and cancel."""
        names = ("--yes-label", "--no-label") if screen.widget is Widget.YESNO else ("--ok-label", "--cancel-label")
        labels = [word for pair in zip(names, screen.buttons, strict=False) for word in pair]
        if len(screen.buttons) > 1 and screen.default_button == screen.buttons[1]:
            labels += ["--defaultno"] if screen.widget is Widget.YESNO else ["--default-button", "cancel"]
        return labels

    def _fill(self, text: str) -> str:
        return text.replace("{product}", self._product.name)

    def _run(self, arguments: list[str]) -> Answer:
        if self._delay:
            time.sleep(self._delay)
        reading, writing = os.pipe()
        # Its answer comes on a descriptor of its own: standard error shows what goes wrong.
        with subprocess.Popen(
            ["dialog", "--output-fd", str(writing), *arguments],
            env={**os.environ, "TERM": self._term},
            pass_fds=(writing,),
        ) as process:
            os.close(writing)
            with os.fdopen(reading, encoding="utf-8", errors="replace") as answer:
                chosen = answer.read()
        return Answer(process.returncode, tuple(line for line in chosen.splitlines() if line))

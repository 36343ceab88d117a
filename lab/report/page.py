"""A saved run as one HTML page that needs nothing else: no network, no script, no font."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from lab.experiment.result import Look
from lab.render.diagram_svg import draw_svg
from lab.report.account import Account, expectations
from lab.report.english import ENGLISH
from lab.report.french import FRENCH
from lab.report.lanes import charts, probe_lanes, reign_lanes
from lab.report.records import Record, records
from lab.report.run import FRAMES_FILE, SavedRun
from lab.report.style import Style
from lab.report.tables import Tables
from lab.report.words import Words
from lab.topology.plan import make_plan

HTML_FILE = "report.html"
LANGUAGES = {"en": ENGLISH, "fr": FRENCH}
HERE = Path(__file__).parent
TITLE = "{headline} · {topology}"
FILTER = ".records:not(:has(.f-{kind}:checked)) .r-{kind} {{ display: none; }}"


@dataclass(frozen=True)
class Tile:
    """A figure to begin with."""

    name: str
    value: str
    note: str


@dataclass(frozen=True)
class Page:
    """One run in one language."""

    run: SavedRun
    words: Words

    def html(self) -> str:
        """The whole document."""
        run, words, account = self.run, self.words, self.account
        report, nodes = run.report, list(run.topology.firewalls)
        rows = self.records
        kinds = tuple(kind for kind in words.kinds if any(row.kind == kind for row in rows))
        template = Environment(autoescape=True, undefined=StrictUndefined).from_string(
            (HERE / "page.html.j2").read_text()
        )
        return template.render(
            w=words,
            style=self.style,
            css=self._css(kinds),
            page_title=TITLE.format(headline=account.headline, topology=report.topology),
            report=report,
            account=account,
            nodes=nodes,
            met=self._met(),
            facts=self._facts(),
            tiles=self._tiles(),
            drawing=draw_svg(make_plan(run.topology), words.drawing_words),
            charts=charts(report),
            reign_lanes=reign_lanes(report, nodes, run.packets),
            probe_lanes=probe_lanes(report),
            tables=Tables(account),
            records=rows,
            record_kinds=kinds,
            any_steady=any(row.steady for row in rows),
            cost=self._cost(),
            files=[(name, text) for name, text in words.files_texts.items() if name != FRAMES_FILE or run.frames],
        )

    @cached_property
    def account(self) -> Account:
        return Account(self.run, self.style)

    @property
    def style(self) -> Style:
        return Style(self.words)

    @cached_property
    def records(self) -> tuple[Record, ...]:
        return records(self.run, self.style)

    @staticmethod
    def _css(kinds: tuple[str, ...]) -> str:
        """With a filter for each kind of record: a box that is not ticked hides its rows."""
        return "\n".join(((HERE / "page.css").read_text().rstrip(), *(FILTER.format(kind=kind) for kind in kinds)))

    def _met(self) -> str:
        total = expectations(self.run.report)
        met = total - len(self.run.report.problems)
        return self.style.plural(self.words.met, total, met=self.style.whole(met))

    def _facts(self) -> list[tuple[str, str]]:
        report, setting, words, style = self.run.report, self.run.setting, self.words, self.style
        found = [
            (words.facts_lab, report.topology),
            (words.facts_stage, report.stage),
            (words.facts_began, style.date(report.began)),
            (words.facts_length, style.seconds(report.seconds, 1)),
            (words.facts_firewall, words.firewalls.get(setting.firewall, setting.firewall)),
        ]
        if setting.accelerator:
            named = words.accelerators.get(setting.accelerator, setting.accelerator)
            slowness = style.number(setting.slowness, 1)
            found.append((words.facts_host, words.host.format(accelerator=named, slowness=slowness)))
        return found

    def _tiles(self) -> list[Tile]:
        """The figures a reader asks for first."""
        report, words, style = self.run.report, self.words, self.style
        if not report.hand_overs and report.invariants:
            return self._invariant_tiles()
        moved = [move for move in report.hand_overs if move.phase == "fault" and move.at is not None]
        home = [move for move in report.hand_overs if move.phase == "return" and move.at is not None]
        silent = [probe for probe in report.probes if probe.outage is not None and probe.fate != "denied"]
        allowed = [probe for probe in report.probes if probe.fate != "denied"]
        lost = [probe for probe in allowed if probe.fate == "lost"]
        law = next((move.law for move in moved if move.law), None)
        predicted = words.tile_law.format(law=style.range(*law)) if law else ""
        first = style.seconds(min(move.at or 0.0 for move in moved)) if moved else words.nothing
        worst = max(silent, key=lambda probe: probe.outage or 0.0, default=None)
        back = max((report.undone_at + (move.at or 0.0) for move in home), default=None)
        return [
            Tile(words.tile_take_over, first, predicted if moved else words.tile_none),
            Tile(
                words.tile_outage,
                style.seconds(worst.outage or 0.0) if worst else words.nothing,
                self.account.ask(worst.id) if worst else "",
            ),
            Tile(
                words.tile_return,
                style.seconds(back, 1) if back is not None else words.nothing,
                words.axis if home else "",
            ),
            Tile(words.tile_lost, style.whole(len(lost)), words.tile_of.format(count=style.whole(len(allowed)))),
        ]

    def _invariant_tiles(self) -> list[Tile]:
        words, style, found = self.words, self.style, self.run.report.invariants
        broken = [one for one in found if one.look is Look.DURING and not one.holds]
        after = [one for one in found if one.look is Look.AFTER]
        names = dict.fromkeys(style.translate(one.name) for one in broken)
        looked = words.tile_of_looked.format(count=style.whole(len(after)))
        healed = style.whole(sum(one.holds for one in after))
        return [
            Tile(words.tile_broken, style.whole(len(broken)), ", ".join(names)),
            Tile(words.tile_healed, healed, looked),
        ]

    def _cost(self) -> str:
        cost, style = self.run.report.cost, self.style
        if not cost.frames:
            return ""
        return self.words.cost.format(
            frames=style.whole(cost.frames),
            dropped=style.whole(cost.dropped),
            cpu=style.number(100 * (cost.cpu + cost.reading), 1),
        )


def write_page(run: SavedRun, directory: Path, language: str) -> Path:
    """language: a key of LANGUAGES."""
    path = directory / HTML_FILE
    path.write_text(Page(run, LANGUAGES[language]).html(), encoding="utf-8")
    return path

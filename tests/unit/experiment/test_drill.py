"""The score card: verdicts, an error that ends one run and not the drill, and the table."""

from __future__ import annotations

import json

from bench.drill_table import BEGIN, END, PAGE, fill, table
from lab.commands.drill import as_data, as_text
from lab.errors import LabError
from lab.expect.catalogue import matrix
from lab.expect.fault import Fault
from lab.experiment.drill import Score, ScoreCard, drill
from lab.experiment.result import FailoverReport, Verdict
from tests.unit.experiment.frames import uranus
from tests.unit.experiment.story import TAKEN, Story


def test_good_late_wrong_and_broken_off_are_four_things() -> None:
    faults = list(matrix(uranus()))[:4]
    reports = {
        faults[0]: Story().report(),
        faults[1]: Story(taken={2: TAKEN + 0.5}).report(),
        faults[2]: Story(gaps={"client>gateway:icmp:old": [(0.0, 30.0)]}).report(),
    }
    mended: list[int] = []
    told: list[Score] = []

    def once(fault: Fault, number: int) -> FailoverReport:
        if fault not in reports:
            raise LabError("the console is silent", seen="login:\n\n  ")
        return reports[fault]

    scores = tuple(drill(faults, 2, once, lambda: mended.append(1), told.append))
    assert [score.verdict for score in scores[:4]] == [
        Verdict.PASS,
        Verdict.UNEXPLAINED,
        Verdict.FAIL,
        Verdict.FAIL,
    ]
    assert scores[3].problem == "the console is silent: login:"
    assert len(scores) == len(told) == 8
    assert len(mended) == 2
    card = ScoreCard("uranus", "rules", 2, scores)
    assert not card.ok
    text = as_text(card)
    assert "2 pass, 4 fail, 2 unexplained of 8 runs" in text
    data = json.loads(json.dumps(as_data(card)))
    assert (data["passed"], data["failed"], data["unexplained"], data["ok"]) == (2, 4, 2, False)


def test_no_run_is_no_success() -> None:
    assert not ScoreCard("uranus", "rules", 1, ()).ok


def test_the_page_takes_the_figures_of_its_cards() -> None:
    scores = (
        Score("kill master", 1, Verdict.PASS, 20.0, 2.5, 3.0),
        Score("kill master", 2, Verdict.UNEXPLAINED, 20.0, 3.5, 4.0, "late"),
        Score("vip-mask backup", 1, Verdict.PASS, 40.0),
    )
    text = table([as_data(ScoreCard("uranus", "rules", 2, scores))])
    assert "| uranus | kill master | 2 | 1 | 1 | 0 | 3.000 (2.500-3.500) | 3.500 (3.000-4.000) |" in text
    assert "| uranus | vip-mask backup | 1 | 1 | 0 | 0 | - | - |" in text
    assert BEGIN in PAGE.read_text()
    page = f"above\n{BEGIN}\nold\n{END}\nbelow\n"
    assert fill(page, text) == f"above\n{BEGIN}\n{text}\n{END}\nbelow\n"

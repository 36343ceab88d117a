from __future__ import annotations

import pytest

from lab.errors import LabError
from lab.host.deadline import Deadline, wait_until


def test_first_truthy_value_is_returned() -> None:
    answers = iter(["", 0, "here"])
    assert wait_until(lambda: next(answers), Deadline.after(60), "an answer", poll=0.001) == "here"


def test_condition_is_looked_at_even_when_the_time_is_up() -> None:
    assert wait_until(lambda: True, Deadline.after(0), "nothing")


def test_expired_deadline_tells_what_was_expected_and_seen() -> None:
    with pytest.raises(LabError) as caught:
        wait_until(lambda: False, Deadline.after(0), "guest off", seen=lambda: "running", log="/x.log", cure="wait")
    problem = caught.value.problem
    assert (problem.summary, problem.expected) == ("Waited in vain for: guest off", "guest off, within 0 s")
    assert (problem.seen, problem.log, problem.cure) == ("running", "/x.log", "wait")


def test_deadline_runs_out() -> None:
    assert Deadline.after(0).expired
    assert not Deadline.after(60).expired
    assert 0 < Deadline.after(60).remaining <= 60

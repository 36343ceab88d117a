"""A step of an experiment: in the run's timeline, and told to whoever listens."""

from __future__ import annotations

from collections.abc import Callable

from lab.events import Listener
from lab.experiment.recorder import Recorder
from lab.experiment.result import Kind
from lab.progress import telling


def step(recorder: Recorder, listener: Listener, name: str, work: Callable[[], object]) -> None:
    """Do the work, with its beginning noted, its end told. A LabError of the work passes through."""
    recorder.note(Kind.STEP, "lab", name)
    with telling(listener, "lab", name):
        work()

"""A step of an experiment: in the run's timeline, and told to whoever listens."""

from __future__ import annotations

import time
from collections.abc import Callable

from lab.errors import LabError
from lab.events import Event, Listener, Phase
from lab.experiment.recorder import Recorder
from lab.experiment.result import Kind


def step(recorder: Recorder, listener: Listener, name: str, work: Callable[[], object]) -> None:
    """Do the work, with its beginning noted, its end told. A LabError of the work passes through."""
    begun = time.monotonic()
    recorder.note(Kind.STEP, "lab", name)
    listener(Event("lab", name, Phase.STARTED))
    try:
        work()
    except LabError:
        listener(Event("lab", name, Phase.FAILED, time.monotonic() - begun))
        raise
    listener(Event("lab", name, Phase.DONE, time.monotonic() - begun))

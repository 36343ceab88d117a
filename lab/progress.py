"""Telling a listener how a step of the work goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from lab.errors import LabError
from lab.events import Event, Listener, Phase


@contextmanager
def telling(listener: Listener, subject: str, step: str) -> Iterator[list[str]]:
    """Tell that the step begins, and how it ends; a LabError passes through. What is put into the list is told at a good end."""
    begun = time.monotonic()
    said: list[str] = []
    listener(Event(subject, step, Phase.STARTED))
    try:
        yield said
    except LabError:
        listener(Event(subject, step, Phase.FAILED, time.monotonic() - begun))
        raise
    listener(Event(subject, step, Phase.DONE, time.monotonic() - begun, "; ".join(said)))

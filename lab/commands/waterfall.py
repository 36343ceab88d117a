"""`lab.up --profile`: where the time went, machine by machine and step by step, as bars on one time axis."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from lab.events import Event, Listener, Phase

WIDTH = 60
"""Characters of the time axis."""

TITLE = "{seconds:.1f} s; one character is {grain:.2f} s"
LINE = "{subject:<10} {step:<34} {begin:>6.1f} {seconds:>6.1f}  {bar}"
HEAD = "{subject:<10} {step:<34} {begin:>6} {seconds:>6}"
STEP_LIMIT = 34

BOOT_LOG = "cat /var/log/boot.log"
BOOT_ROW = re.compile(r"^\s*([0-9.]+)\s+([0-9.]+)\s+(\S.*)$", re.MULTILINE)
"""The stand-in's own diary: seconds since its kernel started, seconds of the step, step (images/standin/README.md)."""


@dataclass(frozen=True)
class Span:
    """One step of one subject. begin: seconds since the command began; seconds: how long it took."""

    subject: str
    step: str
    begin: float
    seconds: float


@dataclass
class Waterfall:
    """Listens to a command's events, hands them on, and remembers when each step was at work."""

    listener: Listener
    spans: list[Span] = field(default_factory=list)
    _begin: float = field(default_factory=time.monotonic)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, event: Event) -> None:
        self.listener(event)
        if event.phase in (Phase.DONE, Phase.FAILED):
            now = time.monotonic() - self._begin
            with self._turn:
                self.spans.append(Span(event.subject, event.step, max(0.0, now - event.seconds), event.seconds))

    def text(self) -> str:
        return drawn(self.spans)


def guest_spans(subject: str, boot: Span, log: str) -> list[Span]:
    """A firewall's own diary of its boot, laid into the span in which it booted: its last step ends where that ends."""
    rows = [(float(at), float(took), step.strip()) for at, took, step in BOOT_ROW.findall(log)]
    if not rows:
        return []
    last = max(at for at, _, _ in rows)
    shift = boot.begin + boot.seconds - last
    return [Span(subject, f"  {step}", max(0.0, at - took + shift), took) for at, took, step in rows]


def drawn(spans: Iterable[Span]) -> str:
    """A line for each span, by subject in the order of their first steps, then by time."""
    every = sorted(spans, key=lambda span: span.begin)
    if not every:
        return ""
    subjects = list(dict.fromkeys(span.subject for span in every))
    whole = max(span.begin + span.seconds for span in every)
    grain = max(whole, 0.001) / WIDTH
    lines = [
        TITLE.format(seconds=whole, grain=grain),
        HEAD.format(subject="", step="step", begin="begin", seconds="took"),
    ]
    for span in sorted(every, key=lambda span: (subjects.index(span.subject), span.begin)):
        left = min(WIDTH - 1, int(span.begin / grain))
        length = max(1, min(WIDTH - left, round(span.seconds / grain)))
        lines.append(
            LINE.format(
                subject=span.subject,
                step=span.step[:STEP_LIMIT],
                begin=span.begin,
                seconds=span.seconds,
                bar=f"{' ' * left}{'█' * length}",
            ).rstrip()
        )
    return "\n".join(lines)

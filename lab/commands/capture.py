"""`lab.capture`: one network's frames as pcapng, into a file or live on stdout, until Ctrl-C or a time is up."""

from __future__ import annotations

import contextlib
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from lab.commands import present
from lab.commands.session import opened
from lab.errors import LabError
from lab.experiment.contracts import Running, World
from lab.experiment.pcap import PcapTail
from lab.experiment.pcapng import Link, Writer
from lab.topology.plan import bridge_name

TCPDUMP = ["tcpdump", "--immediate-mode", "--time-stamp-precision=nano", "-B", "16384", "-Z", "root", "-n", "-U"]
DROPPED = re.compile(r"^(\d+) packets? dropped by kernel", re.MULTILINE)
POLL = 0.1
DONE = "{frames} frames of {network} in {seconds:.1f} s, {dropped} dropped{where}"
WHERE = ": {file}"
REFUSED = "tcpdump refused to capture on {network}"


def run(name: str | None, network: str, file: str | None, seconds: float, filter_: str) -> int:
    """The command. file: "" or None for stdout; seconds: 0 for until Ctrl-C; filter_: a pcap filter."""

    def body() -> int:
        with opened(name) as session:
            networks = list(session.plan.topology.networks)
            if network not in networks:
                raise LabError(f"There is no network called {network}", expected=", ".join(networks), seen=network)
            return capture_network(
                session.world, session.paths.root, network, Path(file) if file else None, seconds, filter_
            )

    return present.run(body)


def capture_network(world: World, root: Path, network: str, file: Path | None, seconds: float, filter_: str) -> int:
    """Capture until told to end, or for `seconds`. root: where the raw file lies meanwhile. Raises LabError where tcpdump refuses."""
    raw, log = root / f"capture-{network}.pcap", root / f"capture-{network}.log"
    for each in (raw, log):
        each.write_bytes(b"")
    begun, frames = time.monotonic(), 0
    words = " ".join([*TCPDUMP, "-i", bridge_name(network), "-w", str(raw)])
    with contextlib.ExitStack() as stack:
        stack.callback(raw.unlink, missing_ok=True)
        stack.callback(log.unlink, missing_ok=True)
        out = stack.enter_context(file.open("wb")) if file else sys.stdout.buffer
        running: Running = world.spawn(["sh", "-c", f'exec {words} "$1" 2>{log}', "sh", filter_])
        stack.callback(running.stop)
        ended = stack.enter_context(_until_told())
        tail, writer = PcapTail(raw, network), Writer(out, [Link(network, network)])
        stack.callback(tail.close)
        while not ended and (not seconds or time.monotonic() - begun < seconds) and running.process.poll() is None:
            frames += writer.write(tail.poll())
            time.sleep(POLL)
        refused = running.process.poll() not in (None, 0)
        running.stop()
        frames += writer.write(tail.poll())
        said = log.read_text()
        if refused and not frames:
            raise LabError(REFUSED.format(network=network), expected=words, seen=said.strip())
    found = DROPPED.search(said)
    done = DONE.format(
        frames=frames,
        network=network,
        seconds=time.monotonic() - begun,
        dropped=found.group(1) if found else "none",
        where=WHERE.format(file=file) if file else "",
    )
    print(done, file=sys.stderr)
    return 0


@contextlib.contextmanager
def _until_told() -> Iterator[list[int]]:
    """A list that is no longer empty once somebody wants us to end: Ctrl-C, SIGTERM, or a reader that went away."""
    told: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        told.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with contextlib.suppress(BrokenPipeError):
            yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

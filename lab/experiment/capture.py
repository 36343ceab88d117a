"""Capturing inside the lab's namespace: one tcpdump a link, one shell over them all, files that can be read while they grow."""

from __future__ import annotations

import os
import re
import shlex
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from lab.errors import LabError
from lab.experiment.contracts import Running, World
from lab.experiment.pcap import Frame, PcapTail

SNAPLEN = 96
"""Bytes kept of a frame: headers, the whole of an advert (70), a ping's identifier and number."""

BUFFER = 16384
"""KiB of kernel buffer a link: 165,000 frames of bulk TCP went through without a drop."""

TCPDUMP = (
    "tcpdump -i {link} --immediate-mode --time-stamp-precision=nano -B {buffer} -s {snaplen} -Z root"
    " -n -U -w {file} {filter} 2>{log} &"
)
SCRIPT = "trap 'kill $pids 2>/dev/null; wait; exit 0' TERM INT\npids=\n{lines}\nwait\n"
LISTENING = "listening on"
REFUSED = re.compile(r"^tcpdump: (?!listening on|WARNING).*\n", re.MULTILINE)
"""A whole line: tcpdump writes its name first, and what it has to say a moment later."""
DROPPED = re.compile(r"^(\d+) packets? dropped by kernel", re.MULTILINE)
START_SECONDS = 20.0
POLL = 0.05

NOT_LISTENING = "tcpdump does not listen on {links}"
NOT_LISTENING_CURE = "Is tcpdump installed (apt-get install tcpdump), and the lab up (lab.status)?"


class Capture(Protocol):
    """Frames of several links, as they come."""

    def start(self) -> None:
        """Return once every link is listened to. Raises LabError."""

    def poll(self) -> list[Frame]:
        """What came since the last call, in order of time within one call."""

    def seconds(self) -> float:
        """Processor seconds the capturing processes have used; 0.0 where that is not known."""

    def stop(self) -> dict[str, int]:
        """End it. Link -> frames the kernel dropped. `poll` still works once more."""


@dataclass
class TcpdumpCapture:
    """The real one. filters: link -> pcap filter, "" for everything. directory: where the files stay."""

    world: World
    filters: dict[str, str]
    directory: Path
    _running: Running | None = field(default=None, init=False)
    _tails: list[PcapTail] = field(default_factory=list, init=False)

    def start(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        for link in self.filters:
            # Made here, so that they belong to the caller and not to root.
            self._file(link).write_bytes(b"")
            self._log(link).write_bytes(b"")
        self._tails = [PcapTail(self._file(link), link) for link in self.filters]
        self._running = self.world.spawn(["sh", "-c", self._script()])
        deadline = time.monotonic() + START_SECONDS
        while waiting := [link for link in self.filters if LISTENING not in self._log(link).read_text()]:
            refused = any(REFUSED.search(self._log(link).read_text()) for link in waiting)
            if refused or time.monotonic() > deadline or self._running.process.poll() is not None:
                self._running.stop()
                raise LabError(
                    NOT_LISTENING.format(links=", ".join(waiting)),
                    expected=LISTENING,
                    seen="\n".join(self._log(link).read_text().strip() for link in waiting),
                    cure=NOT_LISTENING_CURE,
                )
            time.sleep(POLL)

    def poll(self) -> list[Frame]:
        return sorted(frame for tail in self._tails for frame in tail.poll())

    def seconds(self) -> float:
        return sum(_used(place.parent) for place in Path("/proc").glob("[0-9]*/cmdline") if self._is_ours(place))

    def _is_ours(self, cmdline: Path) -> bool:
        try:
            words = cmdline.read_bytes().split(b"\0")
        except OSError:
            return False
        return words[0] == b"tcpdump" and any(word.startswith(str(self.directory).encode()) for word in words)

    def stop(self) -> dict[str, int]:
        if self._running is not None:
            self._running.stop()
            self._running = None
        return {link: self._dropped(link) for link in self.filters}

    def _script(self) -> str:
        lines = [
            TCPDUMP.format(
                link=shlex.quote(link),
                buffer=BUFFER,
                snaplen=SNAPLEN,
                file=shlex.quote(str(self._file(link))),
                filter=shlex.quote(filter_) if filter_ else "",
                log=shlex.quote(str(self._log(link))),
            )
            + '\npids="$pids $!"'
            for link, filter_ in self.filters.items()
        ]
        return SCRIPT.format(lines="\n".join(lines))

    def _file(self, link: str) -> Path:
        return self.directory / f"{link}.pcap"

    def _log(self, link: str) -> Path:
        return self.directory / f"{link}.log"

    def _dropped(self, link: str) -> int:
        found = DROPPED.search(self._log(link).read_text())
        return int(found.group(1)) if found else 0


@dataclass
class Replay:
    """Frames recorded before, handed out in portions: for tests, and for looking at an old run again."""

    portions: list[list[Frame]]

    def start(self) -> None:
        """Nothing to wait for."""

    def poll(self) -> list[Frame]:
        return self.portions.pop(0) if self.portions else []

    def seconds(self) -> float:
        return 0.0

    def stop(self) -> dict[str, int]:
        return {}


def _used(process: Path) -> float:
    """Processor seconds of one process (proc(5): utime and stime, the 12th and 13th field behind the name)."""
    try:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def listen(world: World, links: Iterable[str], seconds: float, filter_: str = "") -> list[Frame]:
    """Everything heard on these links in `seconds`. Raises LabError."""
    with tempfile.TemporaryDirectory(prefix="uranus-listen-") as directory:
        capture = TcpdumpCapture(world, dict.fromkeys(links, filter_), Path(directory))
        capture.start()
        time.sleep(seconds)
        capture.stop()
        return capture.poll()

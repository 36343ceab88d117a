"""`rc.filter_synchronize`: give this configuration to the other node, now, as `<hasync>` says."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lab.console.catalogue.text import STANDIN
from standin.places import Places
from standin.xmlrpc.node import RealNode
from standin.xmlrpc.post import post
from standin.xmlrpc.sync import Sync

PROGRAM = "php-cgi"
EVENT = "--event"


def main(name: str, arguments: list[str], places: Places) -> int:
    """0 also where there is nothing to do. `--event`: not called by a person; where one such waits already, it does for both."""
    with _turn(places, may_be_left_out=EVENT in arguments) as mine:
        if not mine:
            return 0
        node = RealNode(places, name, PROGRAM)
        sync = Sync(STANDIN, post, node.log, time.sleep, lambda config, why: node.store(config, why, ""))
        return 0 if sync.run(node.config()) else 1


@contextmanager
def _turn(places: Places, may_be_left_out: bool) -> Iterator[bool]:
    """One at a time; who waits reads the configuration only when its turn has come."""
    waiting = os.open(places.run / "sync.waiting", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    running = os.open(places.run / "sync.running", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if may_be_left_out:
            try:
                fcntl.lockf(waiting, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
        fcntl.lockf(running, fcntl.LOCK_EX)
        fcntl.lockf(waiting, fcntl.LOCK_UN)
        yield True
    finally:
        os.close(waiting)
        os.close(running)

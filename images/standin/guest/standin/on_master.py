"""A command that runs after a take-over, without holding it up."""

from __future__ import annotations

import os
import selectors


class OnMaster:
    """Starts the command, never twice at a time: what is asked for meanwhile is one more run afterwards."""

    def __init__(self, command: str, selector: selectors.BaseSelector) -> None:
        self._command = command
        self._selector = selector
        self._running = False
        self._again = False

    def run(self) -> None:
        if not self._command:
            return
        if self._running:
            self._again = True
            return
        pid = os.posix_spawn("/bin/sh", ["sh", "-c", self._command], dict(os.environ))
        watch = os.pidfd_open(pid)
        self._running = True
        self._selector.register(watch, selectors.EVENT_READ, lambda: self._ended(watch, pid))

    def _ended(self, watch: int, pid: int) -> None:
        self._selector.unregister(watch)
        os.close(watch)
        os.waitpid(pid, 0)
        self._running = False
        if self._again:
            self._again = False
            self.run()

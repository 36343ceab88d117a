"""Commands inside a guest through qemu-guest-agent: no network, no management NIC."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from lab.errors import LabError
from lab.host.deadline import Deadline, wait_until

SHELL = "/bin/sh"
END = "kill -9 {pid} $(cat /proc/{pid}/task/{pid}/children)"
"""Ends a shell and what it runs; `kill` is the shell's own, a lean guest may have no other."""

FIRST_POLL = 0.02
LAST_POLL = 0.25
"""Seconds between two looks at a command that runs: short at first, most end at once."""

DEAF = "The guest agent of {machine} does not answer"
DEAF_CURE = "Is the guest up, and qemu-guest-agent started in it? See lab.log {machine}."
SLOW = "command on {machine}: {command}"
FAILED = "A command failed on {machine}"

Transport = Callable[[str, int], str]
"""Sends one JSON command to the agent, waits at most that many seconds, returns its JSON reply.

Raises AgentSilent where nobody answers, LabError where the agent refuses.
"""


class AgentSilent(Exception):
    """The agent is not there: not started, or not listening."""


@dataclass(frozen=True)
class Outcome:
    """How a command in a guest ended. exit_code: 128 + N where signal N ended it."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        return self.exit_code == 0


class Agent(Protocol):
    """A guest that can be told to run commands."""

    def ping(self) -> bool:
        """Whether it answers now."""

    def wait(self, deadline: Deadline) -> None:
        """Return once it answers. Raises LabError."""

    def run(self, command: str, seconds: float = 60.0, text: str = "") -> Outcome:
        """Run a shell command as root with `text` on its stdin. Raises LabError when it does not end in time."""

    def output(self, command: str, seconds: float = 60.0, text: str = "") -> str:
        """As run(), but only its stdout; raises LabError on a non-zero exit code too."""


class QemuAgent:
    """The QEMU guest agent protocol over any transport. seconds in `reply`: how long one exchange may take."""

    def __init__(self, machine: str, transport: Transport, reply: int = 10) -> None:
        self._machine = machine
        self._send = transport
        self._reply = reply

    def ping(self) -> bool:
        try:
            self._ask("guest-ping")
        except AgentSilent:
            return False
        return True

    def wait(self, deadline: Deadline) -> None:
        wait_until(self.ping, deadline, f"guest agent of {self._machine}", cure=DEAF_CURE.format(machine=self._machine))

    def run(self, command: str, seconds: float = 60.0, text: str = "") -> Outcome:
        deadline = Deadline.after(seconds)
        try:
            return self._run(command, deadline, text)
        except AgentSilent as error:
            raise LabError(
                DEAF.format(machine=self._machine), seen=str(error), cure=DEAF_CURE.format(machine=self._machine)
            ) from error

    def output(self, command: str, seconds: float = 60.0, text: str = "") -> str:
        outcome = self.run(command, seconds, text)
        if not outcome.ok:
            said = outcome.stderr.strip() or outcome.stdout.strip()
            raise LabError(
                FAILED.format(machine=self._machine),
                expected=f"{command} ends with 0",
                seen=f"exit code {outcome.exit_code}\n{said}".strip(),
            )
        return outcome.stdout

    def _run(self, command: str, deadline: Deadline, text: str) -> Outcome:
        arguments: dict[str, object] = {"path": SHELL, "arg": ["-c", command], "capture-output": True}
        if text:
            arguments["input-data"] = base64.b64encode(text.encode()).decode()
        pid = self._ask("guest-exec", arguments)["pid"]
        poll = FIRST_POLL
        while not (status := self._ask("guest-exec-status", {"pid": pid}))["exited"]:
            if deadline.expired:
                self._ask("guest-exec", {"path": SHELL, "arg": ["-c", END.format(pid=pid)]})
                raise deadline.error(SLOW.format(machine=self._machine, command=command))
            time.sleep(poll)
            poll = min(2 * poll, LAST_POLL)
        signal = status.get("signal")
        return Outcome(
            exit_code=128 + int(signal) if signal else int(status.get("exitcode", 0)),
            stdout=_text(status.get("out-data", "")),
            stderr=_text(status.get("err-data", "")),
        )

    def _ask(self, command: str, arguments: dict[str, object] | None = None) -> Any:
        message: dict[str, object] = {"execute": command}
        if arguments:
            message["arguments"] = arguments
        return json.loads(self._send(json.dumps(message), self._reply))["return"]


def _text(data: str) -> str:
    return base64.b64decode(data).decode(errors="replace")

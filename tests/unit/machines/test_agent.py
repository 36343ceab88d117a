"""The guest agent's protocol, against a scripted guest."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from lab.errors import LabError
from lab.host.deadline import Deadline
from lab.machines.agent import AgentSilent, Outcome, QemuAgent


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class Guest:
    """Answers like qemu-ga: a command has ended at the `looks`-th look."""

    def __init__(self, looks: int = 2, **ending: Any) -> None:
        self.looks = looks
        self.ending = ending
        self.asked: list[dict[str, Any]] = []

    def __call__(self, message: str, seconds: int) -> str:
        request = json.loads(message)
        self.asked.append(request)
        return json.dumps({"return": self.reply(request)})

    def reply(self, request: dict[str, Any]) -> dict[str, Any]:
        match request["execute"]:
            case "guest-ping":
                return {}
            case "guest-exec":
                return {"pid": 42}
            case "guest-exec-status":
                assert request["arguments"] == {"pid": 42}
                self.looks -= 1
                return {"exited": True, **self.ending} if self.looks <= 0 else {"exited": False}
        raise AssertionError(request)


def silent_guest(message: str, seconds: int) -> str:
    raise AgentSilent("QEMU guest agent is not connected")


def agent(transport: Callable[[str, int], str]) -> QemuAgent:
    return QemuAgent("client", transport)


def test_command_is_given_to_a_shell_and_its_output_comes_back() -> None:
    guest = Guest(exitcode=3, **{"out-data": encoded("é out\n"), "err-data": encoded("err\n")})
    assert agent(guest).run("echo $HOME", text="in") == Outcome(3, "é out\n", "err\n")
    assert guest.asked[0]["arguments"] == {
        "path": "/bin/sh",
        "arg": ["-c", "echo $HOME"],
        "capture-output": True,
        "input-data": encoded("in"),
    }


def test_command_ended_by_a_signal() -> None:
    assert agent(Guest(signal=9)).run("x") == Outcome(137, "", "")


def test_command_that_does_not_end_is_ended() -> None:
    guest = Guest(looks=10**6)
    with pytest.raises(LabError, match="command on client: sleep 9"):
        agent(guest).run("sleep 9", seconds=0)
    assert guest.asked[-1]["arguments"]["arg"][1].startswith("kill -9 42 ")


def test_output_raises_with_what_the_command_said() -> None:
    with pytest.raises(LabError) as caught:
        agent(Guest(exitcode=1, **{"err-data": encoded("no route\n")})).output("ping x")
    assert caught.value.problem.seen == "exit code 1\nno route"
    assert agent(Guest(exitcode=0, **{"out-data": encoded("ok\n")})).output("x") == "ok\n"


def test_silent_agent() -> None:
    assert agent(Guest()).ping()
    assert not agent(silent_guest).ping()
    with pytest.raises(LabError, match="does not answer") as caught:
        agent(silent_guest).run("true")
    assert "not connected" in caught.value.problem.seen
    with pytest.raises(LabError, match="guest agent of client"):
        agent(silent_guest).wait(Deadline.after(0))

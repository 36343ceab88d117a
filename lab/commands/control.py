"""Commands that touch one machine of a running lab: CARP, power, cables, console, exec, log."""

from __future__ import annotations

import shutil
import sys
import time

from lab.commands import present
from lab.commands.boot import wait_ready
from lab.commands.record import existing
from lab.commands.session import opened
from lab.console.log import ConsoleLog
from lab.errors import LabError
from lab.topology.plan import Kind, make_plan

CARP_ACTIONS = ("off", "on", "maintenance", "resume")


def carp(name: str | None, node: str, action: str) -> int:
    """`lab.carp`: off and on are the web page's "Temporarily disable CARP"; maintenance and resume its persistent mode."""

    def body() -> int:
        _known("action", action, CARP_ACTIONS)
        with opened(name) as session:
            firewall = session.firewall(node)
            if action in ("off", "on"):
                firewall.carp_on() if action == "on" else firewall.carp_off()
            else:
                firewall.maintenance(enter=action == "maintenance")
        print(f"{node}: CARP {action}. `./inv lab.status` shows who is master now.")
        return 0

    return present.run(body)


def power(name: str | None, node: str, action: str) -> int:
    """`lab.power`: off pulls the plug. on returns when the machine is ready."""

    def body() -> int:
        _known("action", action, ("on", "off"))
        with opened(name) as session:
            machine = session.machine(node)
            if action == "off":
                machine.kill()
            else:
                transcript = ConsoleLog(session.paths.console_log(node))
                if machine.start():
                    wait_ready(session.machines, session.paths, session.record, session.planned(node), transcript)
        print(f"{node}: power {action}")
        return 0

    return present.run(body)


def cable(name: str | None, node: str, network: str, plugged: bool) -> int:
    """`lab.plug` and `lab.unplug`."""

    def body() -> int:
        with opened(name) as session:
            networks = [nic.network for nic in session.planned(node).nics]
            _known("network", network, networks)
            session.machine(node).set_link(network, plugged)
        print(f"{node}: {network} {'plugged in' if plugged else 'unplugged'}")
        return 0

    return present.run(body)


def console(name: str | None, node: str) -> int:
    """`lab.console`."""

    def body() -> int:
        from lab.console.viewer import attach

        with opened(name) as session:
            socket = session.paths.console_socket(session.planned(node).name)
        print(f"The console of {node}: everybody may watch, one may type. Ctrl-] leaves it.", file=sys.stderr)
        attach(socket)
        return 0

    return present.run(body)


def execute(name: str | None, node: str, command: str) -> int:
    """`lab.exec`: over the serial console on a firewall, through the guest agent elsewhere. The exit code is the command's."""

    def body() -> int:
        with opened(name) as session:
            if session.planned(node).kind is Kind.FIREWALL:
                output = session.firewall(node).run(command)
                sys.stdout.write(output.text)
                return output.code
            outcome = session.machine(node).agent.run(command)
        sys.stdout.write(outcome.stdout)
        sys.stderr.write(outcome.stderr)
        return outcome.exit_code

    return present.run(body)


def log(name: str | None, node: str, follow: bool) -> int:
    """`lab.log`: the transcript of a serial line, as it was received."""

    def body() -> int:
        paths, record = existing(name)
        _known("machine", node, [machine.name for machine in make_plan(record.model()).machines])
        path = paths.console_log(node)
        if not path.exists():
            raise LabError(f"{node} has no transcript yet", expected=str(path), seen="no such file")
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.flush()
            while follow:
                time.sleep(0.2)
                shutil.copyfileobj(file, sys.stdout.buffer)
                sys.stdout.flush()
        return 0

    return present.run(body)


def _known(what: str, word: str, words: list[str] | tuple[str, ...]) -> None:
    if word not in words:
        raise LabError(f"There is no {what} called {word}", expected=", ".join(words), seen=word)

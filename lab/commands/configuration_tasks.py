"""The commands about a running lab's configuration, as tasks.py offers them. Like it, they parse and call; no logic."""

from __future__ import annotations

from invoke import Context, Exit, task

NAME = "which lab (default: the only one there is)"
JSON = "one JSON object on stdout, nothing else"


def _end(code: int) -> None:
    if code:
        raise Exit(code=code)


@task(
    positional=["stage"],
    help={
        "stage": "bare, vips, pfsync, xmlrpc or rules",
        "check": "--no-check leaves the checks of the new stage out",
        "name": NAME,
        "json": JSON,
    },
)
def push(_: Context, stage: str, check: bool = True, name: str = "", json: bool = False) -> None:
    """Move a running lab to another stage, without a reboot, and prove that both nodes obey."""
    from lab.commands import push as command

    _end(command.run(name or None, stage, check, json))


@task(help={"name": NAME, "json": JSON})
def sync(_: Context, name: str = "", json: bool = False) -> None:
    """Force a configuration sync, prove it on the backup, and show how the two nodes differ."""
    from lab.commands import sync as command

    _end(command.run(name or None, json))


@task(positional=["node"], help={"node": "a firewall", "port": "of this computer (default: a free one)", "name": NAME})
def gui(_: Context, node: str, port: int = 0, name: str = "") -> None:
    """A firewall's web interface on this computer's loopback, until Ctrl-C."""
    from lab.commands import gui as command

    _end(command.run(name or None, node, port))

"""The commands: each parses its options, calls lab/commands and prints. No logic here."""

from __future__ import annotations

from invoke import Collection, Context, Exit, task


@task(
    help={
        "fast": "only what needs neither root nor guests; under a minute",
        "args": 'more arguments for pytest, such as "-k carp -x"',
    }
)
def test(_: Context, fast: bool = False, args: str = "") -> None:
    """Run the checks and tests of this project."""
    from lab.commands import test as command

    raise Exit(code=command.run(fast=fast, args=args))


lab = Collection("lab")
image = Collection("image")
topology = Collection("topology")
config = Collection("config")

namespace = Collection(test, lab, image, topology, config)

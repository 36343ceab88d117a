"""The commands: each parses its options, calls lab/commands and prints. No logic here."""

from __future__ import annotations

from invoke import Collection, Context, Exit, task

from lab.commands.configuration_tasks import gui, push, sync
from lab.commands.report_tasks import LANG, report

NAME = "which lab (default: the only one there is)"
JSON = "one JSON object on stdout, nothing else"
TOPOLOGY = "a name from topologies/, or a file"


def _end(code: int) -> None:
    if code:
        raise Exit(code=code)


@task(
    help={
        "topology": TOPOLOGY,
        "firewall": "standin (needs nothing) or pfsense (your own 2.7.0 image)",
        "name": "name of the lab (default: the topology's)",
        "provider": "libvirt, or vagrant: from a Vagrantfile to hand out",
        "stage": "bare, vips, pfsync, xmlrpc or rules (complete, the default)",
        "cold": "boot, even where lab.down kept what a warm start needs",
        "profile": "show where the time went, per machine and step",
        "json": JSON,
    }
)
def up(
    _: Context,
    topology: str = "uranus",
    firewall: str = "standin",
    name: str = "",
    provider: str = "libvirt",
    stage: str = "rules",
    cold: bool = False,
    profile: bool = False,
    json: bool = False,
) -> None:
    """Build, boot and configure the lab; mend it where it is half built."""
    from lab.commands import up as command

    _end(command.run(topology, firewall, name or None, provider, stage, json, cold, profile))


@task(
    help={
        "name": NAME,
        "all": "every lab of this user",
        "purge": "remove its checkpoints and passwords too; also of a lab that is down already",
        "json": JSON,
    }
)
def down(_: Context, name: str = "", all: bool = False, purge: bool = False, json: bool = False) -> None:
    """End a lab; what a warm lab.up needs stays in the cache."""
    from lab.commands import down as command

    _end(command.run(name or None, all, json, purge))


@task(
    help={
        "name": NAME,
        "json": JSON,
        "full": "listen to the adverts and ask each firewall for its own word; takes a few seconds",
        "config": "--full, and read back each node's config.xml, judge it, compare it with what it was given",
    }
)
def status(_: Context, name: str = "", json: bool = False, full: bool = False, config: bool = False) -> None:
    """Which machines run, and who is master; at once by the wire, with --full by the firewalls' own word too."""
    if full or config:
        from lab.commands import status as command

        _end(command.run(name or None, json, config))
    else:
        from lab.commands import glance

        _end(glance.run(name or None, json))


@task(name="list", help={"json": JSON})
def list_(_: Context, json: bool = False) -> None:
    """Every lab of this user."""
    from lab.commands import list as command

    _end(command.run(json))


@task(help={"name": NAME, "json": JSON})
def check(_: Context, name: str = "", json: bool = False) -> None:
    """Prove that the lab works: allowed paths, denied paths, one master per VHID, virtual MACs."""
    from lab.commands import check as command

    _end(command.run(name or None, json))


@task(
    help={
        "fault": 'kill (default), "unplug lan", wrong-password...: see lab.faults',
        "node": "the firewall to hurt (default: the master; for most misconfigurations the backup)",
        "network": "for unplug, flap, loss and delay",
        "report": "write the report into this directory: a page, JSON, JUnit XML, pcapng",
        "lang": LANG,
        "repeat": "how many times in a row",
        "name": NAME,
        "json": JSON,
    }
)
def failover(
    _: Context,
    fault: str = "kill",
    node: str = "",
    network: str = "",
    report: str = "",
    repeat: int = 1,
    name: str = "",
    json: bool = False,
    lang: str = "en",
) -> None:
    """Hurt the master under traffic, measure what the clients lose, bring it back, compare with the law."""
    from lab.commands import failover as command

    _end(command.run(name or None, fault, node or None, network or None, report or None, repeat, json, lang))


@task(
    help={
        "only": 'faults by comma, such as "kill,unplug backup lan,wrong-password" (default: every one)',
        "repeat": "how many rounds",
        "report": "write each run's report below this directory",
        "lang": LANG,
        "name": NAME,
        "json": JSON,
    }
)
def drill(
    _: Context, only: str = "", repeat: int = 1, report: str = "", name: str = "", json: bool = False, lang: str = "en"
) -> None:
    """Every fault in a row, as a score card: pass, fail or unexplained."""
    from lab.commands import drill as command

    _end(command.run(name or None, only, repeat, report or None, json, lang))


@task(
    positional=["network"],
    help={
        "network": "a network of the lab",
        "file": "write here (default: standard output, for `| wireshark -k -i -`)",
        "seconds": "end after this long (default: at Ctrl-C)",
        "filter": 'a pcap filter, such as "proto 112"',
        "name": NAME,
    },
)
def capture(_: Context, network: str, file: str = "", seconds: float = 0.0, filter: str = "", name: str = "") -> None:
    """Capture one network as pcapng, into a file or live."""
    from lab.commands import capture as command

    _end(command.run(name or None, network, file or None, seconds, filter))


@task(help={"json": JSON})
def faults(_: Context, json: bool = False) -> None:
    """The faults that `lab.failover` knows."""
    from lab.commands import failover as command

    _end(command.list_faults(json))


@task(
    positional=["node", "action"], help={"node": "a firewall", "action": "off, on, maintenance or resume", "name": NAME}
)
def carp(_: Context, node: str, action: str, name: str = "") -> None:
    """The document's own act: disable CARP on a firewall, or put it into maintenance mode, and back."""
    from lab.commands import control as command

    _end(command.carp(name or None, node, action))


@task(
    positional=["node", "action"],
    help={"node": "a machine", "action": "on or off (no grace: the plug is pulled)", "name": NAME},
)
def power(_: Context, node: str, action: str, name: str = "") -> None:
    """Switch a machine on, or pull its plug."""
    from lab.commands import control as command

    _end(command.power(name or None, node, action))


@task(positional=["node", "network"], help={"node": "a machine", "network": "one of its networks", "name": NAME})
def plug(_: Context, node: str, network: str, name: str = "") -> None:
    """Put a machine's network cable back."""
    from lab.commands import control as command

    _end(command.cable(name or None, node, network, plugged=True))


@task(positional=["node", "network"], help={"node": "a machine", "network": "one of its networks", "name": NAME})
def unplug(_: Context, node: str, network: str, name: str = "") -> None:
    """Pull a machine's network cable."""
    from lab.commands import control as command

    _end(command.cable(name or None, node, network, plugged=False))


@task(positional=["node"], help={"node": "a machine", "name": NAME})
def console(_: Context, node: str, name: str = "") -> None:
    """Sit down at a machine's serial console; Ctrl-] leaves it."""
    from lab.commands import control as command

    _end(command.console(name or None, node))


@task(
    name="exec",
    positional=["node", "command"],
    help={"node": "a machine", "command": "one line for its shell", "name": NAME},
)
def exec_(_: Context, node: str, command: str, name: str = "") -> None:
    """Run a command on a machine; its exit code is the command's."""
    from lab.commands import control

    _end(control.execute(name or None, node, command))


@task(positional=["node"], help={"node": "a machine", "follow": "go on as it grows, until Ctrl-C", "name": NAME})
def log(_: Context, node: str, follow: bool = False, name: str = "") -> None:
    """The transcript of a machine's serial console."""
    from lab.commands import control as command

    _end(command.log(name or None, node, follow))


@task(name="list", help={"json": JSON})
def image_list(_: Context, json: bool = False) -> None:
    """Guest images: what is built, how large, from which recipe."""
    from lab.commands import image as command

    _end(command.show(json))


@task(
    name="build",
    help={"image": "standin or client (default: all)", "force": "build again even if it is there",
          "firewall": "standin, with --from-installer", "from-installer": "medium, installer, first boot, push, sync",
          "repeat": "how often in a row"},
    iterable=["image"],
)  # fmt: skip
def image_build(
    _: Context, image: list[str], force: bool = False, firewall: str = "", from_installer: bool = False, repeat: int = 1
) -> None:
    """Build guest images that are not there yet."""
    from lab.commands import image as command

    _end(command.build([*image, firewall] if firewall else image, force, repeat if from_installer else 0))


@task(
    name="box",
    help={
        "image": "standin or client (default: all)",
        "home": "register in this VAGRANT_HOME, say ~/.vagrant.d (default: one that all labs share)",
        "json": JSON,
    },
    iterable=["image"],
)
def image_box(_: Context, image: list[str], home: str = "", json: bool = False) -> None:
    """Pack guest images as Vagrant boxes, with version and checksum, and register them."""
    from lab.commands import image as command

    _end(command.box(image, home or None, json))


@task(name="verify", help={"json": JSON})
def image_verify(_: Context, json: bool = False) -> None:
    """Check every image against its SHA-256."""
    from lab.commands import image as command

    _end(command.verify(json))


@task(name="prune")
def image_prune(_: Context) -> None:
    """Remove images of older recipes, and what killed builds left."""
    from lab.commands import image as command

    _end(command.prune())


@task(
    name="add",
    positional=["file"],
    help={"file": "a pfSense memstick-serial image, .img or .img.gz", "sha256": "what it should have, as published"},
)
def image_add(_: Context, file: str, sha256: str = "") -> None:
    """Take a pfSense image of your own into the cache."""
    from lab.commands import image as command

    _end(command.add(file, sha256))


@task(help={"topology": TOPOLOGY, "json": JSON})
def lint(_: Context, topology: str = "uranus", json: bool = False) -> None:
    """What is unwise in a topology, rule by rule."""
    from lab.commands import topology as command

    _end(command.lint(topology, json))


@task(help={"topology": TOPOLOGY, "svg": "write the drawing as SVG into this file"})
def show(_: Context, topology: str = "uranus", svg: str = "") -> None:
    """Draw a topology."""
    from lab.commands import topology as command

    _end(command.show(topology, svg or None))


@task(positional=["directory"], help={"directory": "where to write", "topology": TOPOLOGY, "stage": "see lab.up"})
def render(_: Context, directory: str, topology: str = "uranus", stage: str = "rules") -> None:
    """Write everything a lab would be made from, without touching this machine."""
    from lab.commands import topology as command

    _end(command.render(topology, directory, stage))


@task(name="check", positional=["file"], help={"file": "any pfSense config.xml", "json": JSON})
def config_check(_: Context, file: str, json: bool = False) -> None:
    """Would pfSense 2.7.0 take this config.xml, and would it do what it says?"""
    from lab.commands import config_check as command

    _end(command.run(file, json))


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


@task(positional=["checkpoint"], help={"checkpoint": "what to call it", "name": NAME, "json": JSON})
def save(_: Context, checkpoint: str, name: str = "", json: bool = False) -> None:
    """Keep the whole lab as it is now, RAM and disks; it stands still for about a second."""
    from lab.commands import checkpoint as command

    _end(command.save(name or None, checkpoint, json))


@task(
    positional=["checkpoint"],
    help={"checkpoint": "see lab.checkpoints", "node": "one machine alone", "name": NAME, "json": JSON},
)
def restore(_: Context, checkpoint: str, node: str = "", name: str = "", json: bool = False) -> None:
    """Put the lab, or one machine, back to what was saved."""
    from lab.commands import checkpoint as command

    _end(command.restore(name or None, checkpoint, node or None, json))


@task(help={"node": "one machine alone", "name": NAME, "json": JSON})
def reset(_: Context, node: str = "", name: str = "", json: bool = False) -> None:
    """Put the lab, or one machine, back to how `lab.up` left it."""
    from lab.commands import checkpoint as command

    _end(command.reset(name or None, node or None, json))


@task(
    help={
        "delete": "remove this one, and give its room back",
        "verify": "read all of them back and compare with their records",
        "name": NAME,
        "json": JSON,
    }
)
def checkpoints(_: Context, delete: str = "", verify: bool = False, name: str = "", json: bool = False) -> None:
    """The checkpoints of a lab, with their sizes."""
    from lab.commands import checkpoint as command

    _end(command.listing(name or None, delete or None, verify, json))


lab = Collection("lab", up, down, status, list_, check, failover, report, faults, carp, power, plug, unplug)
for each in (drill, capture, console, exec_, log, save, restore, reset, checkpoints, push, sync, gui):
    lab.add_task(each)
image = Collection("image", image_list, image_build, image_box, image_verify, image_prune, image_add)
topology = Collection("topology", lint, show, render)
config = Collection("config", config_check)

namespace = Collection(test, lab, image, topology, config)

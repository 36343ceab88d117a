"""Commands in pfSense's formats, run in forks of the warm process. The table is the whole list."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import PurePath

from standin.places import Places

# Command -> module with `main(arguments, places) -> exit code`.
MODULES = {
    "ifconfig": "ifconfig",
    "sysctl": "sysctl",
    "pfctl": "pfctl",
    "netstat": "netstat",
    "pfSsh.php": "pfssh",
    "reboot": "power",
    "halt": "power",
    "poweroff": "power",
    "shutdown": "power",
}
NOT_FOUND = "{name}: not found\n"


def run_command(argv: Sequence[str], places: Places) -> int:
    """Run one command line; its exit code."""
    name = PurePath(argv[0]).name
    if name not in MODULES:
        sys.stderr.write(NOT_FOUND.format(name=name))
        return 127
    module = import_module(f"standin.commands.{MODULES[name]}")
    try:
        code: int = module.main(name, list(argv[1:]), places)
        sys.stdout.flush()
    finally:
        sys.stderr.flush()
    return code

"""Commands in pfSense's formats, run in forks of the warm process. The table is the whole list."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import PurePath

from standin.places import Places
from standin.xmlnode import SettingsError

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
    "rc.filter_configure_sync": "rc",
    "rc.filter_synchronize": "synchronize",
    "rc.reload_all": "rc",
    "rc.reload_interfaces": "rc",
    "rc.reboot": "rc",
}
# Not imported beforehand: nothing waits for them, and the boot is spared their cost.
LATER = {"synchronize"}
NOT_FOUND = "{name}: not found\n"
FAILED = "{name}: {reason}\n"


def run_command(argv: Sequence[str], places: Places) -> int:
    """Run one command line; its exit code."""
    name = PurePath(argv[0]).name
    if name not in MODULES:
        sys.stderr.write(NOT_FOUND.format(name=name))
        return 127
    module = import_module(f"standin.commands.{MODULES[name]}")
    code = 1
    try:
        code = module.main(name, list(argv[1:]), places)
        sys.stdout.flush()
    except FileNotFoundError as error:
        sys.stderr.write(FAILED.format(name=name, reason=f"{error.filename}: {error.strerror}"))
    except SettingsError as error:
        sys.stderr.write(FAILED.format(name=name, reason=error))
    finally:
        sys.stderr.flush()
    return code


def preload() -> None:
    """Import every command, so that a fork of this process has them at once."""
    for module in set(MODULES.values()) - LATER:
        import_module(f"standin.commands.{module}")

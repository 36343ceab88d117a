"""pfSense's own scripts in /etc that the stand-in offers: reload the rules, reload everything, reboot."""

from __future__ import annotations

import sys

from standin import apply, cluster, power
from standin.places import Places
from standin.run import CommandError


def main(name: str, arguments: list[str], places: Places) -> int:
    try:
        if name == "rc.reboot":
            power.end_politely(power.REBOOT)
        elif name == "rc.filter_configure_sync":
            apply.reload_filter(places)
        else:
            apply.reload_all(places)
    except (CommandError, cluster.ClusterError) as error:
        sys.stderr.write(f"{name}: {error}\n")
        return 1
    return 0

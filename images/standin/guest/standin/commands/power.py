"""`reboot`, `halt`, `poweroff`, `shutdown -r|-p|-h now` from a shell: CARP is not told, as on FreeBSD. The menu tells it first."""

from __future__ import annotations

from standin import power
from standin.places import Places


def main(name: str, arguments: list[str], places: Places) -> int:
    again = name == "reboot" or (name == "shutdown" and "-r" in arguments)
    power.ask(power.REBOOT if again else power.HALT)
    return 0

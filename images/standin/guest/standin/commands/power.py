"""`reboot`, `halt`, `poweroff`, `shutdown -r|-p|-h now`: a clean end, CARP first."""

from __future__ import annotations

from standin import power
from standin.places import Places


def main(name: str, arguments: list[str], places: Places) -> int:
    again = name == "reboot" or (name == "shutdown" and "-r" in arguments)
    (power.ask_reboot if again else power.ask_halt)()
    return 0

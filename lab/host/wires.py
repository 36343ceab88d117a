"""What the lab's namespace itself remembers: which MAC its bridges saw behind which port."""

from __future__ import annotations

import json
from dataclasses import dataclass

from lab.host.advert_watch import RULES
from lab.host.world import World

CLEAR = f"nft -f - <<'RULES'\nflush ruleset\n{RULES}RULES"
"""Rules in this namespace are the lab's: a fault that was broken off may have left some that disturb its wires. The watch begins
anew, since what it heard belongs to another past."""

FORGET = "ip link set dev {bridge} type bridge fdb_flush"
LEARN = "fdb replace {mac} dev {port} master dynamic"
LEARN_ALL = "bridge -force -batch - 2>/dev/null || true"
"""A port whose machine is off is not there; what was seen behind it is of no use then."""


@dataclass(frozen=True)
class Seen:
    """One line of a bridge's forwarding table: this MAC was seen behind that port (a tap)."""

    mac: str
    port: str
    bridge: str


@dataclass(frozen=True)
class Wires:
    """The forwarding tables of a lab's bridges."""

    world: World

    def read(self) -> tuple[Seen, ...]:
        """What the bridges have learnt. Raises LabError."""
        return learnt(self.world.run(["bridge", "-json", "fdb", "show"]))

    def write(self, seen: tuple[Seen, ...]) -> None:
        """Forget what was learnt since, and learn this instead; end what disturbs the wires. Raises LabError."""
        bridges = sorted({line.bridge for line in seen})
        forget = [FORGET.format(bridge=bridge) for bridge in bridges]
        learn = [LEARN.format(mac=line.mac, port=line.port) for line in seen]
        if bridges:
            self.world.run(
                ["sh", "-ec", "\n".join([CLEAR, *forget, LEARN_ALL])], "".join(f"{line}\n" for line in learn)
            )


def learnt(text: str) -> tuple[Seen, ...]:
    """The learnt entries in the output of `bridge -json fdb show`; those of the ports' own MACs are left out."""
    rows = json.loads(text or "[]")
    return tuple(
        Seen(row["mac"], row["ifname"], row["master"])
        for row in rows
        if row.get("master") and not row.get("state") and "self" not in row.get("flags", [])
    )

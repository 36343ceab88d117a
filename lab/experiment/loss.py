"""Losing frames on one network: one nftables table of our own in the lab's namespace, on the bridge's forwarding.

The bridge's capture stands before it, a machine's own port behind it: what a client got is still judged rightly.
"""

from __future__ import annotations

from lab.experiment.contracts import Subject
from lab.topology.plan import make_plan

TABLE = "uranus-loss"
RULES = """\
table bridge {table}
delete table bridge {table}
table bridge {table} {{
    chain losing {{
        type filter hook forward priority 0; policy accept;
        iifname {{ {ports} }} numgen random mod 1000 < {share} counter drop
    }}
}}
"""
END = "table bridge {table}\ndelete table bridge {table}\n"


def begin(subject: Subject, network: str, share: float) -> None:
    """Lose this share of all frames between the machines of a network. Raises LabError."""
    plan = make_plan(subject.topology)
    ports = [nic.tap for machine in plan.machines for nic in machine.nics if nic.network == network]
    text = RULES.format(table=TABLE, ports=", ".join(f'"{port}"' for port in ports), share=round(1000 * share))
    subject.world.run(["nft", "-f", "-"], text)


def end(subject: Subject) -> None:
    """Lose nothing any more. Raises LabError."""
    subject.world.run(["nft", "-f", "-"], END.format(table=TABLE))

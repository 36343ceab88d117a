"""What a rule may name as source or destination."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Literal

from lab.topology.model import ANYWHERE, THIS_FIREWALL


@dataclass(frozen=True)
class Endpoint:
    """One side of a rule. name: the network or the address; "" for any and firewall. negated: everything but this."""

    kind: Literal["any", "firewall", "network", "address"]
    name: str = ""
    negated: bool = False


def parse_endpoint(text: str, networks: Collection[str]) -> Endpoint:
    """`any`, `firewall`, a network, an address; the last two also with `!` in front. ValueError for anything else."""
    negated = text.startswith("!")
    name = text[1:].strip() if negated else text
    if name in networks:
        return Endpoint("network", name, negated)
    if name == ANYWHERE and not negated:
        return Endpoint("any")
    if name == THIS_FIREWALL and not negated:
        return Endpoint("firewall")
    return Endpoint("address", str(IPv4Address(name)), negated)

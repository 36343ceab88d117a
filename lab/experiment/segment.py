"""Who answers ARP for which address, and which ports the HA rules open: asked on each segment from outside any machine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from lab.carp.packet import mac_text, virtual_mac
from lab.expect.paths import GUI_PORT, WEB_PORT, Packet, Verdict, judge
from lab.experiment.contracts import World
from lab.experiment.result import CheckResult
from lab.topology.model import Topology
from lab.topology.plan import bridge_name, make_plan
from lab.topology.spare import spare_addresses
from lab.topology.stage import Stage

PROGRAM = Path(__file__).with_name("segment_probe.py")
ASK_SECONDS = 20.0

WHAT_VIRTUAL = "VIP {address} on {network} answers ARP once, with the virtual MAC"
WHAT_REAL = "{node}'s own {address} on {network} answers ARP once, with its real MAC"
WHAT_SILENT = "VIP {address} on {network} does not exist yet"
WHAT_PORT = "a stranger on {network} to {node} ({address}), tcp {port}"
NOBODY = IPv4Address(0)
NO_ANSWER = "no answer"
LET_THROUGH = "let through"
OPEN = "a connection"
PORT_SAYS = "let through; the port itself says: {reply}"
"""What a rule decides is whether the question arrives: a port where nobody listens refuses it, and that is an answer too."""
ACCEPTED = "open"
"""What the probe calls an answer to a SYN that accepts."""
JOINED = " and "
TOO_MANY = "{macs}, {answers} answers to {asked} questions"
BECAUSE = "{word} ({reason})"


@dataclass(frozen=True)
class Question:
    """expected: MACs that should answer (port 0), or what should come of a SYN. source: the address a SYN claims to come from."""

    id: str
    what: str
    network: str
    address: IPv4Address
    expected: str
    port: int = 0
    source: IPv4Address = NOBODY
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Answer:
    """macs: everyone who answered ARP, each once. answers, asked: how many answers to how many ARP questions.
    reply: `open`, `refused` or "" to a SYN."""

    macs: tuple[str, ...]
    reply: str
    answers: int
    asked: int


def questions(topology: Topology, stage: Stage) -> tuple[Question, ...]:
    """Every address of the firewalls by ARP, and the ports of the sync network."""
    return (*_virtual(topology, stage), *_real(topology), *_sync_ports(topology, stage))


def ask(world: World, asked: Sequence[Question]) -> tuple[Answer, ...]:
    """Ask everything at once; answers in the same order. Raises LabError."""
    rows = [
        {
            "link": bridge_name(q.network),
            "address": str(q.address),
            "port": q.port,
            "source": str(q.source),
            "awaited": bool(q.expected),
        }
        for q in asked
    ]
    out = world.run(["python3", "-I", str(PROGRAM), json.dumps(rows)], timeout=ASK_SECONDS)
    return tuple(Answer(tuple(row["macs"]), row["reply"], row["answers"], row["asked"]) for row in json.loads(out))


def segment_results(asked: Sequence[Question], answers: Sequence[Answer]) -> Iterator[CheckResult]:
    for question, answer in zip(asked, answers, strict=True):
        seen = _reply(answer) if question.port else _who(answer)
        expected = question.expected or NO_ANSWER
        if question.verdict is not None:
            expected = BECAUSE.format(word=expected, reason=question.verdict.reason)
        ok = _as_expected(question, answer) if question.port else seen == question.expected
        yield CheckResult(question.id, question.what, expected, seen or NO_ANSWER, ok)


def _as_expected(question: Question, answer: Answer) -> bool:
    """Behind the port of the web interface somebody listens: XML-RPC needs a connection, not merely an open way."""
    if question.expected == OPEN:
        return answer.reply == ACCEPTED
    return bool(answer.reply) == bool(question.expected)


def _reply(answer: Answer) -> str:
    if answer.reply == ACCEPTED:
        return OPEN
    return PORT_SAYS.format(reply=answer.reply) if answer.reply else ""


def _who(answer: Answer) -> str:
    macs = JOINED.join(answer.macs)
    if answer.answers <= answer.asked:
        return macs
    return TOO_MANY.format(macs=macs, answers=answer.answers, asked=answer.asked)


def _virtual(topology: Topology, stage: Stage) -> Iterator[Question]:
    there = stage.reaches(Stage.VIPS)
    for vip in topology.carp.vips:
        what = (WHAT_VIRTUAL if there else WHAT_SILENT).format(address=vip.address, network=vip.network)
        mac = mac_text(virtual_mac(vip.vhid)) if there else ""
        yield Question(f"arp:{vip.network}/{vip.address}", what, vip.network, vip.address, mac)


def _real(topology: Topology) -> Iterator[Question]:
    for node in make_plan(topology).firewalls:
        for nic in node.nics:
            what = WHAT_REAL.format(node=node.name, address=nic.address.ip, network=nic.network)
            yield Question(f"arp:{nic.network}/{nic.address.ip}", what, nic.network, nic.address.ip, nic.mac)


def _sync_ports(topology: Topology, stage: Stage) -> Iterator[Question]:
    """From an address of the sync network that nobody has: 443 is what the rules open, 80 what they do not."""
    network, node = topology.sync.network, topology.backup
    source, address = next(spare_addresses(topology, network)), topology.firewalls[node].addresses[network]
    for port in (GUI_PORT, WEB_PORT):
        verdict = judge(topology, stage, Packet(network, source, address, "tcp", port))
        what = WHAT_PORT.format(network=network, node=node, address=address, port=port)
        expected = (OPEN if port == GUI_PORT else LET_THROUGH) if verdict.allowed else ""
        yield Question(f"sync:{network}/{port}", what, network, address, expected, port, source, verdict)

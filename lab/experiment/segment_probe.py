"""Asks the lab's segments from outside any machine: who has this address, and is this port open?

A program of its own (`python3 segment_probe.py QUESTIONS`), run as root in the lab's namespace; standard library only.

QUESTIONS is a JSON list of {"link", "address", "port", "source", "awaited"}: `port` 0 asks ARP alone; otherwise a SYN is
sent from `source`, an address nobody has. Where no answer is awaited, a shorter silence is enough. On stdout a JSON list in
the same order: {"macs": [...], "reply": "open" | "refused" | "", "answers": N, "asked": N}; the numbers count ARP packets
about that address. Frames leave with the bridge's own address, so that answers come back to the bridge itself.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import sys
import time
from dataclasses import dataclass, field

ARP, IPV4 = 0x0806, 0x0800
REQUEST, REPLY = 1, 2
BROADCAST = b"\xff" * 6
SYN, RST, ACK = 0x02, 0x04, 0x10
PATIENCE = 3.0
"""Seconds for the first answer; slow guests need them."""
SILENCE = 1.5
"""Seconds after which none is believed where none is awaited: the question has been asked twice."""
AFTERMATH = 0.5
"""Seconds in which a second, unwanted answer would come."""
REPEAT = 1.0
"""Seconds before an unanswered question is asked again."""


@dataclass
class Question:
    """One question and what was heard. ident: source port of the SYN."""

    link: str
    address: bytes
    port: int
    source: bytes
    ident: int
    awaited: bool = True
    macs: list[bytes] = field(default_factory=list)
    reply: str = ""
    answers: int = 0
    asked: int = 0
    last: float = 0.0

    @property
    def done(self) -> bool:
        return bool(self.reply) if self.port else bool(self.macs)


def checksum(data: bytes) -> int:
    """Internet checksum of an even number of bytes."""
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def arp_frame(operation: int, own: bytes, sender: bytes, to: bytes, target: bytes) -> bytes:
    """own: our MAC. to: destination MAC, broadcast for a request. A sender of 0.0.0.0 changes nobody's table."""
    hardware = bytes(6) if operation == REQUEST else to
    return to + own + struct.pack(">HHHBBH6s4s6s4s", ARP, 1, IPV4, 6, 4, operation, own, sender, hardware, target)


def syn_frame(own: bytes, to: bytes, source: bytes, address: bytes, ports: tuple[int, int]) -> bytes:
    """ports: source, destination."""
    tcp = struct.pack(">HHIIBBHHH", *ports, 1, 0, 0x50, SYN, 1024, 0, 0)
    pseudo = source + address + struct.pack(">BBH", 0, 6, len(tcp))
    tcp = tcp[:16] + struct.pack(">H", checksum(pseudo + tcp)) + tcp[18:]
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0, source, address)
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    return to + own + struct.pack(">H", IPV4) + head + tcp


def take(frame: bytes, own: bytes, question: Question) -> bytes | None:
    """Note what a frame says about a question. Returns an ARP sender that asks for our borrowed address, to be answered."""
    kind = int.from_bytes(frame[12:14], "big")
    if kind == ARP and len(frame) >= 42:
        operation = int.from_bytes(frame[20:22], "big")
        if operation == REPLY and frame[:6] == own and frame[28:32] == question.address:
            question.answers += 1
            if frame[22:28] not in question.macs:
                question.macs.append(frame[22:28])
        if operation == REQUEST and frame[38:42] == question.source and question.port:
            return frame[22:28]
    if kind == IPV4 and len(frame) >= 54 and frame[23] == 6:
        start = 14 + (frame[14] & 0x0F) * 4
        ports = struct.unpack_from(">HH", frame, start)
        if (
            frame[26:30] == question.address
            and frame[30:34] == question.source
            and ports == (question.port, question.ident)
        ):
            flags = frame[start + 13]
            question.reply = "refused" if flags & RST else "open" if flags & SYN and flags & ACK else question.reply
    return None


def ask(handle: socket.socket, own: bytes, question: Question, now: float) -> None:
    """Send what is due: ARP first, the SYN once somebody has the address."""
    if question.done or now - question.last < REPEAT:
        return
    question.last = now
    if not question.macs:
        question.asked += 1
        handle.send(arp_frame(REQUEST, own, bytes(4), BROADCAST, question.address))
    else:
        ports = (question.ident, question.port)
        handle.send(syn_frame(own, question.macs[0], question.source, question.address, ports))


def run(questions: list[Question]) -> None:
    """Ask all at once; return when all are answered, or patience ends."""
    sockets: dict[str, socket.socket] = {}
    for link in {question.link for question in questions}:
        sockets[link] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        sockets[link].bind((link, 3))
    links = {handle.fileno(): link for link, handle in sockets.items()}
    own = {link: handle.getsockname()[4] for link, handle in sockets.items()}
    begun = time.monotonic()
    settled = 0.0
    while (now := time.monotonic()) - begun < PATIENCE:
        if all(question.done or (not question.awaited and now - begun > SILENCE) for question in questions):
            settled = settled or now
            if now - settled > AFTERMATH:
                return
        for question in questions:
            ask(sockets[question.link], own[question.link], question, now)
        for handle in select.select(list(sockets.values()), [], [], 0.05)[0]:
            link = links[handle.fileno()]
            frame = handle.recv(2048)
            for question in questions:
                if question.link != link:
                    continue
                had = bool(question.macs)
                asker = take(frame, own[link], question)
                if asker:
                    handle.send(arp_frame(REPLY, own[link], question.source, asker, frame[28:32]))
                if question.port and question.macs and not had:
                    question.last = 0.0


def main(text: str) -> None:
    rows = json.loads(text)
    base = 20000 + os.getpid() % 20000
    questions = [
        Question(
            row["link"],
            socket.inet_aton(row["address"]),
            row["port"],
            socket.inet_aton(row["source"]),
            base + n,
            row["awaited"],
        )
        for n, row in enumerate(rows)
    ]
    run(questions)
    asked: dict[tuple[str, bytes], int] = {}
    for q in questions:
        asked[q.link, q.address] = asked.get((q.link, q.address), 0) + q.asked
    answers = [
        {
            "macs": [mac.hex(":") for mac in q.macs],
            "reply": q.reply,
            "answers": q.answers,
            "asked": asked[q.link, q.address],
        }
        for q in questions
    ]
    print(json.dumps(answers))


if __name__ == "__main__":
    main(sys.argv[1])

"""Option 10: denied and logged packets as they come, in the form of pfSense's filter.log, until Ctrl-C.

pfSense follows a file that its filterlog daemon writes; here the kernel's own messages are put into that form. Fields: pfSense
documentation, "Raw Filter Log Format". A rule has no number here, and the kernel does not tell a TCP packet's sequence numbers.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

KMSG = Path("/dev/kmsg")
RECORD_BYTES = 8192
LAST_LINES = 10
"""How much of what was before is shown first, as by tail(1)."""

DEFAULT_DENY_TRACKER = "1000000103"
"""pfSense's number of its default deny rule for IPv4 (etc/inc/filter.inc)."""

PROTOCOLS = {"TCP": ("6", "tcp"), "UDP": ("17", "udp"), "ICMP": ("1", "icmp")}
TCP_FLAGS = (
    ("CWR", "W"),
    ("ECE", "E"),
    ("URG", "U"),
    ("PSH", "P"),
    ("RST", "R"),
    ("ACK", "A"),
    ("SYN", "S"),
    ("FIN", "F"),
)
RULE = re.compile(r"(?:rule (?P<tracker>\S+) (?P<action>\w+) |default deny: )IN=")


def entry(message: str) -> str | None:
    """The comma-separated fields of one kernel message, None for a message of another kind."""
    rule = RULE.search(message)
    if not rule:
        return None
    words = message[rule.end() - 3 :].split()
    values = dict(word.split("=", 1) for word in words if "=" in word)
    flags = {word for word in words if "=" not in word}
    if "SRC" not in values:
        return None
    inward = bool(values.get("IN"))
    number, name = PROTOCOLS.get(values.get("PROTO", ""), (values.get("PROTO", ""), values.get("PROTO", "").lower()))
    action = rule["action"] or "block"
    fields = ["", "", "", rule["tracker"] or DEFAULT_DENY_TRACKER]
    fields += [values["IN"] if inward else values.get("OUT", ""), "match", "pass" if action == "pass" else "block"]
    fields += [
        "in" if inward else "out",
        "4",
        values.get("TOS", "0x0").replace("0x00", "0x0"),
        "",
        values.get("TTL", ""),
    ]
    fields += [values.get("ID", ""), values.get("FRAG", "0"), "DF" if "DF" in flags else "none", number, name]
    length = int(values.get("LEN", "0"))
    fields += [str(length), values["SRC"], values["DST"]]
    if name in ("tcp", "udp"):
        fields += [values.get("SPT", ""), values.get("DPT", ""), str(max(length - (40 if name == "tcp" else 28), 0))]
    if name == "tcp":
        letters = "".join(letter for flag, letter in TCP_FLAGS if flag in flags)
        fields += [letters, "", "", values.get("WINDOW", ""), "", ""]
    return ",".join(fields)


def follow() -> None:
    """Print the last entries there are, then each as it comes; ended by a signal."""
    waiting: list[str] = []
    host, process = os.uname().nodename.partition(".")[0], os.getpid()
    boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    for record in _records():
        if record is None:
            sys.stdout.write("".join(waiting[-LAST_LINES:]))
            sys.stdout.flush()
            waiting = []
            continue
        head, _, message = record.partition(";")
        fields = entry(message)
        if fields:
            stamp = time.localtime(boot + int(head.split(",")[2]) / 1e6)
            waiting.append(f"{time.strftime('%b %e %H:%M:%S', stamp)} {host} filterlog[{process}]: {fields}\n")


def _records() -> Iterator[str | None]:
    """Kernel messages, oldest first; None whenever there is none for the moment."""
    import select

    source = os.open(KMSG, os.O_RDONLY | os.O_NONBLOCK)
    while True:
        try:
            yield os.read(source, RECORD_BYTES).decode(errors="replace")
        except BlockingIOError:
            yield None
            select.select([source], [], [])
        except BrokenPipeError:  # what we had not read yet was overwritten
            continue

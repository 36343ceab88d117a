"""python -m lab.carp [--strict-ttl] [--seed N] [FILE]: replay CARP events on one host.

Reads one event a line (or, as FILE, a recorded case) and prints what the host does, one outcome a line.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterable
from typing import TextIO

from lab.carp.replay import Replay, case_events

BAD_LINE = "{name}:{number}: not an event: {error!r}"
USAGE_ERROR = 2


def numbered_lines(source: TextIO) -> Iterable[tuple[int, str]]:
    """(line number, event as JSON) of a stream of lines; a case file is read whole, its events numbered."""
    for number, line in enumerate(source, 1):
        if line.strip() == "{":  # a case file is spread over lines, an event never is
            case = json.loads(line + source.read())
            yield from enumerate(map(json.dumps, case_events(case)), 1)
        elif line.strip():
            yield number, line


def main(arguments: list[str] | None = None) -> int:
    """0, or 2 where a line is no event."""
    parser = argparse.ArgumentParser(prog="python -m lab.carp", description=__doc__)
    parser.add_argument("file", nargs="?", type=argparse.FileType("r"), default=sys.stdin)
    parser.add_argument("--strict-ttl", action="store_true", help="refuse IPv4 adverts with a TTL other than 255")
    parser.add_argument("--seed", type=int, help="make the random counters repeatable")
    options = parser.parse_args(arguments)
    source = random.SystemRandom() if options.seed is None else random.Random(options.seed)
    replay = Replay(lambda: source.getrandbits(64), strict_ttl=options.strict_ttl)
    number = 0
    try:
        for number, event in numbered_lines(options.file):  # noqa: B007
            for line in replay.feed(json.loads(event)):
                print(line)
            sys.stdout.flush()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        print(BAD_LINE.format(name=options.file.name, number=number, error=error), file=sys.stderr)
        return USAGE_ERROR
    return 0


if __name__ == "__main__":
    sys.exit(main())

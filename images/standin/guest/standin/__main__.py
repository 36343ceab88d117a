"""`python3 -S -E -m standin init`: become the stand-in, or its installer. See images/standin/README.md."""

from __future__ import annotations

import sys

USAGE = "usage: python3 -m standin init|medium [CONSOLE-DEVICE]\n"


def main(argv: list[str]) -> int:
    if argv[:1] == ["medium"] and len(argv) <= 2:
        from standin.medium.main import main as medium

        medium(*(argv[1:] or ["/dev/ttyS0"]))
        return 1
    if argv[:1] != ["init"] or len(argv) > 2:
        sys.stderr.write(USAGE)
        return 64
    from standin import init

    init.main(*argv[1:])
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

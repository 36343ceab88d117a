"""A program's questions to its terminal about size, answered as a terminal of 80 x 24 does."""

from __future__ import annotations

import re
from collections.abc import Iterator

WINDOW_QUERY = re.compile(rb"\x1b\[(6n|18t)")
"""What FreeBSD's resizewin asks a terminal: where is the cursor, how large are you."""

ANSWERS = {b"6n": b"\x1b[24;80R", b"18t": b"\x1b[8;24;80t"}


class SizeQueries:
    """Sees what is read, piece by piece, however a query is split."""

    def __init__(self) -> None:
        self._tail = b""

    def answers(self, data: bytes) -> Iterator[bytes]:
        """What to send for the queries that are complete with this piece."""
        text = self._tail + data
        queries = list(WINDOW_QUERY.finditer(text))
        # A query may come in two reads: keep what could still become one.
        self._tail = text[queries[-1].end() if queries else 0 :][-4:]
        return (ANSWERS[query.group(1)] for query in queries)

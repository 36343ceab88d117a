from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wire.firewalls import Pair
from tests.wire.namespaces import Network


@pytest.fixture
def network() -> Iterator[Network]:
    made = Network()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def pair(network: Network, tmp_path: Path) -> Pair:
    """Two firewalls that have elected A."""
    made = Pair(network, tmp_path)
    made.start()
    return made

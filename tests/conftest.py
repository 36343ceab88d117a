"""What all layers share: their order, their markers, a state directory of their own, and a last look for leftovers."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer

from tests import leftovers
from tests.shares import Shares

LAYERS = ("house", "unit", "golden", "replay", "wire", "lab")
"""Directories of tests/ in the order they run: the cheap first, whole labs last, never two at once."""

# No deadline: a slow computer is no failure. In CI the examples are more, and the same each time.
settings.register_profile("default", max_examples=50, deadline=None)
settings.register_profile("ci", max_examples=300, deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


def layer_of(item: pytest.Item) -> str:
    """The layer a test belongs to: its marker if it has one of `wire` and `lab`, else its directory."""
    for marker in ("lab", "wire"):
        if item.get_closest_marker(marker):
            return marker
    directory = item.path.relative_to(Path(__file__).parent).parts[0]
    return directory if directory in LAYERS else "unit"


@pytest.hookimpl(tryfirst=True)  # before -m chooses by the markers given here
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        layer = layer_of(item)
        if layer in ("wire", "lab"):
            item.add_marker(layer)
            if os.geteuid() != 0:
                item.add_marker(pytest.mark.skip(reason=f"{layer} tests need root: run `sudo ./inv test`"))
    items.sort(key=lambda item: LAYERS.index(layer_of(item)))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Shares:
    return Shares(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [r for r in terminalreporter.stats.get("skipped", []) if "need root" in str(r.longrepr)]
    if skipped:
        terminalreporter.write_sep(
            "!", f"{len(skipped)} tests were NOT run: they need root. Run `sudo ./inv test`", red=True
        )


@pytest.fixture(scope="session", autouse=True)
def state_home() -> Iterator[Path]:
    """URANUS_STATE of this run: a new directory, its path short enough for a socket's; the image cache stays the real one.

    At the end nothing of this run may be left: a process, a mount, a network namespace. What is left fails the run.
    Beside other workers of one run, a namespace is only known to be left when its processes are this worker's.
    """
    mark = uuid.uuid4().hex
    alone = "PYTEST_XDIST_WORKER" not in os.environ
    before = leftovers.namespaces()
    home = Path(tempfile.mkdtemp(prefix="uranus-test-", dir="/var/tmp"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("URANUS_STATE", str(home))
        patch.setenv(leftovers.MARK, mark)
        yield home
    found = [
        *leftovers.processes(mark),
        *leftovers.mounts(home),
        *leftovers.orphans(leftovers.namespaces() - before, mark, empty_ones=alone),
    ]
    if found:
        pytest.fail("\n".join(("the tests left behind:", *found, f"state directory, kept: {home}")), pytrace=False)
    shutil.rmtree(home)

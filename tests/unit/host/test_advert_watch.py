"""What nft prints of the set of adverts, read."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.host.advert_watch import Heard, heard, parse, seconds
from lab.paths import LabPaths

LISTING = """\
table bridge uranus-watch {
    set adverts {
        type ifname . ether_addr
        size 1024
        flags dynamic,timeout
        timeout 20s
        elements = { "master-lan" . 00:00:5e:00:01:01 expires 19s644ms,
                 "backup-srv" . 00:00:5e:00:01:1f timeout 20s expires 17s,
                 "backup-srv" . 52:54:00:17:01:02 expires 19s,
                 "master-dmz" . 00:00:5e:00:01:03 expires 4ms }
    }
}
"""


def test_senders_with_their_vhid_and_age() -> None:
    found = parse(LISTING)
    assert [(one.port, one.vhid) for one in found] == [("master-lan", 1), ("backup-srv", 31), ("master-dmz", 3)]
    assert [one.age for one in found] == pytest.approx([0.356, 3.0, 19.996])


def test_an_empty_set_is_nobody() -> None:
    assert parse(LISTING.partition("elements")[0]) == ()


@pytest.mark.parametrize(("text", "expected"), [("19s644ms", 19.644), ("4ms", 0.004), ("1m2s", 62.0), ("0s", 0.0)])
def test_spans_of_time(text: str, expected: float) -> None:
    assert seconds(text) == pytest.approx(expected)


def test_an_age_is_never_below_zero() -> None:
    assert parse('"a" . 00:00:5e:00:01:01 expires 20s4ms') == (Heard("a", 1, 0.0),)


def test_without_a_namespace_nothing_is_known(tmp_path: Path) -> None:
    assert heard(LabPaths(tmp_path / "no-such-lab")) is None

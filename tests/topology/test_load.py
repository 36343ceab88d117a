"""Loading: every kind of mistake has its text in tests/golden/topology, with the right line."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import LabError
from lab.topology.findings import TopologyError
from lab.topology.load import load_topology, parse_topology
from tests.golden_files import GOLDEN, assert_golden
from tests.render.plans import TOPOLOGIES

BROKEN = sorted((GOLDEN / "topology").glob("*.yaml"))
GOOD = sorted(TOPOLOGIES.glob("*.yaml"))


def error_of(path: Path) -> TopologyError:
    with pytest.raises(TopologyError) as caught:
        parse_topology(path.read_bytes().decode(), path.name)
    return caught.value


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_shipped_files_load(path: Path) -> None:
    assert load_topology(path.stem, TOPOLOGIES).name == path.stem
    assert load_topology(str(path), Path("elsewhere")).name == path.stem


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_mistake_is_named(path: Path) -> None:
    error = error_of(path)
    assert_golden(f"topology/{path.stem}.txt", f"{error}\n")
    for finding in error.findings:
        assert finding.file == path.name
        assert 1 <= finding.line <= max(1, len(path.read_bytes().splitlines()))


def test_there_are_enough_kinds() -> None:
    assert len(BROKEN) >= 25


@pytest.mark.parametrize(
    ("name", "marks"),
    [
        ("many-at-once", ("vips: 172.17.2.252", "machine", "lam")),
        ("many-fields-at-once", ("synk", "advskwe", "vhid")),
    ],
)
def test_all_mistakes_are_named_at_once(name: str, marks: tuple[str, ...]) -> None:
    error = error_of(GOLDEN / "topology" / f"{name}.yaml")
    assert len(error.findings) >= len(marks)
    assert [finding.line for finding in error.findings] == sorted(finding.line for finding in error.findings)


def test_the_line_is_that_of_the_value() -> None:
    text = (TOPOLOGIES / "uranus.yaml").read_text()
    for number, line in enumerate(text.splitlines(), 1):
        if "vhid: 3" in line:
            with pytest.raises(TopologyError) as caught:
                parse_topology(text.replace("vhid: 3", "vhid: 300"), "u.yaml")
            assert [finding.line for finding in caught.value.findings] == [number]


def test_values_keep_what_the_field_wants_whatever_yaml_thinks() -> None:
    text = (TOPOLOGIES / "uranus.yaml").read_text().replace("password: generated", "password: 0123456789")
    assert parse_topology(text, "u.yaml").carp.password == "0123456789"


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(LabError) as caught:
        load_topology("uranos", TOPOLOGIES)
    assert "uranus, uranus-as-written, uranus-recommended" in str(caught.value)
    assert "did you mean `uranus`?" in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="No such file"):
        load_topology(str(tmp_path / "none.yaml"), TOPOLOGIES)
    with pytest.raises(LabError, match="Is a directory"):
        load_topology(f"{tmp_path}/", TOPOLOGIES)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"name: u\ntitle: \xe9t\xe9\n")
    with pytest.raises(TopologyError) as caught:
        load_topology(str(latin), TOPOLOGIES)
    assert caught.value.findings[0].line == 2


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + (TOPOLOGIES / "uranus.yaml").read_bytes())
    assert load_topology(str(path), TOPOLOGIES).name == "uranus"

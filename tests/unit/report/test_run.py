"""A run on disk, and the same read back; what its files are to other programs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from lab.errors import LabError
from lab.experiment import pcapng
from lab.experiment.pcap import Frame
from lab.experiment.result import FailoverReport, Verdict
from lab.report.decode import decode
from lab.report.everything import write_everything
from lab.report.junit import cases, to_junit
from lab.report.run import load, save
from lab.topology.model import Topology
from tests.unit.report.runs import RECORDED, recorded

FILES = {
    "report.html", "junit.xml", "failover.json", "failover.txt", "lab.json", "failover.pcapng",
}  # fmt: skip


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    run = recorded()
    files = write_everything(run, tmp_path, "fr")
    assert {file.name for file in files} == FILES
    assert load(tmp_path) == run


def test_a_password_in_the_topology_is_not_saved(tmp_path: Path) -> None:
    run = recorded()
    data = run.topology.model_dump(mode="json", by_alias=True)
    data["carp"]["password"] = "sesame-ouvre-toi"
    topology = Topology.model_validate(data)
    save(replace(run, setting=replace(run.setting, topology=topology)), tmp_path)
    assert not [path for path in tmp_path.iterdir() if b"sesame" in path.read_bytes()]
    assert load(tmp_path).topology == run.topology


def test_no_run_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(LabError) as caught:
        load(tmp_path)
    assert caught.value.problem.summary == f"{tmp_path} holds no saved run"
    (tmp_path / "lab.json").write_text((RECORDED / "lab.json").read_text())
    (tmp_path / "failover.json").write_text('{"topology": "uranus"}')
    with pytest.raises(LabError) as caught:
        load(tmp_path)
    assert caught.value.problem.seen == "FailoverReport without stage"
    (tmp_path / "failover.json").write_text((RECORDED / "failover.json").read_text())
    (tmp_path / "failover.pcapng").write_bytes(b"\xd4\xc3\xb2\xa1" + bytes(20))
    with pytest.raises(LabError, match="is no pcapng file"):
        load(tmp_path)


def test_a_newer_file_with_more_in_it_is_read() -> None:
    data = json.loads((RECORDED / "failover.json").read_text())
    data["surprise"] = [1, 2]
    data["probes"][0]["colour"] = "blue"
    assert decode(FailoverReport, data) == recorded().report


@pytest.mark.parametrize(
    ("key", "value"), [("seconds", "long"), ("probes", {}), ("ok", None), ("malformed", 3), ("hand_overs", [{}])]
)
def test_what_is_none_of_its_type_is_refused(key: str, value: object) -> None:
    data = json.loads((RECORDED / "failover.json").read_text())
    data[key] = value
    with pytest.raises(ValueError):
        decode(FailoverReport, data)


LINKS = (pcapng.Link("br-a", "a", "A"), pcapng.Link("br-b", "b"))


@given(
    st.lists(
        st.builds(
            Frame,
            st.integers(0, 2**63),
            st.sampled_from(("br-a", "br-b")),
            st.integers(0, 2**16),
            st.binary(max_size=80),
        )
    )
)
def test_frames_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, frames: list[Frame]) -> None:
    path = tmp_path_factory.mktemp("frames") / "x.pcapng"
    notes = pcapng.Notes("all of it", {(frame.time, frame.link): "é" for frame in frames[:2]})
    pcapng.write(path, LINKS, [*frames, Frame(1, "br-other", 1, b"x")], notes)
    assert pcapng.read(path) == [frame._replace(link=frame.link[3:]) for frame in sorted(frames)]
    path.write_bytes(path.read_bytes()[:-1])
    assert len(pcapng.read(path)) == max(0, len(frames) - 1)


def test_junit_has_a_case_for_every_prediction() -> None:
    report = recorded().report
    root = etree.fromstring(to_junit(report))
    assert len(root.findall(".//testcase")) == len(report.hand_overs) + len(report.probes) == 29
    assert root.get("failures") == "0"
    assert {case.get("classname") for case in root.iter("testcase")} == {"failover.hand-over", "failover.probe"}


def test_junit_says_what_failed() -> None:
    report = recorded().report
    first, second, *rest = report.probes
    odd = replace(first, ok=False, problem="never <answered>")
    late = replace(second, ok=False, problem="outside the law by 1 s", off_time=True)
    changed = replace(report, probes=(odd, late, *rest))
    root = etree.fromstring(to_junit(changed))
    assert root.get("failures") == "2"
    assert [(one.get("type"), one.text) for one in root.iter("failure")] == [
        ("fail", "never <answered>"),
        ("unexplained", "outside the law by 1 s"),
    ]
    assert sum(case.verdict is not Verdict.PASS for case in cases(changed)) == 2

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import LabError, Problem
from lab.host import preflight
from lab.host.preflight import LAB_PARTS, Part, Room, available_mib, disk, installed, memory, missing_parts, raise_all
from tests.golden_files import assert_golden

MEMINFO = "MemTotal:       24683520 kB\nMemFree:  1 kB\nMemAvailable:    4096000 kB\n"


def test_missing_part_names_its_package_and_why() -> None:
    (problem,) = missing_parts([Part("mformat", "mtools", "it makes disks")], lambda _: False)
    assert problem == Problem("mformat is missing: it makes disks", cure="apt-get install mtools")
    assert missing_parts(LAB_PARTS, lambda _: True) == []


def test_where_parts_are_found(tmp_path: Path) -> None:
    assert installed("sh")
    assert not installed("no-such-program")
    assert installed("python:json")
    assert not installed("python:no_such_module")
    (tmp_path / "driver.so").touch()
    assert installed(f"{tmp_path}/*.so")
    assert not installed(f"{tmp_path}/*.dll")


def test_memory_says_what_is_needed_and_what_is_there() -> None:
    assert memory(100, lambda: 100) == []
    (problem,) = memory(101, lambda: 100)
    assert problem.summary == "Not enough memory: 101 MiB needed, 100 MiB available, 1 MiB missing"


def test_memory_of_a_container_is_its_limit(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text(MEMINFO)
    assert available_mib(meminfo, tmp_path) == 4000
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("1048576\n")
    assert available_mib(meminfo, tmp_path) == 4000
    (tmp_path / "memory.max").write_text(f"{512 << 20}\n")
    assert available_mib(meminfo, tmp_path) == 511


def test_disk_is_looked_at_where_the_directory_will_be(tmp_path: Path) -> None:
    room = Room(tmp_path / "not" / "yet", 1, "URANUS_CACHE")
    assert disk(room) == []
    (problem,) = disk(room, lambda _: 0)
    assert "1 MiB needed, 0 MiB free" in problem.summary
    assert "URANUS_CACHE" in problem.cure


@pytest.mark.parametrize("words", ["memory", "disk", "memory and disk"])
def test_a_lab_that_would_not_fit_is_refused_with_what_is_missing(words: str) -> None:
    room = Room(Path("/var/labs"), 1496)
    problems = [
        *(memory(1846, lambda: 1000) if "memory" in words else []),
        *(disk(room, lambda _: 500) if "disk" in words else []),
    ]
    with pytest.raises(LabError) as caught:
        raise_all(problems, [])
    assert_golden(f"admission/{words.replace(' ', '-')}.txt", f"{caught.value.problem}\n")


def test_tap_device(tmp_path: Path) -> None:
    assert preflight.tun(Path("/dev/null")) == []
    (problem,) = preflight.tun(tmp_path / "tun")
    assert "modprobe tun" in problem.cure


def test_one_problem_is_told_as_it_is_several_as_a_list() -> None:
    raise_all([], [])
    first, second, third = (
        Problem("a is missing: x", cure="apt-get install pa"),
        Problem("b is missing: y", cure="apt-get install pb"),
        Problem("Not enough memory", cure="Buy some."),
    )
    with pytest.raises(LabError) as caught:
        raise_all([first], ["pa"])
    assert caught.value.problem == first
    with pytest.raises(LabError) as caught:
        raise_all([first, second, third], ["pa", "pb"])
    assert caught.value.problem.seen.splitlines() == [first.summary, second.summary, third.summary]
    assert caught.value.problem.cure.splitlines() == ["apt-get install pa pb", "Buy some."]

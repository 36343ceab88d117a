"""What surrounds apt and mmdebstrap: how their failures are told, and how they reach the network."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import LabError
from lab.host.image_packages import NO_SPACE_CURE, PackageCache, Runner, proxies


def test_a_failed_program_shows_the_end_of_its_log(tmp_path: Path) -> None:
    runner = Runner(tmp_path / "log")
    with pytest.raises(LabError) as caught:
        runner.run(["sh", "-c", "seq 100; echo 'E: no such package' >&2; exit 100"], cure="look again")
    problem = caught.value.problem
    assert problem.seen.endswith("100\nE: no such package")
    assert "\n1\n" not in problem.seen
    assert problem.cure == "look again"
    assert problem.log == str(tmp_path / "log")
    assert "seq 100" in (tmp_path / "log").read_text()


def test_a_full_disk_has_a_cure_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(LabError) as caught:
        Runner(tmp_path / "log").run(["sh", "-c", "seq 3 >/dev/full"], cure="check the network")
    assert caught.value.problem.cure == NO_SPACE_CURE


def test_proxies_are_the_hosts_own_else_those_of_the_environment() -> None:
    dump = 'Acquire "";\nAcquire::http::Proxy "http://cache:3142";\nAcquire::http::Proxy::local "DIRECT";\nAPT::Other "x";\n'
    env = {"http_proxy": "http://other:1", "https_proxy": "http://other:2"}
    assert proxies(dump, env) == [
        'Acquire::http::Proxy "http://cache:3142";',
        'Acquire::http::Proxy::local "DIRECT";',
        'Acquire::https::Proxy "http://other:2";',
    ]
    assert proxies("", {}) == []


def test_sources_are_signed_and_follow_the_mirror(tmp_path: Path) -> None:
    def lines(mirror: str) -> list[str]:
        return PackageCache(tmp_path, "bookworm", Runner(tmp_path / "log"), mirror).sources

    assert all("signed-by=/usr/share/keyrings/debian-archive-keyring.gpg" in line for line in lines(""))
    assert [line.split()[3:5] for line in lines("")] == [
        ["http://deb.debian.org/debian", "bookworm"],
        ["http://deb.debian.org/debian", "bookworm-updates"],
        ["http://deb.debian.org/debian-security", "bookworm-security"],
    ]
    assert {line.split()[3] for line in lines("http://near/debian")} == {
        "http://near/debian",
        "http://near/debian-security",
    }

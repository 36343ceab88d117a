"""The looks of lab.check, each seen to pass and to fail, without a lab."""

from __future__ import annotations

import subprocess
from pathlib import Path

from lab.expect.paths import PathKind, matrix
from lab.experiment.mastership import listen_seconds, master_results, mastership_of
from lab.experiment.pcap import Frame
from lab.experiment.reach import path_results, script, try_paths
from lab.experiment.result import CheckResult
from lab.experiment.segment import Answer, questions, segment_results
from lab.topology.stage import Stage
from tests.unit.experiment.frames import EPOCH, advert, adverts, echo, uranus

TOPOLOGY = uranus()
PATHS = matrix(TOPOLOGY, Stage.RULES)


class Shell:
    """A guest that runs the script here, with stand-ins for the programs it would use."""

    exit_code = 0

    def __init__(self, bin_dir: Path, answers: str) -> None:
        bin_dir.mkdir()
        self.calls = bin_dir / "calls"
        for name, body in (
            ("ping", f'case "$*" in {answers}) exit 0;; esac; exit 1'),
            ("nc", f'case "$*" in {answers}) exit 0;; esac; exit 1'),
            ("ip", "exit 0"),
        ):
            program = bin_dir / name
            program.write_text(f'#!/bin/sh\necho "{name} $*" >>{self.calls}\n{body}\n')
            program.chmod(0o755)
        self._path = f"{bin_dir}:/usr/bin:/bin"

    def run(self, command: str, seconds: float = 60.0) -> Shell:
        done = subprocess.run(
            ["sh", "-c", command], env={"PATH": self._path}, capture_output=True, text=True, timeout=seconds, check=True
        )
        self.stdout = done.stdout
        return self


def test_paths_are_tried_with_the_programs_of_the_machine(tmp_path: Path) -> None:
    paths = [path for path in PATHS if path.source in ("client", "internet")]
    guests = {
        "client": Shell(tmp_path / "client", "*172.17.2.10*"),
        "internet": Shell(tmp_path / "internet", "*nothing*"),
    }
    answers = try_paths(guests, paths)
    assert {id_ for id_, answer in answers.items() if answer is True} == {"client>server:icmp", "client>server:tcp/80"}
    assert all(answer is False for id_, answer in answers.items() if "client>server" not in id_)
    calls = guests["internet"].calls.read_text()
    assert calls.count("ip route add 172.17.1.10/32 via 192.168.1.168") == 1
    assert calls.count("ip route del 172.17.1.10/32 via 192.168.1.168") == 1


def test_a_machine_that_says_nothing_was_not_tried() -> None:
    class Mute:
        exit_code, stdout = 0, ""

        def run(self, command: str, seconds: float = 60.0) -> Mute:
            return self

    paths = [path for path in PATHS if path.source == "web"]
    results = list(path_results(TOPOLOGY, paths, try_paths({"web": Mute()}, paths), []))
    assert not any(result.ok for result in results)
    assert "could not be tried" in results[0].seen


def test_what_is_answered_though_denied_or_arrives_though_unanswered_fails() -> None:
    as_expected: dict[str, bool | str] = {path.id: path.verdict.allowed for path in PATHS}
    assert all(result.ok for result in path_results(TOPOLOGY, PATHS, as_expected, []))
    opened = {**as_expected, "web>client:icmp": True, "client>web:icmp": False}
    wrong = {result.id for result in path_results(TOPOLOGY, PATHS, opened, []) if not result.ok}
    assert wrong == {"path:web>client:icmp", "path:client>web:icmp"}
    arrived = [echo(0.0, "br-lan", "172.17.3.10", "172.17.1.10", 1, 1)]
    (leak,) = [result for result in path_results(TOPOLOGY, PATHS, as_expected, arrived) if not result.ok]
    assert (leak.id, leak.seen) == ("path:web>client:icmp", "no answer, but 1 packets reached lan")
    on_its_own_segment = [echo(0.0, "br-dmz", "172.17.3.10", "172.17.1.10", 1, 1)]
    assert all(result.ok for result in path_results(TOPOLOGY, PATHS, as_expected, on_its_own_segment))


def test_the_script_is_one_line_a_path() -> None:
    text = script([path for path in PATHS if path.source == "client"])
    assert text.count("echo 'yes client>") == 7
    assert not [path for path in PATHS if path.kind is PathKind.INBOUND and path.via is None]


def masters(frames: list[Frame], stage: Stage = Stage.RULES, now: float = 3.0) -> list[CheckResult]:
    return list(master_results(TOPOLOGY, stage, mastership_of(TOPOLOGY, sorted(frames), EPOCH + now)))


def healthy() -> list[Frame]:
    return [
        frame
        for vip in TOPOLOGY.carp.vips
        for frame in adverts(
            vip.network, vip.vhid, str(TOPOLOGY.firewalls["master"].addresses[vip.network]), 0, 0.0, 3.0
        )
    ]


def test_one_master_each() -> None:
    results = masters(healthy())
    assert [result.id for result in results] == [
        "master:lan/1", "master:srv/2", "master:dmz/3", "master:ha/4", "master:strangers",
    ]  # fmt: skip
    assert all(result.ok for result in results)


def test_each_way_of_having_another_master_is_told() -> None:
    def lan(frames: list[Frame], **options: float) -> CheckResult:
        return masters(frames, **options)[0]  # type: ignore[arg-type]

    others = [frame for frame in healthy() if frame.link != "br-lan"]
    assert lan(others).seen == "nobody"
    assert lan(others + adverts("lan", 1, "172.17.1.253", 100, 0, 3)).seen == "backup (advbase 1, advskew 100)"
    assert "advskew 240" in lan(others + adverts("lan", 1, "172.17.1.254", 240, 0, 3)).seen
    assert "two masters for" in lan(healthy() + adverts("lan", 1, "172.17.1.253", 100, 0.2, 3)).seen
    assert not lan(healthy(), now=9.0).ok
    (stranger,) = [r for r in masters([*healthy(), advert(1, "lan", 9, "172.17.1.66", 0)]) if not r.ok]
    assert stranger.seen == "VHID 9 on lan, from 172.17.1.66"


def test_before_there_are_vips_nobody_advertises() -> None:
    assert [result.ok for result in masters([], Stage.BARE)] == [True]
    assert [result.ok for result in masters(healthy(), Stage.BARE)] == [False]


def test_listening_lasts_longer_than_the_slowest_masters_pause() -> None:
    assert listen_seconds(TOPOLOGY) > 1.5 * (1 + 240 / 256)


def test_segments_are_asked_about_every_address_and_the_ha_ports() -> None:
    asked = questions(TOPOLOGY, Stage.RULES)
    right = [
        Answer((), "open" if question.expected else "", 0, 1)
        if question.port
        else Answer((question.expected,), "", 1, 1)
        for question in asked
    ]
    results = list(segment_results(asked, right))
    assert all(result.ok for result in results)
    assert len(results) == 4 + 10 + 2


def test_each_wrong_answer_is_told() -> None:
    asked = questions(TOPOLOGY, Stage.RULES)[:1]
    mac = "00:00:5e:00:01:01"
    for answer, seen in (
        (Answer((), "", 0, 3), "no answer"),
        (Answer(("52:54:00:17:00:01",), "", 1, 1), "52:54:00:17:00:01"),
        (Answer((mac, "52:54:00:17:00:01"), "", 2, 1), f"{mac} and 52:54:00:17:00:01, 2 answers to 1 questions"),
        (Answer((mac,), "", 2, 1), f"{mac}, 2 answers to 1 questions"),
    ):
        (result,) = segment_results(asked, [answer])
        assert (result.ok, result.seen) == (False, seen)


def test_the_missing_rule_is_named_where_sync_is_expected_blocked() -> None:
    asked = [question for question in questions(TOPOLOGY, Stage.XMLRPC) if question.port == 443]
    (result,) = segment_results(asked, [Answer((), "", 0, 1)])
    assert result.ok
    assert "Autoriser XMLRPC" in result.expected
    (result,) = segment_results(asked, [Answer((), "open", 0, 1)])
    assert not result.ok


def test_the_web_interface_must_accept_and_not_merely_be_let_through_to() -> None:
    asked = [question for question in questions(TOPOLOGY, Stage.RULES) if question.port == 443]
    for reply, ok, seen in (
        ("open", True, "a connection"),
        ("refused", False, "let through; the port itself says: refused"),
        ("", False, "no answer"),
    ):
        (result,) = segment_results(asked, [Answer((), reply, 0, 1)])
        assert (result.ok, result.seen) == (ok, seen)

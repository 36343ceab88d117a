"""lab.check and lab.failover against a whole lab in namespaces, by the wire; and each seen to find what is wrong."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from lab.commands.capture import capture_network
from lab.errors import LabError
from lab.expect.fault import parse
from lab.expect.outcome import predict
from lab.experiment.capture import TcpdumpCapture, listen
from lab.experiment.checks import CheckReport, run_checks
from lab.experiment.diagnosis import Diagnosis
from lab.experiment.failover import Failover
from lab.experiment.mastership import mastership
from lab.experiment.recorder import capture_filters
from lab.experiment.report import to_text
from lab.experiment.result import FailoverReport, Kind, Look, StreamFate
from lab.paths import project_root
from lab.report.everything import write_everything
from lab.report.run import Setting, collected
from lab.report.run import load as load_run
from lab.topology.load import load_topology
from lab.topology.model import Topology
from lab.topology.stage import Stage
from tests.wire.cluster import Cluster
from tests.wire.namespaces import Network, until

pytestmark = pytest.mark.wire

Make = Callable[..., Cluster]


def load(name: str) -> Topology:
    return load_topology(name, project_root() / "topologies")


@contextmanager
def cluster_maker() -> Iterator[Make]:
    """conntrackd takes socket paths of 108 characters at most, so the directory's name is short."""
    directory = Path(tempfile.mkdtemp(prefix="exp-", dir="/var/tmp"))
    networks: list[Network] = []

    def build(topology: Topology, stage: Stage = Stage.RULES) -> Cluster:
        networks.append(Network())
        cluster = Cluster(networks[-1], topology, stage, directory)
        cluster.up()
        return cluster

    try:
        yield build
    finally:
        for network in networks:
            network.close()
        shutil.rmtree(directory)


@pytest.fixture
def make() -> Iterator[Make]:
    with cluster_maker() as build:
        yield build


@pytest.fixture(scope="module")
def uranus() -> Iterator[Cluster]:
    """One lab for all who leave it as they found it."""
    with cluster_maker() as build:
        yield build(load("uranus"))


@pytest.fixture(scope="module")
def recommended() -> Iterator[Cluster]:
    with cluster_maker() as build:
        yield build(load("uranus-recommended"))


def failover(cluster: Cluster, directory: Path, *fault: str) -> FailoverReport:
    """One run; everything about it is printed."""
    capture = TcpdumpCapture(cluster.world, capture_filters(cluster.topology), directory)
    report = Failover(cluster, parse(cluster.topology, *fault), capture).run()
    print(to_text(report))
    return report


def failed(report: CheckReport) -> set[str]:
    for result in report.failed:
        print(result)
    return {result.id for result in report.failed}


def test_a_lab_is_what_its_topology_says(uranus: Cluster) -> None:
    report = run_checks(uranus)
    assert failed(report) == set()
    assert {result.id.split(":")[0] for result in report.results} == {"path", "master", "arp", "sync", "word"}


def test_a_lab_that_is_behind_its_stage_is_found_out(make: Make) -> None:
    cluster = make(load("uranus-recommended"), Stage.XMLRPC)
    assert failed(run_checks(cluster)) == set()
    cluster.stage = Stage.RULES
    found = failed(run_checks(cluster))
    assert {"sync:ha/443", "path:server>web:tcp/80", "path:web>gateway:icmp"} <= found
    assert not any(name.startswith(("master", "arp", "word", "path:client>")) for name in found)


def test_a_rule_too_many_and_two_masters_are_found_out(make: Make) -> None:
    topology = load("uranus")
    cluster = make(topology)
    backup = cluster.firewalls["backup"]
    # A wrong password on one VHID of one node: it hears nobody it believes. And DMZ may enter LAN.
    odd = [replace(vip, password="other") if vip.vhid == 2 else vip for vip in backup.settings.vips]
    backup.daemon.configure(odd)
    master = cluster.firewalls["master"].node
    master.run('nft insert rule inet standin arriving iifname "vtnet3*" accept')
    until(lambda: backup.daemon.states()[1] == "MASTER")
    seen = mastership(cluster)
    assert set(seen.nodes("srv", 2)) == {"master", "backup"}
    assert seen.nodes("lan", 1) == ("master",)
    found = failed(run_checks(cluster))
    assert {"master:srv/2", "arp:srv/172.17.2.252", "path:web>client:icmp", "path:web>client:tcp/80"} <= found
    assert not found & {"master:lan/1", "arp:lan/172.17.1.252", "path:client>web:icmp"}


def test_kill_and_return(uranus: Cluster, tmp_path: Path) -> None:
    report = failover(uranus, tmp_path / "run", "kill")
    assert report.ok, report.problems
    assert report.dropped == 0
    assert len(report.hand_overs) == 8
    # A stream to the DMZ survives the kill and the failback; one to the internet was translated to the dead node's address.
    fates = {one.id: (one.fate, one.back_fate) for one in report.streams}
    assert StreamFate.LOST not in fates["client>web:tcp/7001:stream"]
    assert StreamFate.LOST not in fates["client>web:tcp/7002:download"]
    assert fates["client>internet:tcp/7001:stream"][0] is StreamFate.LOST
    kinds = {event.kind for event in report.events}
    assert {Kind.STEP, Kind.POWER, Kind.ADVERT, Kind.ARP, Kind.PROBE, Kind.LOG} <= kinds
    saved = collected(report, Setting(uranus.topology, "standin"), tmp_path / "run")
    files = write_everything(saved, tmp_path / "report", "fr")
    assert all(file.stat().st_size for file in files)
    again = load_run(tmp_path / "report")
    assert again.report == report
    assert again.frames == saved.frames
    assert len(again.frames) > 1000


def test_carp_off_and_on(uranus: Cluster, tmp_path: Path) -> None:
    report = failover(uranus, tmp_path, "carp-off")
    assert report.ok, report.problems


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [
        "maintenance",
        "demotion",
        "kill backup",
        "unplug master ha",
        "unplug master lan",
        "unplug master wan",
        "flap master lan",
        "kill-both",
    ],
)
def test_every_fault_does_what_it_is_expected_to(uranus: Cluster, tmp_path: Path, fault: str) -> None:
    report = failover(uranus, tmp_path, *fault.split())
    assert report.ok, report.problems


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["kill", "unplug master lan", "unplug master wan"])
def test_old_internet_flows_live_where_the_wan_address_moves(recommended: Cluster, tmp_path: Path, fault: str) -> None:
    report = failover(recommended, tmp_path, *fault.split())
    assert report.ok, report.problems
    assert not any(probe.fate == "lost" for probe in report.probes)
    assert not any(StreamFate.LOST in (stream.fate, stream.back_fate) for stream in report.streams)


@pytest.mark.slow
def test_a_backup_that_waits_longer_than_it_should_is_found_out(make: Make, tmp_path: Path) -> None:
    cluster = make(load("uranus"))
    backup = cluster.firewalls["backup"]
    for vip in backup.settings.vips:
        backup.daemon.ask("vhid", nic=vip.nic, vhid=vip.vhid, advskew=254)
    report = failover(cluster, tmp_path, "kill")
    late = [one for one in report.hand_overs if one.phase == "fault"]
    assert all(not one.ok and one.miss > 0.5 for one in late)


@pytest.mark.slow
def test_states_that_are_not_shared_are_found_out(make: Make, tmp_path: Path) -> None:
    """Without its state the backup gives an old ping its own address: it goes on, where it should have been lost."""
    cluster = make(load("uranus"))
    for firewall in cluster.firewalls.values():
        firewall.node.run(f"conntrackd -C {firewall.daemon.run_dir}/conntrackd.conf -k")
        firewall.settings = replace(firewall.settings, state_sync=None)
    report = failover(cluster, tmp_path, "kill")
    assert {probe.id for probe in report.probes if not probe.ok} >= {"client>internet:icmp:old"}


def test_an_unhealthy_lab_is_left_alone(make: Make, tmp_path: Path) -> None:
    cluster = make(load("uranus"))
    cluster.carp_off("master")
    until(lambda: cluster.firewalls["backup"].daemon.states() == ["MASTER"] * 4)
    with pytest.raises(LabError, match="not healthy") as caught:
        failover(cluster, tmp_path, "kill")
    assert "backup" in caught.value.problem.seen
    assert cluster.firewalls["master"].daemon.process is not None
    assert cluster.firewalls["master"].daemon.process.poll() is None


def test_a_link_that_is_not_there_is_named(make: Make) -> None:
    cluster = make(load("uranus"), Stage.BARE)
    with pytest.raises(LabError, match="br-attic"):
        listen(cluster.world, ["br-lan", "br-attic"], 0.1)
    report = run_checks(cluster)
    assert failed(report) == set()
    assert asdict(report)["stage"] == "bare"


def diagnose(cluster: Cluster, directory: Path, mistake: str) -> FailoverReport:
    """One misconfiguration, made and mended."""
    capture = TcpdumpCapture(cluster.world, capture_filters(cluster.topology), directory)
    report = Diagnosis(cluster, parse(cluster.topology, mistake), capture).run()
    print(to_text(report))
    return report


@pytest.mark.slow
@pytest.mark.parametrize("mistake", ["wrong-password", "pfsync-rule"])
def test_a_mistake_that_shows_on_the_wire_is_found_and_gone_when_mended(
    uranus: Cluster, tmp_path: Path, mistake: str
) -> None:
    """Those that stand in the configuration alone: tests/unit/experiment/test_invariants.py."""
    report = diagnose(uranus, tmp_path, mistake)
    assert report.ok, report.problems
    broken = {one.name for one in report.invariants if not one.holds}
    assert broken == set(predict(uranus.topology, parse(uranus.topology, mistake)).breaks)
    assert all(one.holds for one in report.invariants if one.look is not Look.DURING)


@pytest.mark.slow
def test_without_state_sync_a_stream_is_lost(make: Make, tmp_path: Path) -> None:
    """The negative control: the same kill, the same stream, and the backup has never heard of it."""
    cluster = make(load("uranus"))
    for firewall in cluster.firewalls.values():
        firewall.node.run(f"conntrackd -C {firewall.daemon.run_dir}/conntrackd.conf -k")
        firewall.settings = replace(firewall.settings, state_sync=None)
    report = failover(cluster, tmp_path, "kill")
    stream = next(one for one in report.streams if one.id == "client>web:tcp/7001:stream")
    assert stream.fate is StreamFate.LOST
    assert stream.state is False
    assert "no byte came any more" in stream.problem


@pytest.mark.slow
def test_loss_thins_and_moves_nothing(uranus: Cluster, tmp_path: Path) -> None:
    report = failover(uranus, tmp_path, "loss")
    assert report.ok, report.problems
    assert any(0 < one.answered < one.asked for one in report.probes if one.fate == "thinned")


def test_a_network_is_captured_as_pcapng_and_nothing_is_left_behind(uranus: Cluster, tmp_path: Path) -> None:
    file = tmp_path / "lan.pcapng"
    assert capture_network(uranus.world, tmp_path, "lan", file, 3.0, "proto 112") == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lan.pcapng"]
    data = file.read_bytes()
    assert data[:4] == b"\x0a\x0d\x0d\x0a"
    assert data.count(bytes.fromhex("00005e000101")) >= 3, "an advert of VHID 1 a second"
    with pytest.raises(LabError, match="refused to capture"):
        capture_network(uranus.world, tmp_path, "lan", file, 3.0, "no such filter")

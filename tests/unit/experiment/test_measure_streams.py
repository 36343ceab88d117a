"""The verdict on a stream: TCP's own back-off explains a stall, more than that does not, and silence is a loss."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.expect.fault import parse
from lab.expect.outcome import Fate, Outcome, predict
from lab.experiment.capture import Replay
from lab.experiment.heartbeat import Stalls
from lab.experiment.measure import Times
from lab.experiment.measure_streams import stream_results
from lab.experiment.pcap import Frame
from lab.experiment.probes import plan_traffic
from lab.experiment.recorder import Recorder
from lab.experiment.result import StreamFate, StreamResult
from lab.topology.model import Topology
from tests.unit.experiment.frames import EPOCH, adverts, uranus
from tests.unit.experiment.test_stream import ACK, NEAR, SYN, tcp

FAULT, TAKEN, UNDONE, END = 6.0, 9.4, 22.0, 30.0


def outcome(topology: Topology) -> Outcome:
    found = predict(topology, parse(topology, "kill"))
    own = tuple(one for one in found.streams if one.probe.id == "client>web:tcp/7001:stream")
    return replace(found, streams=own)


def frames(resends: tuple[float, ...], again: float | None) -> list[Frame]:
    """A write each tenth of a second, acknowledged until the fault; sent again at these times; acknowledged from `again` on."""
    found = [tcp(1.0, NEAR, True, 0, 0, SYN), tcp(1.01, NEAR, False, 9, 1, SYN | ACK)]
    sequence, at = 1, 2.0
    while at < FAULT:
        found += [tcp(at, NEAR, True, sequence, 10, ACK, 50), tcp(at + 0.01, NEAR, False, 10, sequence + 50, ACK)]
        sequence, at = sequence + 50, at + 0.1
    found += [tcp(time, NEAR, True, sequence, 10, ACK, 50) for time in (FAULT + 0.1, *resends)]
    at = again if again is not None else END
    while at < END:
        sequence += 50
        found.append(tcp(at, NEAR, False, 10, sequence, ACK))
        at += 0.1
    return found


def judged(resends: tuple[float, ...], again: float | None, fate: Fate = Fate.OUTAGE) -> StreamResult:
    topology = uranus()
    expected = outcome(topology)
    expected = replace(expected, streams=tuple(replace(one, fate=fate) for one in expected.streams))
    traffic = plan_traffic(topology, (one.probe for one in expected.streams))
    carp = [
        frame
        for vip in topology.carp.vips
        for node, skew, start, end in (("master", 0, 0.0, FAULT), ("backup", 100, TAKEN, UNDONE))
        for frame in adverts(
            vip.network, vip.vhid, str(topology.firewalls[node].addresses[vip.network]), skew, start, end
        )
    ]
    recorder = Recorder(topology, Replay([sorted([*carp, *frames(resends, again)])]))
    recorder.follow(traffic)
    recorder.pump()
    times = Times(*(EPOCH + moment for moment in (3.0, FAULT, FAULT)), 0.0, EPOCH + UNDONE, EPOCH + END)
    (result,) = stream_results(expected, traffic, recorder, times, Stalls(()), 0.1, {})
    return result


def test_a_stall_that_ends_with_the_next_retransmission_is_tcps_own() -> None:
    result = judged((6.3, 6.7, 7.5, 9.1, 12.3), 12.31)
    assert result.ok, result.problem
    assert result.fate is StreamFate.STALLED
    assert result.stall == pytest.approx(12.31 - 6.01, abs=0.02)
    assert result.retransmission == pytest.approx(12.3 - 6.01, abs=0.02)
    assert result.bytes_before > 0
    assert result.bytes_during > 0


def test_a_stall_beyond_its_retransmission_is_not() -> None:
    result = judged((6.3, 6.7, 7.5, 9.1, 9.8), 13.0)
    assert not result.ok
    assert result.off_time
    assert "more than its retransmissions explain" in result.problem


def test_where_frames_are_lost_the_try_that_counts_is_the_last() -> None:
    """A retransmission may be lost as well; only what came later than the one that was not is too long."""
    tries = (6.3, 6.7, 7.5, 9.5, 10.5, 12.3)
    result = judged(tries, 12.31, Fate.THINNED)
    assert result.ok, result.problem
    assert result.retransmission == pytest.approx(12.3 - 6.01, abs=0.02)
    assert judged(tries, 12.31).off_time
    assert judged(tries, 14.5, Fate.THINNED).off_time
    assert judged(tries, None, Fate.THINNED).fate is StreamFate.LOST


def test_ten_seconds_without_a_byte_are_a_loss() -> None:
    result = judged((6.3, 6.7, 7.5, 9.1, 12.3, 18.7), None)
    assert result.fate is StreamFate.LOST
    assert not result.off_time
    assert "no byte came any more" in result.problem


def test_what_never_flowed_is_no_survivor() -> None:
    topology = uranus()
    expected = outcome(topology)
    traffic = plan_traffic(topology, (one.probe for one in expected.streams))
    recorder = Recorder(topology, Replay([]))
    times = Times(EPOCH, EPOCH + 1, EPOCH + 1, 0.0, EPOCH + 9, EPOCH + 12)
    (result,) = stream_results(expected, traffic, recorder, times, Stalls(()), 0.1, {})
    assert result.fate is StreamFate.LOST
    assert "never" in result.problem

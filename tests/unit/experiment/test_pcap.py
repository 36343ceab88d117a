from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.experiment.pcap import Frame, PcapTail, read, write
from tests.unit.experiment.frames import EPOCH, advert

FRAMES = [advert(0.1 + 1e-9, "lan", 1, "172.17.1.254"), advert(1.25, "lan", 1, "172.17.1.254")]


def test_what_is_written_is_read_again_to_the_nanosecond(tmp_path: Path) -> None:
    write(tmp_path / "x.pcap", reversed(FRAMES))
    assert read(tmp_path / "x.pcap", "br-lan") == FRAMES


@pytest.mark.parametrize(("magic", "unit"), [(0xA1B2C3D4, 1000), (0xA1B23C4D, 1)])
@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders_and_both_resolutions(tmp_path: Path, order: str, magic: int, unit: int) -> None:
    data = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 96, 1)
    data += struct.pack(order + "IIII", EPOCH, 5, 3, 60) + b"abc"
    (tmp_path / "x.pcap").write_bytes(data)
    assert read(tmp_path / "x.pcap") == [Frame(EPOCH * 10**9 + 5 * unit, "x", 60, b"abc")]


def test_a_growing_file_gives_each_frame_once_and_no_half_frames(tmp_path: Path) -> None:
    write(tmp_path / "whole.pcap", FRAMES)
    data = (tmp_path / "whole.pcap").read_bytes()
    growing = tmp_path / "growing.pcap"
    tail = PcapTail(growing, "br-lan")
    found = []
    assert tail.poll() == []
    for end in range(0, len(data) + 1, 7):
        growing.write_bytes(data[:end])
        found += tail.poll()
    growing.write_bytes(data)
    assert found + tail.poll() == FRAMES
    assert tail.poll() == []
    tail.close()


def test_another_kind_of_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.pcap").write_bytes(b"\x0a\x0d\x0d\x0a" + bytes(40))
    with pytest.raises(LabError, match="no pcap"):
        read(tmp_path / "x.pcap")


def test_tcpdump_reads_what_is_written(tmp_path: Path) -> None:
    write(tmp_path / "x.pcap", FRAMES)
    command = ["tcpdump", "-n", "--time-stamp-precision=nano", "-r", str(tmp_path / "x.pcap")]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown.count("VRRPv2, Advertisement, vrid 1") + shown.count("CARPv2-advertise") == 2
    assert ".100000001" in shown

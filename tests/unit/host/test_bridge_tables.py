from __future__ import annotations

from pathlib import Path

from lab.host.bridge_tables import ENTRY, Learnt, learnt, links_of
from lab.paths import LabPaths

VIRTUAL = bytes.fromhex("00005e000101")
OWN = bytes.fromhex("525400000001")


def test_a_table_names_the_port_behind_which_a_mac_was_seen(tmp_path: Path) -> None:
    for number, tap in ((1, "master-lan"), (0x102, "backup-lan")):
        port = tmp_path / "br-lan" / "brif" / tap
        port.mkdir(parents=True)
        (port / "port_no").write_text(f"{number:#x}\n")
    rows = [(VIRTUAL, 2, 0, 150, 1, 0, 0), (OWN, 1, 1, 0, 0, 0, 0), (OWN, 7, 0, 0, 0, 0, 0)]
    (tmp_path / "br-lan" / "brforward").write_bytes(b"".join(ENTRY.pack(*row) for row in rows) + b"torn")
    assert learnt(tmp_path, "br-lan") == (Learnt(VIRTUAL, "backup-lan", 1.5),)
    assert learnt(tmp_path, "br-srv") == ()


def test_a_lab_without_guests_has_no_links_to_look_at(tmp_path: Path) -> None:
    paths = LabPaths(tmp_path / "lab")
    assert links_of(paths) is None
    (paths.libvirt / "run" / "qemu").mkdir(parents=True)
    (paths.libvirt / "run" / "qemu" / "gone.pid").write_text("999999999\n")
    assert links_of(paths) is None

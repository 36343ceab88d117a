"""The passwords of a lab: made once, private, and hidden in any repr."""

from __future__ import annotations

import stat
from pathlib import Path

import bcrypt

from lab.host.passwords import passwords_of
from lab.topology.model import CARP_PASSWORD_LIMIT, Topology


def _topology(password: str = "generated") -> Topology:
    return Topology.model_validate(
        {
            "name": "two",
            "networks": {"wan": {"subnet": "192.0.2.0/24", "role": "wan"}},
            "firewalls": {"a": {"hostname": "a", "advskew": 0, "addresses": {"wan": "192.0.2.2"}}},
            "carp": {"password": password, "vips": []},
            "sync": {"network": "wan"},
            "machines": {},
        }
    )


def test_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "state" / "secrets.json"
    first = passwords_of(path, _topology())
    assert passwords_of(path, _topology()) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(first.carp) <= CARP_PASSWORD_LIMIT
    assert bcrypt.checkpw(first.admin.encode(), first.admin_bcrypt.encode())
    assert first.admin not in repr(first)
    assert first.carp not in repr(first)


def test_two_labs_have_different_passwords_and_a_given_word_is_kept(tmp_path: Path) -> None:
    one = passwords_of(tmp_path / "one.json", _topology())
    two = passwords_of(tmp_path / "two.json", _topology("our-word"))
    assert one.admin != two.admin
    assert two.carp == "our-word"

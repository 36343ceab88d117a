"""A node's config.xml read back: secrets stay there, what it was given is no difference, what was changed is one."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lab.appliances.firewall import READ_CONFIG
from lab.commands.config_read import ReadBack, judge
from lab.errors import LabError
from lab.render.config_xml import config_xml
from lab.topology.stage import Stage
from tests.render.plans import REVISION_TIME, SECRETS, plan


def shown(tmp_path: Path, text: str) -> bytes:
    """What the command that the lab types makes of a file."""
    stored = tmp_path / "config.xml"
    stored.write_text(text)
    command = READ_CONFIG.replace("/cf/conf/config.xml", str(stored))
    return subprocess.run(["sh", "-c", command], capture_output=True, check=True).stdout


def judged(stored: bytes, node: str = "master") -> ReadBack:
    made = plan("uranus")
    lab = SimpleNamespace(
        session=SimpleNamespace(plan=made), topology=made.topology, stage=Stage.RULES, secrets=SECRETS
    )
    return judge(cast(Any, lab), node, stored)


def given(node: str = "master") -> str:
    return config_xml(plan("uranus"), node, Stage.RULES, SECRETS, revision_time=REVISION_TIME)


def test_no_secret_crosses_the_console(tmp_path: Path) -> None:
    text = shown(tmp_path, given()).decode()
    assert text.count("(hidden)") == 6
    assert not any(secret in text for secret in (SECRETS.admin, SECRETS.admin_bcrypt, SECRETS.carp))


def test_what_was_given_is_no_difference(tmp_path: Path) -> None:
    found = judged(shown(tmp_path, given()))
    assert (found.defects, dict(found.changes)) == ((), {})
    assert str(found) == "master: config.xml is what stage rules gives it, and pfSense would take it"


def test_a_changed_rule_is_named(tmp_path: Path) -> None:
    text = given().replace("<type>block</type>", "<type>pass</type>", 1)
    found = judged(shown(tmp_path, text))
    assert str(found) == "master: config.xml differs from what stage rules gives it in filter (1)"
    assert found.as_data()["changes"] == [
        {"section": "filter", "path": "filter/rule[tracker='1700000002']/type", "one": "block", "other": "pass"}
    ]


def test_what_a_sync_leaves_behind_is_no_difference(tmp_path: Path) -> None:
    text = given("backup").replace("<hasync>", "<hasync><adminsync>on</adminsync>").replace("<shaper></shaper>", "")
    assert dict(judged(shown(tmp_path, text), "backup").changes) == {}
    text = given().replace("<adminsync>on</adminsync>", "")
    assert set(judged(shown(tmp_path, text)).changes) == {"hasync"}


def test_a_mistake_is_named(tmp_path: Path) -> None:
    found = judged(shown(tmp_path, given().replace("<vhid>2<", "<vhid>0<")))
    assert [defect.path for defect in found.defects] == ["/pfsense/virtualip/vip[2]/vhid"]
    assert "wrong in config.xml: 1; the first: line" in str(found)


def test_what_cannot_be_read_is_an_error() -> None:
    with pytest.raises(LabError, match="cannot be read"):
        judged(b"<pfsense>")

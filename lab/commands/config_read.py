"""What a node's config.xml says now, beside what the lab gave it: judged, and compared section by section."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab.appliances.firewall import HIDDEN
from lab.commands.subject import RunningLab
from lab.config.check import Defect, check
from lab.config.differences import SECRET, Difference, by_section, differences
from lab.config.tree import ConfigSyntaxError, parse
from lab.errors import LabError
from lab.render.config_xml import config_xml

AS_GIVEN = "{node}: config.xml is what stage {stage} gives it, and pfSense would take it"
DIFFERS = "{node}: config.xml differs from what stage {stage} gives it in {sections}"
WRONG = "{node}: wrong in config.xml: {count}; the first: {first}"
SECTION = "{section} ({count})"
LEFT_BY_SYNC = ("hasync/adminsync",)
"""What pfSense's own configuration sync leaves on the receiver beside what it carries (xmlrpc.php)."""


@dataclass(frozen=True)
class ReadBack:
    """defects: what is wrong with the file as it is stored. changes: section -> where it is not what the lab gave."""

    node: str
    stage: str
    defects: tuple[Defect, ...]
    changes: Mapping[str, tuple[Difference, ...]]

    def __str__(self) -> str:
        lines = []
        if self.defects:
            lines.append(WRONG.format(node=self.node, count=len(self.defects), first=self.defects[0]))
        if self.changes:
            words = [SECTION.format(section=name, count=len(found)) for name, found in self.changes.items()]
            lines.append(DIFFERS.format(node=self.node, stage=self.stage, sections=", ".join(words)))
        return "\n".join(lines) or AS_GIVEN.format(node=self.node, stage=self.stage)

    def as_data(self) -> dict[str, Any]:
        changes = [vars(change) for found in self.changes.values() for change in found]
        return {"ok": not self.defects, "defects": [vars(each) for each in self.defects], "changes": changes}


def read_back(lab: RunningLab, node: str) -> ReadBack:
    """Ask one firewall for its file. Raises LabError where it does not answer, or what it shows cannot be read."""
    return judge(lab, node, lab.firewalls[node].config())


def judge(lab: RunningLab, node: str, stored: bytes) -> ReadBack:
    """The file with its secrets hidden, as `Firewall.config` gives it."""
    given = config_xml(lab.session.plan, node, lab.stage, lab.secrets, revision_time=0)
    try:
        theirs = parse(stored).root
    except ConfigSyntaxError as error:
        raise LabError(f"{node} has a config.xml that cannot be read", seen=str(error)) from error
    ours = parse(given.encode()).root
    for root in (ours, theirs):
        for element in root.iter():
            if element.tag in SECRET and element.text:
                element.text = HIDDEN
    defects = [each for each in check(stored) if each.seen != HIDDEN and each.path.rsplit("/", 1)[-1] not in SECRET]
    receives = node != lab.topology.master and lab.topology.sync.xmlrpc
    changes = [each for each in differences(ours, theirs) if not (receives and each.path in LEFT_BY_SYNC)]
    return ReadBack(node, lab.stage.value, tuple(defects), by_section(changes))

"""What is possible but unwise, or surprising: rules with ids over a topology that loads.

`error` means the lab cannot run as written, and `lab.up` refuses it; `warning` that a failover will disappoint; `note`
that something is worth knowing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from lab.topology import lint_cluster, lint_networks, lint_policy
from lab.topology.findings import Finding, Issue
from lab.topology.model import Topology
from lab.topology.source import Source, dotted


class Severity(StrEnum):
    """See the module."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class LintRule:
    """One rule. id: never used again for another. outside_only: holds only where the lab shares the host's own network."""

    id: str
    severity: Severity
    find: Callable[[Topology], Iterator[Issue]]
    outside_only: bool = False

    @property
    def explanation(self) -> str:
        """What the rule is about: the first line of its function's docstring."""
        return (self.find.__doc__ or "").split("\n", 1)[0]


@dataclass(frozen=True)
class Remark:
    """One thing a rule has to say about one place."""

    id: str
    severity: Severity
    finding: Finding

    def __str__(self) -> str:
        place, rest = str(self.finding).split(": ", 1)
        return f"{place}: {self.id} {self.severity.value}: {rest}"


RULES = (
    LintRule("U001", Severity.ERROR, lint_networks.same_wan_address),
    LintRule("U002", Severity.WARNING, lint_networks.no_wan_vip),
    LintRule("U003", Severity.WARNING, lint_networks.wan_failure_unseen),
    LintRule("U004", Severity.WARNING, lint_networks.private_wan_blocked),
    LintRule("U005", Severity.WARNING, lint_networks.dhcp_wan_with_vip),
    LintRule("U006", Severity.WARNING, lint_networks.docker_range, outside_only=True),
    LintRule("U007", Severity.WARNING, lint_networks.machines_on_sync),
    LintRule("U008", Severity.WARNING, lint_networks.gateway_is_a_node),
    LintRule("U009", Severity.NOTE, lint_networks.vhid_on_two_networks),
    LintRule("U020", Severity.WARNING, lint_cluster.no_vip_at_all),
    LintRule("U021", Severity.WARNING, lint_cluster.vip_on_sync),
    LintRule("U022", Severity.WARNING, lint_cluster.equal_skews),
    LintRule("U023", Severity.WARNING, lint_cluster.backup_preferred),
    LintRule("U024", Severity.WARNING, lint_cluster.skew_collapses),
    LintRule("U025", Severity.NOTE, lint_cluster.sync_changes_skew),
    LintRule("U026", Severity.NOTE, lint_cluster.slow_detection),
    LintRule("U027", Severity.WARNING, lint_cluster.guessable_password),
    LintRule("U028", Severity.WARNING, lint_cluster.states_not_synced),
    LintRule("U029", Severity.NOTE, lint_cluster.configuration_not_synced),
    LintRule("U040", Severity.WARNING, lint_policy.nat_to_interface),
    LintRule("U041", Severity.WARNING, lint_policy.configuration_sync_denied),
    LintRule("U042", Severity.WARNING, lint_policy.state_sync_denied),
    LintRule("U043", Severity.NOTE, lint_policy.rule_never_reached),
    LintRule("U044", Severity.NOTE, lint_policy.network_without_rules),
)


def lint(topology: Topology, source: Source | None = None, *, private_namespace: bool = True) -> tuple[Remark, ...]:
    """All remarks in the order of the file.

    source: gives the lines; without it they are 0 and the file's name is the topology's.
    private_namespace: the lab gets a network namespace of its own, so the host's own networks do not matter.
    """
    remarks = [
        Remark(rule.id, rule.severity, _finding(issue, topology, source))
        for rule in RULES
        if not (rule.outside_only and private_namespace)
        for issue in rule.find(topology)
    ]
    return tuple(sorted(remarks, key=lambda remark: (remark.finding.line, remark.id)))


def refusals(topology: Topology, source: Source | None = None) -> tuple[Remark, ...]:
    """The remarks for which a lab is not built."""
    return tuple(remark for remark in lint(topology, source) if remark.severity is Severity.ERROR)


def _finding(issue: Issue, topology: Topology, source: Source | None) -> Finding:
    line = 0
    if source is not None:
        line = source.key_line(issue.path) if issue.about_key else source.line(issue.path)
    file = source.file if source else topology.name
    return Finding(file, line, dotted(issue.path), issue.summary, issue.expected, issue.seen, issue.hint)

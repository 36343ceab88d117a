"""Judges a config.xml by what pfSense 2.7.0 takes, keeps and refuses. Pure; `check` is the way in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lab.config.check import cluster, file, interfaces, nat, policy, services, switches, system
from lab.config.check.defect import Defect
from lab.config.check.node import Config, config_of
from lab.config.tree import ConfigSyntaxError, parse_any

__all__ = ["Defect", "check"]

RULES: tuple[Callable[[Config], Iterator[Defect]], ...] = (
    file.repeated_tags,
    file.mixed_content,
    file.entries_without_fields,
    file.plurals,
    file.missing_sections,
    switches.presence_switches,
    switches.sync_toggles,
    system.version,
    system.identity,
    system.users,
    system.groups,
    system.consoles,
    system.revision,
    interfaces.interfaces,
    interfaces.addresses_taken_twice,
    interfaces.gateways,
    interfaces.routes,
    cluster.virtual_ips,
    cluster.numbers_taken_twice,
    cluster.sync,
    policy.aliases,
    policy.rules,
    policy.trackers,
    nat.outbound,
    nat.forwards,
    services.dhcp_servers,
    services.jobs,
)
"""Each looks at the whole and says what is wrong with its subject."""


def check(data: bytes) -> tuple[Defect, ...]:
    """Everything that is wrong with a file, in the order of its lines; nothing where pfSense would take and obey it."""
    try:
        document = parse_any(data)
    except ConfigSyntaxError as error:
        return (file.unreadable(error),)
    found = list(file.first_lines(document))
    if not file.is_pfsense(document):
        return (*found, file.wrong_root(document))
    config = config_of(document)
    for rule in RULES:
        found += rule(config)
    return tuple(sorted(found, key=lambda defect: defect.line))

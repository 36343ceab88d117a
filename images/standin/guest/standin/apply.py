"""Making the running machine obey config.xml. Every function reads the file anew, so any process may call it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from standin import cluster, dhcp, network
from standin.config_store import write_through
from standin.facts import Facts, gather
from standin.places import Places
from standin.ruleset import compile_ruleset
from standin.run import run
from standin.settings import Settings
from standin.settings_xml import read


def load(places: Places) -> Settings:
    """Settings of the stored configuration.

    Raises FileNotFoundError when there is none, SettingsError when it cannot be obeyed.
    """
    return read(places.config.read_bytes())


def current_facts(places: Places, settings: Settings) -> Facts:
    leases = {each.key: dhcp.read_lease(places.lease(each.nic)) for each in settings.enabled if each.dhcp}
    return gather(settings, {key: lease for key, lease in leases.items() if lease})


def apply_filter(places: Places, settings: Settings, facts: Facts) -> None:
    """Compile the ruleset, load it in one transaction, keep its text where pfSense keeps its own.

    Raises CommandError with nft's words when the kernel refuses it; the old ruleset is then still in force.
    """
    compiled = compile_ruleset(settings, facts)
    run(["nft", "-f", "-"], compiled.text)
    places.ruleset.parent.mkdir(parents=True, exist_ok=True)
    write_through(places.ruleset, compiled.text.encode())


def apply_leases(places: Places) -> None:
    """After a change of lease: addresses, routes, then the rules that name the address. Nothing where all is as it was."""
    with one_at_a_time(places):
        settings = load(places)
        if not note_leases(places, settings):
            return
        facts = current_facts(places, settings)
        for interface in (each for each in settings.enabled if each.dhcp):
            network.apply(network.lease_plan(facts, interface, network.present_addresses(interface.nic)))
        network.apply(network.route_plan(settings, facts))
        apply_filter(places, settings, facts)
        write_resolver(places, settings)


def note_leases(places: Places, settings: Settings) -> bool:
    """Write down what the leases say; False where that is what was written last. To be called before they are read."""
    leases = [places.lease(each.nic) for each in settings.enabled if each.dhcp]
    said = "".join(f"{lease.name}\n{lease.read_text()}" for lease in leases if lease.exists())
    if places.applied_leases.exists() and places.applied_leases.read_text() == said:
        return False
    places.applied_leases.write_text(said)
    return True


def reload_filter(places: Places) -> None:
    with one_at_a_time(places):
        settings = load(places)
        apply_filter(places, settings, current_facts(places, settings))


def reload_all(places: Places) -> None:
    """Everything config.xml says, as after a boot, but CARP's on or off, which stays as it is."""
    with one_at_a_time(places):
        settings = load(places)
        apply_interfaces(places, settings, running=True)
        facts = current_facts(places, settings)
        network.apply(network.route_plan(settings, facts))
        apply_filter(places, settings, facts)
        write_resolver(places, settings)
        cluster.configure(settings)
        cluster.refresh_state_sync(places, settings)


def apply_interfaces(places: Places, settings: Settings, running: bool = False) -> None:
    """Static addresses in one `ip` process; DHCP clients started and ended as wanted. Does not wait for leases.

    running: addresses that stay are not touched, so that connections, routes and CARP do not notice.
    """
    network.set_hostname(settings.fqdn)
    dynamic = {each.nic for each in settings.enabled if each.dhcp}
    for interface in settings.interfaces:
        if interface.nic not in dynamic:
            dhcp.stop(places, interface.nic)
    fixed = [each for each in settings.interfaces if each.nic not in dynamic]
    lines = ["link set dev lo up", *network.vlan_plan(settings)]
    there = network.all_addresses() if running else None
    for each in fixed:
        present = there.get(each.nic, []) if there is not None else None
        lines += network.interface_plan(settings, each, present)
    network.apply([*lines, *(f"link set dev {nic} up" for nic in sorted(dynamic))])
    for nic in dynamic:
        dhcp.start(places, nic, settings.hostname)


def write_resolver(places: Places, settings: Settings) -> None:
    """resolv.conf and the host's name. Servers of config.xml first, as pfSense orders them."""
    servers = list(settings.dns_servers)
    for interface in settings.enabled:
        lease = dhcp.read_lease(places.lease(interface.nic)) if interface.dhcp else None
        servers += [each for each in (lease.dns if lease else ()) if each not in servers]
    resolver = places.root / "etc/resolv.conf"
    resolver.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"search {settings.domain}"] if settings.domain else []
    resolver.write_text("".join(f"{line}\n" for line in (*lines, *(f"nameserver {each}" for each in servers))))


@contextmanager
def one_at_a_time(places: Places) -> Iterator[None]:
    """Held by whoever changes the machine: boot, a lease, a command."""
    places.run.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(places.run / "apply.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # A record lock, which a fork does not inherit: the CARP daemon is forked while the boot holds it.
        fcntl.lockf(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

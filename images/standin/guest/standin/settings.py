"""What a config.xml says, as far as the stand-in obeys it. Frozen; no I/O. `settings_xml.read` makes one."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from standin.model import CarpVip, StateSync


@dataclass(frozen=True)
class Interface:
    """One element of `<interfaces>`, in the file's order.

    key:     `wan`, `lan`, `opt1`, ...
    nic:     `vtnet0`, ...
    address: static address, or None (none, or by DHCP).
    gateway: name of its `<gateway_item>`, or "".
    """

    key: str
    nic: str
    descr: str
    enabled: bool
    address: IPv4Interface | None
    dhcp: bool
    gateway: str
    mtu: int
    block_private: bool
    block_bogons: bool

    @property
    def has_gateway(self) -> bool:
        """pfSense's interface_has_gateway(): outbound NAT happens there."""
        return self.dhcp or bool(self.gateway)


@dataclass(frozen=True)
class Gateway:
    """`<gateway_item>`; address None = dynamic, from the lease."""

    name: str
    interface: str
    address: IPv4Address | None


@dataclass(frozen=True)
class StaticRoute:
    network: IPv4Network
    gateway: str


@dataclass(frozen=True)
class IpAlias:
    """`<vip>` of mode ipalias: a further address. `parent` is an interface key, `_vip<uniqid>` or `lo0`."""

    parent: str
    address: IPv4Interface


@dataclass(frozen=True)
class Alias:
    """`<alias>`: kind host, network, port or another one (urltable, ...); entries as written."""

    name: str
    kind: str
    entries: tuple[str, ...]


@dataclass(frozen=True)
class Endpoint:
    """`<source>` or `<destination>`: at most one of network, address; neither = any.

    network: keyword (`lan`, `opt1ip`, `(self)`). address: IP, CIDR or alias. port: number, `a-b` or alias; "" = any.
    """

    network: str = ""
    address: str = ""
    port: str = ""
    negated: bool = False


@dataclass(frozen=True)
class Rule:
    """One `<rule>` of `<filter>`.

    action: pass, block or reject. protocol: "" = any. direction: in, out or any (floating rules only).
    """

    action: str
    interfaces: tuple[str, ...]
    ipprotocol: str
    protocol: str
    source: Endpoint
    destination: Endpoint
    descr: str
    tracker: str
    disabled: bool
    log: bool
    floating: bool
    quick: bool
    direction: str
    icmptypes: tuple[str, ...]
    any_flags: bool
    stateless: bool
    gateway: str


@dataclass(frozen=True)
class OutboundRule:
    """One rule of `<nat><outbound>`. target: "" = the interface's address, or an IP."""

    interface: str
    protocol: str
    source: str
    source_negated: bool
    source_port: str
    destination: Endpoint
    target: str
    nat_port: str
    static_port: bool
    no_nat: bool
    disabled: bool
    descr: str


@dataclass(frozen=True)
class PortForward:
    """One rule of `<nat>`: packets for `destination` on `interface` go to `target`:`local_port`."""

    interface: str
    protocol: str
    source: Endpoint
    destination: Endpoint
    target: str
    local_port: str
    no_rdr: bool
    disabled: bool
    passes: bool
    descr: str


@dataclass(frozen=True)
class OutboundNat:
    """`<nat><outbound>`: mode automatic, hybrid, advanced (manual) or disabled."""

    mode: str = "automatic"
    rules: tuple[OutboundRule, ...] = ()


@dataclass(frozen=True)
class User:
    """bcrypt_hash: `$2b$...` or `$2y$...`, "" when the user has none."""

    name: str
    uid: int
    bcrypt_hash: str = field(repr=False)
    privileges: tuple[str, ...]


@dataclass(frozen=True)
class ConfigSync:
    """`<hasync>` as far as configuration goes. `sections`: the `synchronize*` toggles that are on, without that prefix."""

    peer: str
    username: str
    password: str = field(repr=False)
    admin_too: bool
    sections: tuple[str, ...]


@dataclass(frozen=True)
class Vlan:
    """One 802.1Q interface. parent: the NIC below it."""

    parent: str
    tag: int

    @property
    def name(self) -> str:
        return f"{self.parent}.{self.tag}"


@dataclass(frozen=True)
class Settings:
    """One node's configuration.

    revised: somebody stored it; the factory's own file is not.

    host_id: what pf stamps on the states this node makes.
    notes:   what the file asks for and the stand-in does not do, a line each.
    """

    version: str
    hostname: str
    domain: str
    interfaces: tuple[Interface, ...]
    gateways: tuple[Gateway, ...]
    default_gateway: str
    routes: tuple[StaticRoute, ...]
    dns_servers: tuple[IPv4Address, ...]
    vips: tuple[CarpVip, ...]
    ip_aliases: tuple[IpAlias, ...]
    host_id: int
    state_sync: StateSync | None
    config_sync: ConfigSync | None
    aliases: tuple[Alias, ...]
    rules: tuple[Rule, ...]
    outbound: OutboundNat
    forwards: tuple[PortForward, ...]
    users: tuple[User, ...]
    webgui_protocol: str
    webgui_port: int
    ssh_enabled: bool
    ssh_port: int
    maintenance: bool
    anti_lockout: bool
    ipv6_allowed: bool
    serial_console: bool
    console_locked: bool
    vlans: tuple[Vlan, ...]
    revised: bool
    authmode: str
    notes: tuple[str, ...]

    def interface(self, key: str) -> Interface | None:
        return next((each for each in self.interfaces if each.key == key), None)

    @property
    def enabled(self) -> tuple[Interface, ...]:
        return tuple(each for each in self.interfaces if each.enabled)

    @property
    def fqdn(self) -> str:
        return f"{self.hostname}.{self.domain}" if self.domain else self.hostname

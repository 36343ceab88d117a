"""What a lab is: networks, two firewalls, virtual addresses, rules, machines. Frozen, and only what a topology file may say.

Field by field constraints live here; what needs two fields at once is in `checks`; where a value stands in its file is `load`'s business.
"""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

CARP_PASSWORD_LIMIT = 19
"""Characters that count: ifconfig copies the password into a 20 byte field with its end mark (FreeBSD sbin/ifconfig/carp.c)."""

CARP_GENERATED = "generated"
"""The value of `carp.password` that asks for a word made per lab."""

ANYWHERE = "any"
THIS_FIREWALL = "firewall"
"""Words a rule may use beside networks and addresses: everything, and every address of the node itself."""

# A name becomes a bridge (`br-NAME`), a pf macro and part of a host name.
NetworkName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{0,11}$")]
MachineName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,14}$")]
LabName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
# One line of words: it ends in XML, in drawings and on terminals.
Words = Annotated[str, StringConstraints(pattern=r"^\P{C}*$", max_length=200)]
Vhid = Annotated[int, Field(ge=1, le=255)]
AdvSkew = Annotated[int, Field(ge=0, le=254)]
AdvBase = Annotated[int, Field(ge=1, le=254)]
CarpPassword = Annotated[str, StringConstraints(min_length=1, max_length=CARP_PASSWORD_LIMIT, pattern=r"^[!-~]+$")]
Port = Annotated[int, Field(ge=1, le=65535)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class NetworkRole(StrEnum):
    """What a network is for. `wan`: the way out; `sync`: between the firewalls; `inside`: everything else."""

    WAN = "wan"
    INSIDE = "inside"
    SYNC = "sync"


class Network(_Frozen):
    """One segment, which becomes one bridge.

    addressing:    how the firewalls get their address there; `dhcp` means by reservation, and only on the WAN.
    gateway:       next hop of the firewalls, on the WAN only.
    block_private: pfSense's `blockpriv` on this interface; block_bogons likewise.
    """

    subnet: IPv4Network
    role: NetworkRole = NetworkRole.INSIDE
    title: Words = ""
    addressing: Literal["static", "dhcp"] = "static"
    gateway: IPv4Address | None = None
    block_private: bool = False
    block_bogons: bool = False


class Firewall(_Frozen):
    """One node of the cluster. addresses: network name -> its own address there, for every network."""

    title: Words = ""
    hostname: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9-]{0,62}$")]
    advskew: AdvSkew
    addresses: dict[NetworkName, IPv4Address]


class Vip(_Frozen):
    """One CARP virtual address; its prefix length is its network's."""

    network: NetworkName
    address: IPv4Address
    vhid: Vhid
    descr: Words = "CARP virtual IP"


class Carp(_Frozen):
    """advbase in seconds. password: a word, or `generated` for one made per lab."""

    advbase: AdvBase = 1
    password: CarpPassword = CARP_GENERATED
    vips: tuple[Vip, ...]


class Sync(_Frozen):
    """State sync (pfsync) and configuration sync (XML-RPC, from the master to the backup), both over `network`."""

    network: NetworkName
    pfsync: bool = True
    xmlrpc: bool = True


class Outbound(StrEnum):
    """Outbound NAT: `interface` is pfSense's automatic mode (the node's own WAN address), `vip` the WAN's CARP address."""

    INTERFACE = "interface"
    VIP = "vip"


class Nat(_Frozen):
    outbound: Outbound = Outbound.INTERFACE


class Rule(_Frozen):
    """One filter rule on one interface, first match wins, as in pfSense's rule tabs.

    source, destination: `any`, `firewall` (all addresses of the node), a network's name, an address, or one of the last
    two with `!` in front.
    """

    on: NetworkName
    action: Literal["pass", "block", "reject"] = "pass"
    protocol: Literal["any", "tcp", "udp", "icmp", "pfsync"] = "any"
    source: str = Field(default=ANYWHERE, alias="from")
    destination: str = Field(default=ANYWHERE, alias="to")
    port: Port | None = None
    descr: Words = ""


class MachineRole(StrEnum):
    """`internet`: upstream router, DHCP server of the WAN and the public host; the others are ordinary machines."""

    CLIENT = "client"
    SERVER = "server"
    WEB = "web"
    INTERNET = "internet"


class Machine(_Frozen):
    """A machine that is not a firewall. public: the address of the public host behind the WAN (role internet only)."""

    network: NetworkName
    address: IPv4Address
    role: MachineRole = MachineRole.CLIENT
    public: IPv4Address | None = None


class Topology(_Frozen):
    """A whole lab. The order of `networks` is the order of the firewalls' NICs; of `firewalls`, master then backup.

    deviation: where this file departs on purpose from the document it reproduces.
    """

    name: LabName
    title: Words = ""
    domain: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,100}$")] = "home.arpa"
    deviation: tuple[Words, ...] = ()
    networks: dict[NetworkName, Network]
    firewalls: dict[MachineName, Firewall]
    carp: Carp
    sync: Sync
    nat: Nat = Nat()
    rules: tuple[Rule, ...] = ()
    machines: dict[MachineName, Machine]

    @property
    def master(self) -> str:
        """Name of the firewall that is meant to be master: the first."""
        return next(iter(self.firewalls))

    @property
    def backup(self) -> str:
        """Name of the other firewall."""
        return list(self.firewalls)[1]

    @property
    def wan(self) -> str:
        """Name of the network with role wan."""
        return next(name for name, network in self.networks.items() if network.role is NetworkRole.WAN)

    @property
    def lan(self) -> str:
        """Name of the network that is pfSense's LAN: the first inside. Its anti-lockout and shipped pass rule stand there."""
        return next(name for name, network in self.networks.items() if network.role is NetworkRole.INSIDE)

    @property
    def internet(self) -> str:
        """Name of the machine with role internet."""
        return next(name for name, machine in self.machines.items() if machine.role is MachineRole.INTERNET)

    def vip_on(self, network: str) -> Vip | None:
        """The first CARP address on a network, if there is one."""
        return next((vip for vip in self.carp.vips if vip.network == network), None)

    def gateway_of(self, machine: str) -> IPv4Address | None:
        """Where a machine sends what is not local: the VIP of its network, else the master's address; None on the WAN."""
        network = self.machines[machine].network
        if self.networks[network].role is NetworkRole.WAN:
            return None
        vip = self.vip_on(network)
        return vip.address if vip else self.firewalls[self.master].addresses[network]

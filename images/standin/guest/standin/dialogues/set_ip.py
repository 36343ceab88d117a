"""Option 2: the address of one interface, its gateway, its DHCP server."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_address, ip_interface
from xml.etree.ElementTree import Element, SubElement

from lab.console.catalogue import set_ip as texts
from lab.console.catalogue.text import Text
from standin.machine import Machine
from standin.settings import Interface, Settings
from standin.terminal import Speaker
from standin.tree import remove, section, set_flag, set_text


class Left(Exception):
    """The line was closed, or an answer ends the dialogue: nothing is stored."""


@dataclass(frozen=True)
class Family:
    """What differs between the two halves of the dialogue. tags: address, bits and gateway in config.xml."""

    name: str
    version: int
    dhcp: str
    dhcp_value: str
    most_bits: int
    tags: tuple[str, str, str]
    server: str
    protocol: str


IPV4 = Family("IPv4", 4, "DHCP", "dhcp", 32, ("ipaddr", "subnet", "gateway"), "dhcpd", "inet")
IPV6 = Family("IPv6", 6, "DHCP6", "dhcp6", 128, ("ipaddrv6", "subnetv6", "gatewayv6"), "dhcpdv6", "inet6")
Address = IPv4Interface | IPv6Interface


@dataclass(frozen=True)
class Choice:
    """What was chosen for one family: by DHCP, an address, or (both empty) none."""

    dhcp: bool = False
    address: Address | None = None
    gateway: str = ""
    default_gateway: bool = False

    def shown(self, family: Family) -> str:
        return family.dhcp_value if self.dhcp else str(self.address or "")


def set_address(speaker: Speaker, machine: Machine) -> None:
    try:
        _set_address(Dialogue(speaker, machine.settings()), machine)
    except Left:
        return


@dataclass(frozen=True)
class Dialogue:
    """The line, and the configuration as it was when the dialogue began."""

    speaker: Speaker
    settings: Settings

    def ask(self, text: Text, **fields: object) -> str:
        answer = self.speaker.ask(text, **fields)
        if answer is None:
            raise Left
        return answer

    def yes(self, text: Text, **fields: object) -> bool:
        """A `(y/n)` question is asked until it is answered."""
        while True:
            answer = self.ask(text, **fields).lower()
            if answer in ("y", "yes"):
                return True
            if answer in ("n", "no"):
                return False


def _set_address(dialogue: Dialogue, machine: Machine) -> None:
    speaker = dialogue.speaker
    interface = _choose_interface(dialogue)
    name = interface.key.upper()
    chosen = {family: _ask_family(dialogue, interface, family) for family in (IPV4, IPV6)}
    ranges = {family: _ask_server(dialogue, name, family, chosen[family]) for family in (IPV4, IPV6)}
    to_http = dialogue.settings.webgui_protocol == "https" and dialogue.yes(texts.ASK_HTTP)
    if not dialogue.settings.anti_lockout:
        speaker.say(texts.ANTI_LOCKOUT_BACK, key=interface.key)

    def edit(root: Element) -> None:
        for family in (IPV4, IPV6):
            _store(root, interface.key, family, chosen[family], ranges[family])
        remove(root, "dhcpd/wan")
        remove(root, "system/webgui/noantilockout")
        if to_http:
            set_text(root, "system/webgui/protocol", "http")

    speaker.say(texts.SAVING, name=name)
    machine.change(edit, f"{interface.key} IP configuration from console menu")
    machine.reload()
    speaker.say(texts.RELOADING_FILTER)
    speaker.say(texts.RELOADING_ROUTING)
    speaker.say(texts.RELOADING_DHCPD)
    if to_http:
        speaker.say(texts.RESTARTING_WEB)
    for family in (IPV4, IPV6):
        if chosen[family].shown(family):
            speaker.say(texts.ADDRESS_SET, family=family.name, name=name, address=chosen[family].shown(family))
    address = chosen[IPV4].address
    if address and not chosen[IPV4].gateway:
        speaker.say(texts.WEB_URL, url=_url(machine.settings(), address))
    dialogue.ask(texts.PRESS_ENTER)


def _choose_interface(dialogue: Dialogue) -> Interface:
    interfaces = dialogue.settings.interfaces
    if len(interfaces) == 1:
        return interfaces[0]
    dialogue.speaker.say(texts.AVAILABLE)
    for number, each in enumerate(interfaces, 1):
        kind = " - dhcp" if each.dhcp else " - static" if each.address else ""
        dialogue.speaker.say(texts.CHOICE, number=number, descr=each.descr, about=f"{each.nic}{kind}")
    answer = dialogue.ask(texts.ASK_NUMBER)
    if not answer.isdigit() or not 1 <= int(answer) <= len(interfaces):
        raise Left
    return interfaces[int(answer) - 1]


def _ask_family(dialogue: Dialogue, interface: Interface, family: Family) -> Choice:
    name = interface.key.upper()
    if dialogue.yes(texts.ASK_DHCP, family=family.name, name=name, dhcp=family.dhcp):
        return Choice(dhcp=True)
    while True:
        typed, bits = _ask_address(dialogue, interface, family)
        if not typed:
            return Choice()
        if not bits:
            bits = _ask_bits(dialogue, name, family)
        address: Address = ip_interface(f"{typed}/{bits}")
        if family is IPV4 and bits < family.most_bits - 1 and address.ip == address.network.network_address:
            dialogue.speaker.say(texts.NETWORK_ADDRESS)
        elif family is IPV4 and bits < family.most_bits - 1 and address.ip == address.network.broadcast_address:
            dialogue.speaker.say(texts.BROADCAST_ADDRESS)
        else:
            return _ask_gateway(dialogue, name, family, address)


def _ask_address(dialogue: Dialogue, interface: Interface, family: Family) -> tuple[str, int]:
    """The address and the bits after its slash (0 = not given, or not possible); "" for none."""
    while True:
        answer = dialogue.ask(texts.ASK_ADDRESS, name=interface.key.upper(), family=family.name)
        if not answer:
            return "", 0
        typed, _, bits = answer.partition("/")
        if not _is_address(typed, family):
            continue
        if typed in _taken(dialogue.settings, interface):
            dialogue.speaker.say(texts.CONFLICT)
            continue
        return typed, int(bits) if bits.isdigit() and 1 <= int(bits) <= family.most_bits else 0


def _ask_bits(dialogue: Dialogue, name: str, family: Family) -> int:
    dialogue.speaker.say(texts.BITS_HELP)
    dialogue.speaker.say(texts.BITS_HELP_4 if family is IPV4 else texts.BITS_HELP_6)
    while True:
        answer = dialogue.ask(texts.ASK_BITS, name=name, family=family.name, most=family.most_bits)
        if answer.isdigit() and 1 <= int(answer) <= family.most_bits:
            return int(answer)


def _ask_gateway(dialogue: Dialogue, name: str, family: Family, address: Address) -> Choice:
    while True:
        answer = dialogue.ask(texts.ASK_GATEWAY, name=name, family=family.name)
        if not answer:
            return Choice(address=address)
        if _is_address(answer, family):
            break
        dialogue.speaker.say(texts.NOT_AN_ADDRESS, family=family.name)
    if ip_address(answer) not in address.network:
        dialogue.speaker.say(texts.NON_LOCAL_GATEWAY)
    return Choice(address=address, gateway=answer, default_gateway=dialogue.yes(texts.ASK_DEFAULT_GATEWAY))


def _ask_server(dialogue: Dialogue, name: str, family: Family, choice: Choice) -> tuple[str, str] | None:
    """First and last address of a DHCP server's range; None = no server. An empty answer leaves the whole dialogue."""
    if choice.address is None or not dialogue.yes(texts.ASK_DHCP_SERVER, dhcp=family.dhcp, name=name):
        dialogue.speaker.say(texts.DISABLING_DHCPD, family=family.name)
        return None
    while True:
        first = _ask_in_subnet(dialogue, texts.ASK_RANGE_START, family, choice.address)
        last = _ask_in_subnet(dialogue, texts.ASK_RANGE_END, family, choice.address)
        if int(last) >= int(first):
            return str(first), str(last)
        dialogue.speaker.say(texts.RANGE_BACKWARDS)


def _ask_in_subnet(dialogue: Dialogue, text: Text, family: Family, address: Address) -> IPv4Address | IPv6Address:
    while True:
        answer = dialogue.ask(text, family=family.name)
        if not answer:
            raise Left
        if _is_address(answer, family) and ip_address(answer) in address.network:
            return ip_address(answer)
        dialogue.speaker.say(texts.NOT_IN_SUBNET)


def _is_address(text: str, family: Family) -> bool:
    try:
        return ip_address(text).version == family.version
    except ValueError:
        return False


def _taken(settings: Settings, interface: Interface) -> set[str]:
    """Addresses of other interfaces and of every VIP."""
    others = {str(each.address.ip) for each in settings.interfaces if each.address and each.key != interface.key}
    return (
        others
        | {str(each.address.ip) for each in settings.vips}
        | {str(each.address.ip) for each in settings.ip_aliases}
    )


def _store(root: Element, key: str, family: Family, choice: Choice, server: tuple[str, str] | None) -> None:
    address, bits, gateway = (f"interfaces/{key}/{tag}" for tag in family.tags)
    set_text(root, address, family.dhcp_value if choice.dhcp else str(choice.address.ip) if choice.address else "")
    set_text(root, bits, str(choice.address.network.prefixlen) if choice.address else "")
    set_text(root, gateway, _store_gateway(root, key, family, choice) if choice.gateway else "")
    set_flag(root, f"interfaces/{key}/enable", True)
    if server:
        set_flag(root, f"{family.server}/{key}/enable", True)
        set_text(root, f"{family.server}/{key}/range/from", server[0])
        set_text(root, f"{family.server}/{key}/range/to", server[1])
    else:
        remove(root, f"{family.server}/{key}/enable")


def _store_gateway(root: Element, key: str, family: Family, choice: Choice) -> str:
    """Name of the gateway with this address on this interface, made as `<IF>GW` where there is none."""
    gateways = section(root, "gateways")
    for item in gateways.findall("gateway_item"):
        if item.findtext("interface") == key and item.findtext("gateway") == choice.gateway:
            name = item.findtext("name") or ""
            break
    else:
        name = f"{key.upper()}GW" if family is IPV4 else f"{key.upper()}GWv6"
        item = SubElement(gateways, "gateway_item")
        for tag, text in (("interface", key), ("gateway", choice.gateway), ("name", name), ("weight", "1")):
            set_text(item, tag, text)
        set_text(item, "ipprotocol", family.protocol)
        set_text(item, "descr", f"Interface {key} Gateway")
    if choice.default_gateway:
        set_text(gateways, "defaultgw4" if family is IPV4 else "defaultgw6", name)
    return name


def _url(settings: Settings, address: Address) -> str:
    usual = {"https": 443, "http": 80}.get(settings.webgui_protocol)
    port = "" if settings.webgui_port == usual else f":{settings.webgui_port}"
    return f"{settings.webgui_protocol}://{address.ip}{port}/"

"""Option 1, and the boot when config.xml names NICs that do not exist: assign NICs to interfaces."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

from lab.console.catalogue import assign as texts
from lab.console.catalogue.text import Text
from standin.dialogues.vlans import ask_vlans, say_vlans
from standin.machine import Machine
from standin.settings import Vlan
from standin.terminal import Speaker
from standin.tree import remove, section, set_flag, set_text

ABOUT_WIDTH = 46


class Left(Exception):
    """The person left the dialogue."""


def assign_interfaces(speaker: Speaker, machine: Machine, booting: bool = False) -> bool:
    """True when an assignment was stored. booting: nothing runs yet that could be reloaded."""
    nics = machine.nics()
    _warn_of_little_memory(speaker, machine)
    speaker.say(texts.VALID)
    if not nics:
        speaker.say(texts.NO_NIC)
        return False
    for nic in nics:
        status = texts.UP if nic.up else texts.DOWN
        speaker.say(texts.NIC, name=nic.name, mac=nic.mac, status=status, about=nic.about[:ABOUT_WIDTH])
    vlans = machine.settings().vlans
    if speaker.ask(texts.ASK_VLANS) in ("y", "Y"):
        vlans = ask_vlans(speaker, nics, vlans)
    say_vlans(speaker, vlans)
    speaker.say(texts.AUTO_DETECTION)
    try:
        chosen = _choose(speaker, machine, [*(nic.name for nic in nics), *(vlan.name for vlan in vlans)])
    except Left:
        return False
    if len(set(chosen)) < len(chosen):
        speaker.say(texts.ASSIGNED_TWICE)
        return False
    names = ["WAN", "LAN", *(f"OPT{number}" for number in range(1, len(chosen)))][: len(chosen)]
    speaker.say(texts.SUMMARY)
    for name, nic_name in zip(names, chosen, strict=True):
        speaker.say(texts.SUMMARY_LINE, name=name, nic=nic_name)
    if speaker.ask(texts.PROCEED) not in ("y", "Y"):
        return False
    if len(chosen) == 1 and not booting:
        speaker.agree(texts.REMOVE_LAN)
    speaker.say(texts.WRITING)
    machine.change(lambda root: _store(root, chosen, vlans), "Console assignment of interfaces")
    speaker.say(texts.WRITTEN)
    speaker.say(texts.RELOADING)
    speaker.say(texts.RELOADED)
    if not booting:
        machine.reload()
    return True


def _warn_of_little_memory(speaker: Speaker, machine: Machine) -> None:
    installed, available = machine.memory()
    if available < texts.LEAST_MEMORY_MIB:
        speaker.ask(texts.LITTLE_MEMORY, installed=installed, available=available)
        speaker.say(texts.LITTLE_MEMORY_END)


def _choose(speaker: Speaker, machine: Machine, names: list[str]) -> list[str]:
    """Device names for WAN, LAN, OPT1, ...; LAN and the optional ones only as far as they were given."""
    left = list(names)
    known = frozenset(left)
    wan = _ask_until_known(speaker, machine, texts.ASK_WAN, "WAN", left, known)
    if not wan:
        raise Left
    chosen = [wan]
    lan = _ask_until_known(speaker, machine, texts.ASK_LAN, "LAN", left, known)
    if lan == "exit":
        raise Left
    if not lan:
        return chosen
    chosen.append(lan)
    descriptions = {each.key: each.descr for each in machine.settings().interfaces}
    while left:
        number = len(chosen) - 1
        if f"opt{number}" in descriptions:
            speaker.say(texts.FOUND_DESCRIPTION, number=number, descr=descriptions[f"opt{number}"])
        name = _ask_until_known(speaker, machine, texts.ASK_OPTIONAL, f"Optional {number}", left, known, number=number)
        if not name:
            break
        chosen.append(name)
    return chosen


def _ask_until_known(
    speaker: Speaker,
    machine: Machine,
    question: Text,
    name: str,
    left: list[str],
    known: frozenset[str],
    **fields: object,
) -> str:
    """The device given (and taken off `left`), "" for none, `exit` as typed."""
    while True:
        answer = speaker.ask(question, names=" ".join(left), **fields)
        if answer is None:
            raise Left
        if answer in ("", "exit"):
            return answer
        if answer == "a":
            answer = _detect(speaker, machine, name)
            if not answer:
                continue
        if answer in known:
            if answer in left:
                left.remove(answer)
            return answer
        speaker.say(texts.INVALID_NAME, name=answer)


def _detect(speaker: Speaker, machine: Machine, name: str) -> str:
    """The NIC whose cable is plugged in while we wait, "" for none."""
    before = {nic.name for nic in machine.nics() if nic.up}
    speaker.ask(texts.CONNECT_NOW, name=name)
    for nic in machine.nics():
        if nic.up and nic.name not in before:
            speaker.say(texts.LINK_UP, nic=nic.name)
            return nic.name
    speaker.say(texts.NO_LINK_UP)
    return ""


def _store(root: Element, chosen: list[str], vlans: tuple[Vlan, ...]) -> None:
    """Existing interfaces keep what they have; a new optional one is left disabled; those not named are removed."""
    interfaces = section(root, "interfaces")
    keys = ["wan", "lan", *(f"opt{number}" for number in range(1, len(chosen)))][: len(chosen)]
    for key, nic in zip(keys, chosen, strict=True):
        if key in ("wan", "lan"):
            set_flag(interfaces, f"{key}/enable", True)
        elif interfaces.find(key) is None:
            SubElement(SubElement(interfaces, key), "descr").text = key.upper()
        set_text(interfaces, f"{key}/if", nic)
    for old in list(interfaces):
        if old.tag not in keys:
            interfaces.remove(old)
    remove(root, "vlans")
    for vlan in vlans:
        entry = SubElement(section(root, "vlans"), "vlan")
        for tag, text in (("if", vlan.parent), ("tag", str(vlan.tag)), ("vlanif", vlan.name)):
            SubElement(entry, tag).text = text
    if "lan" not in keys:
        for path in ("dhcpd/lan", "dhcpdv6/lan", "nat", "shaper"):
            remove(root, path)
        remove(root, "interfaces/wan/blockpriv")

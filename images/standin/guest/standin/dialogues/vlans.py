"""The VLANs that option 1 asks for first. They are stored together with the assignment, or not at all."""

from __future__ import annotations

from lab.console.catalogue import assign as texts
from standin.machine import NicState
from standin.settings import Vlan
from standin.terminal import Speaker

HIGHEST_TAG = 4094


def ask_vlans(speaker: Speaker, nics: list[NicState], present: tuple[Vlan, ...]) -> tuple[Vlan, ...]:
    """The VLANs there are after the dialogue; `present` are those of the configuration."""
    if present and not speaker.agree(texts.VLANS_CLEARED):
        return present
    speaker.say(texts.VLANS_BEGIN)
    vlans = list(present)
    while True:
        speaker.say(texts.VLAN_CAPABLE)
        for nic in nics:
            speaker.say(texts.VLAN_CAPABLE_LINE, name=nic.name, mac=nic.mac, status=texts.VLAN_UP if nic.up else "")
        parent = speaker.ask(texts.ASK_VLAN_PARENT)
        if not parent:
            return tuple(vlans)
        if parent not in {nic.name for nic in nics}:
            speaker.say(texts.INVALID_NAME, name=parent)
            continue
        typed = speaker.ask(texts.ASK_VLAN_TAG) or ""
        if not (typed.isascii() and typed.isdigit() and 1 <= int(typed) <= HIGHEST_TAG):
            speaker.say(texts.INVALID_VLAN_TAG, tag=typed)
        elif Vlan(parent, int(typed)) in vlans:
            speaker.say(texts.VLAN_TWICE)
        else:
            vlans.append(Vlan(parent, int(typed)))


def say_vlans(speaker: Speaker, vlans: tuple[Vlan, ...]) -> None:
    if vlans:
        speaker.say(texts.VLANS)
    for vlan in vlans:
        speaker.say(texts.VLAN_LINE, name=vlan.name, tag=vlan.tag, parent=vlan.parent)

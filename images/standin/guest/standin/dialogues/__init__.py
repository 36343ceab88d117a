"""The menu's longer dialogues, one a module. Each speaks on a Speaker and acts on a Machine."""

from __future__ import annotations

from collections.abc import Callable

from standin.machine import Machine
from standin.terminal import Speaker


def find(option: str) -> Callable[[Speaker, Machine], object] | None:
    """The dialogue of a menu option, imported when it is asked for; None for one that has none."""
    if option == "1":
        from standin.dialogues.assign import assign_interfaces

        return assign_interfaces
    if option == "2":
        from standin.dialogues.set_ip import set_address

        return set_address
    if option == "3":
        from standin.dialogues.accounts import reset_password

        return reset_password
    if option == "14":
        from standin.dialogues.accounts import toggle_ssh

        return toggle_ssh
    return None

"""The menu's longer dialogues, one a module. Each speaks on a Speaker and acts on a Machine."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from standin.machine import Machine
from standin.terminal import Speaker

# Option -> module here and function; imported when it is asked for.
DIALOGUES = {
    "1": ("assign", "assign_interfaces"),
    "2": ("set_ip", "set_address"),
    "3": ("accounts", "reset_password"),
    "11": ("services", "restart_web"),
    "13": ("services", "update"),
    "14": ("accounts", "toggle_ssh"),
    "15": ("history", "restore_backup"),
    "16": ("services", "restart_php"),
}


def find(option: str) -> Callable[[Speaker, Machine], object] | None:
    """The dialogue of a menu option; None for one that has none."""
    if option not in DIALOGUES:
        return None
    module, name = DIALOGUES[option]
    dialogue: Callable[[Speaker, Machine], object] = getattr(import_module(f"standin.dialogues.{module}"), name)
    return dialogue

"""Options 3 and 14: the administrator's password, and ssh."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

from lab.console.catalogue import menu as texts
from standin.defaults import DEFAULT_HASH, DEFAULT_PASSWORD
from standin.machine import Machine
from standin.terminal import Speaker
from standin.tree import remove, section, set_flag, set_text

ADMIN_UID = "0"
LOCAL_DATABASE = "Local Database"


def reset_password(speaker: Speaker, machine: Machine) -> None:
    if not speaker.agree(texts.PASSWORD_ASK, default_password=DEFAULT_PASSWORD):
        return
    settings = machine.settings()
    remote = settings.authmode not in ("", LOCAL_DATABASE)
    to_local = remote and speaker.agree(texts.PASSWORD_AUTHMODE, authmode=settings.authmode)
    if not any(user.uid == int(ADMIN_UID) for user in settings.users):
        speaker.say(texts.PASSWORD_NO_ADMIN)

    def edit(root: Element) -> None:
        if to_local:
            set_text(root, "system/webgui/authmode", LOCAL_DATABASE)
        _reset_admin(root)

    machine.change(edit, "password changed from console menu")
    speaker.ask(texts.PASSWORD_DONE)


def _reset_admin(root: Element) -> None:
    system = section(root, "system")
    admin = next((user for user in system.findall("user") if user.findtext("uid") == ADMIN_UID), None)
    if admin is None:
        admin = SubElement(system, "user")
    for tag, text in (("name", "admin"), ("scope", "system"), ("uid", ADMIN_UID), ("bcrypt-hash", DEFAULT_HASH)):
        set_text(admin, tag, text)
    for tag in ("disabled", "expires", "sha512-hash"):
        remove(admin, tag)
    for privilege in admin.findall("priv"):
        admin.remove(privilege)
    SubElement(admin, "priv").text = "user-shell-access"


def toggle_ssh(speaker: Speaker, machine: Machine) -> None:
    """Only a lower-case y counts. The rules know of ssh (anti-lockout); a server of its own the stand-in does not have."""
    on = machine.settings().ssh_enabled
    answer = speaker.ask(texts.SSH_ASK_DISABLE if on else texts.SSH_ASK_ENABLE) or ""
    if not answer.startswith("y"):
        return
    speaker.say(texts.SSH_WRITING)
    machine.change(_ssh_off if on else _ssh_on, f"{'Disabled' if on else 'Enabled'} SSHD from console menu.")
    speaker.say(texts.SSH_WRITTEN)
    speaker.say(texts.SSH_DISABLING if on else texts.SSH_ENABLING)
    speaker.say(texts.SSH_RELOADING)
    machine.reload()
    speaker.say(texts.SSH_DISABLED if on else texts.SSH_ENABLED)


def _ssh_on(root: Element) -> None:
    set_text(root, "system/ssh/enable", "enabled")


def _ssh_off(root: Element) -> None:
    set_flag(root, "system/ssh/enable", False)

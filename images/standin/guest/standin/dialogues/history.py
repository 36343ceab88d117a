"""Option 15: go back to an earlier configuration."""

from __future__ import annotations

import time
from collections.abc import Sequence

from lab.console.catalogue import history as texts
from standin.config_store import Backup
from standin.machine import Machine
from standin.terminal import Speaker
from standin.xmlnode import SettingsError


def restore_backup(speaker: Speaker, machine: Machine) -> None:
    """List and restore until a restore was tried or the dialogue is left; the running firewall is not touched, as on pfSense."""
    backups = machine.backups()
    while True:
        answer = speaker.ask(texts.CHOICES)
        choice = "q" if answer is None else answer.lower()
        if choice in ("q", "quit"):
            speaker.say(texts.QUIT)
            return
        if choice == "1":
            _list(speaker, list(enumerate(backups, 1)))
        elif choice == "2":
            _restore(speaker, machine, backups)
            return


def _list(speaker: Speaker, numbered: Sequence[tuple[int, Backup]]) -> None:
    """The newest last."""
    if not numbered:
        speaker.say(texts.NONE)
    for number, backup in reversed(numbered):
        page, _, reason = backup.description.partition(": ")
        if not reason:
            page, reason = texts.UNKNOWN_PAGE, page
        speaker.say(texts.ENTRY, number=number, date=shown_date(backup.time), config_version=backup.version, page=page)
        speaker.say(texts.ENTRY_REASON, reason=reason)
        speaker.say(texts.ENTRY_END)


def _restore(speaker: Speaker, machine: Machine, backups: Sequence[Backup]) -> None:
    number = _choose(speaker, len(backups))
    if not number:
        speaker.say(texts.CANCELLED_INVALID)
        return
    backup = backups[number - 1]
    speaker.say(texts.CONFIRM)
    _list(speaker, [(number, backup)])
    if (speaker.ask(texts.ASK) or "").upper() != "Y":
        speaker.say(texts.CANCELLED)
        return
    try:
        machine.restore(backup)
    except (OSError, SettingsError):
        speaker.say(texts.UNABLE)
    else:
        speaker.say(texts.REVERTED, date=shown_date(backup.time), description=backup.description)


def _choose(speaker: Speaker, count: int) -> int:
    """The number of a backup, 0 for none."""
    if not count:
        speaker.say(texts.NONE)
        return 0
    answer = speaker.ask(texts.WHICH, count=count) or ""
    if answer.isascii() and answer.isdigit() and 0 < int(answer) <= count:
        return int(answer)
    speaker.say(texts.INVALID_NUMBER)
    return 0


def shown_date(seconds: int) -> str:
    """PHP's `n/j/y H:i:s`: month and day without leading zeros."""
    if not seconds:
        return texts.UNKNOWN_DATE
    there = time.localtime(seconds)
    return f"{there.tm_mon}/{there.tm_mday}/{time.strftime('%y %H:%M:%S', there)}"

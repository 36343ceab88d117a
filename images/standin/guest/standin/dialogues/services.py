"""Options 11, 13 and 16: restart the web interface, update, restart what runs PHP."""

from __future__ import annotations

from lab.console.catalogue import menu as texts
from standin.machine import Machine
from standin.terminal import Speaker

NO_PACKAGES = "ERROR: the stand-in has no packages to update: a newer one is a new image.\n"


def restart_web(speaker: Speaker, machine: Machine) -> None:
    speaker.say(texts.WEB_RESTART)
    machine.restart_web()
    speaker.say(texts.WEB_RESTARTED)


def update(speaker: Speaker, machine: Machine) -> None:
    """There is nothing to fetch: it says so where pfSense without Internet gives its own error."""
    speaker.say(texts.UPDATING)
    speaker.write(NO_PACKAGES)


def restart_php(speaker: Speaker, machine: Machine) -> None:
    """What answers XML-RPC here is started again; the reload daemon that pfSense ends and starts too, a stand-in does not have."""
    speaker.say(texts.PHP_FPM_KILLING_RELOADER)
    speaker.say(texts.PHP_FPM_KILLING)
    if machine.remove_rpc_lock():
        speaker.say(texts.PHP_FPM_LOCK)
    speaker.say(texts.PHP_FPM_STARTING)
    machine.restart_web()
    speaker.say(texts.PHP_FPM_STARTING_RELOADER)

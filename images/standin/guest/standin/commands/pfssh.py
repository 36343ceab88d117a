"""`pfSsh.php playback NAME`, and without arguments the dialogue of option 12."""

from __future__ import annotations

import sys

from lab.console.catalogue import shell as texts
from lab.console.catalogue.text import STANDIN
from standin.cluster import ClusterError
from standin.developer_shell import run_shell
from standin.places import Places
from standin.playback import PLAYBACKS
from standin.terminal import FileTerminal, Speaker
from standin.xmlnode import SettingsError


def main(name: str, arguments: list[str], places: Places) -> int:
    speaker = Speaker(FileTerminal(), STANDIN)
    if not arguments:
        run_shell(speaker, PLAYBACKS, places)
        return 0
    if arguments[0] not in ("playback", "run") or len(arguments) < 2 or arguments[1] not in PLAYBACKS:
        speaker.say(texts.PLAYBACK_INVALID)
        speaker.say(texts.RECORDINGS, commands=" ".join(PLAYBACKS))
        return 255
    try:
        PLAYBACKS[arguments[1]](speaker, places)
    except (ClusterError, SettingsError, OSError) as error:
        sys.stderr.write(f"{name}: {error}\n")
        return 1
    return 0

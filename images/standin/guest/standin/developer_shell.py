"""Option 12. There is no PHP here: playback works, code is refused with a clear word."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lab.console.catalogue import shell as texts
from standin.places import Places
from standin.terminal import Speaker

NO_PHP = "The stand-in has no PHP: nothing was executed. `playback NAME` works, `exit` leaves.\n"
FAILED = "{reason}\n"

Playback = Callable[[Speaker, Places], None]


def run_shell(speaker: Speaker, playbacks: Mapping[str, Playback], places: Places) -> None:
    """Read lines until `exit`, `quit` or the end of the line. Lines are only kept, as in pfSense, until `exec`."""
    speaker.say(texts.PHP_START)
    speaker.say(texts.PHP_WELCOME, commands=" ".join(playbacks))
    buffer: list[str] = []
    while True:
        line = speaker.ask(texts.PHP_PROMPT)
        if line is None or line.split(" ")[0] in ("exit", "quit"):
            return
        word, _, rest = line.partition(" ")
        if word in ("playback", "run"):
            _play(speaker, playbacks, rest.split(" ")[0], places)
        elif word in ("exec", "exec;"):
            if any(each.strip() for each in buffer):
                speaker.write(NO_PHP)
            buffer = []
        elif word == "reset":
            buffer = []
            speaker.say(texts.BUFFER_RESET)
        elif word in ("help", "?"):
            speaker.write(NO_PHP)
            buffer = []
        elif word == "showrecordings":
            speaker.say(texts.RECORDINGS, commands=" ".join(playbacks))
        else:
            buffer.append(line)


def _play(speaker: Speaker, playbacks: Mapping[str, Playback], name: str, places: Places) -> None:
    if name not in playbacks:
        speaker.say(texts.PLAYBACK_MISSING)
        return
    speaker.say(texts.PLAYBACK_START, name=name)
    try:
        playbacks[name](speaker, places)
    except Exception as error:  # a failed playback must not end the shell
        speaker.write(FAILED.format(reason=error))

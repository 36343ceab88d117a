"""The shells: option 8's prompt and option 12's dialogue."""

from __future__ import annotations

from lab.console.catalogue.text import Text

# tcsh's prompt from dot.tcshrc: bold and bold-red stand inside it, which is why it must be matched on a rendered screen.
PROMPT = Text(
    "[\x1b[1m{version}\x1b[0m][\x1b[1m{user}\x1b[0m\x1b[0;1;31m@\x1b[0;0;0m\x1b[1m{fqdn}\x1b[0m]{folder}"
    "\x1b[0;1;31m:\x1b[0;0;0m ",
    "etc/skel/dot.tcshrc",
)
PLAIN_PROMPT = Text("# ", "FreeBSD bin/sh/parser.c, getprompt")

PHP_START = Text("Starting the {product} developer shell", "usr/local/sbin/pfSsh.php")
PHP_WELCOME = Text(
    "....\n\nWelcome to the {product} developer shell\n\n"
    'Type "help" to show common usage scenarios.\n\n'
    "Available playback commands:\n     {commands} \n\n",
    "usr/local/sbin/pfSsh.php",
)
PHP_PROMPT = Text("{product} shell: ", "usr/local/sbin/pfSsh.php")
PLAYBACK_START = Text("\nPlayback of file {name} started.\n\n", "usr/local/sbin/pfSsh.php")

ENABLE_CARP = Text("Enabling CARP...\n", "etc/phpshellsessions/enablecarp")
DISABLE_CARP = Text("Disabling CARP...\n", "etc/phpshellsessions/disablecarp")
ENABLE_MAINTENANCE = Text("Enabling CARP maintenance mode...\n", "etc/phpshellsessions/enablecarpmaint")
DISABLE_MAINTENANCE = Text("Disabling CARP maintenance mode...\n", "etc/phpshellsessions/disablecarpmaint")

PLAYBACK_MISSING = Text("Could not locate playback file.\n", "usr/local/sbin/pfSsh.php")
PLAYBACK_INVALID = Text("Error: Invalid playback file specified.\n\n", "usr/local/sbin/pfSsh.php")
RECORDINGS = Text(
    "==> Sessions available for playback are:\n{commands} \n\n==> end of list.\n", "usr/local/sbin/pfSsh.php"
)
BUFFER_RESET = Text("\nBuffer reset.\n\n", "usr/local/sbin/pfSsh.php")

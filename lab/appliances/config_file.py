"""config.xml on a running firewall, over its console: looked at without showing a password, changed by lines, put back.

Nothing secret crosses the serial line, which is written down: each password comes as a salted digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from lab.appliances.firewall import Firewall
from lab.console.command_line import Output
from lab.errors import LabError
from lab.expect.mistake import Edit, Line

Run = Callable[[str, float], Output]
"""A command and its limit in seconds."""

CONFIG = "/cf/conf/config.xml"
KEPT = "/cf/conf/config.before-fault.xml"
SCRIPT = "/tmp/uranus-look"
EDIT = "/tmp/uranus-edit"
DIGEST_LENGTH = 16
"""Hex digits of SHA-256."""

SECTIONS = ("virtualip", "hasync", "aliases", "nat", "filter")
# One element a line, as pfSense writes it; `.` is the tab in front of a section. First each line's number and the line, with
# nothing in a password; then the number and the digest of each line with a password.
MIDDLE = "=="
LOOK = (
    f"for s in {' '.join(SECTIONS)}; do",
    f'sed -n -e "/^.<$s>/,/^.<.$s>/{{=;s/<password>.*/<password>/;p;}}" {CONFIG}; done',
    f'echo {MIDDLE}; grep -n "<password>" {CONFIG} | while read -r l; do',
    'printf "%s " "${l%%:*}"; printf "%s<%s" "$1" "${l#*<}" | openssl dgst -sha256 -r | cut -c1-16; done',
)
WRITE = "printf '%s\\n' '{line}' >>{file}"
KEEP = f"test -e {KEPT} || cp -p {CONFIG} {KEPT}"
CHANGE = f"sed -f {EDIT} {KEPT} >{CONFIG}"
PUT_BACK = f"test ! -e {KEPT} || {{ cat {KEPT} >{CONFIG} && rm {KEPT}; }}"
OBEY = "rm -f /tmp/config.cache; /etc/rc.reload_all >/dev/null 2>&1"
"""config.cache is the parsed file that pfSense's PHP keeps (config.lib.inc)."""

REFUSED = "{node} did not take the change of its configuration"
EMPTY, PASSWORD = "<password>", "<password>{digest}</password>"
LISTED = "a number, then a line; then numbers with digests"
ODD = "{node} listed its configuration in a way that is not understood"


def digest(salt: str, password: str, marked: bool) -> str:
    """What the listing shows for a password. marked: whether it stands in a CDATA section."""
    text = f"<![CDATA[{password}]]>" if marked else password
    return hashlib.sha256(f"{salt}<password>{text}</password>".encode()).hexdigest()[:DIGEST_LENGTH]


def digests(salt: str, password: str) -> frozenset[str]:
    """Either form's."""
    return frozenset(digest(salt, password, marked) for marked in (True, False))


def read_settings(firewall: Firewall, salt: str) -> tuple[Line, ...]:
    """The SECTIONS of config.xml. Raises LabError."""
    with firewall.shell("reading the configuration") as shell:
        _write(firewall, shell.run, SCRIPT, LOOK)
        said = shell.run(f"sh {SCRIPT} {salt}", firewall.step_limit)
    try:
        return parse_listing(said.text)
    except ValueError as error:
        raise LabError(
            ODD.format(node=firewall.name), expected=LISTED, seen=said.text[-2000:], log=str(firewall.log)
        ) from error


def parse_listing(text: str) -> tuple[Line, ...]:
    """What LOOK prints. Raises ValueError on anything else."""
    rows = text.splitlines()
    middle = rows.index(MIDDLE)
    found = {int(number): word for number, word in (row.split() for row in rows[middle + 1 :])}
    return tuple(
        Line(int(number), PASSWORD.format(digest=found[int(number)]) if EMPTY in line else line)
        for number, line in zip(rows[:middle:2], rows[1:middle:2], strict=True)
    )


def edit(firewall: Firewall, changes: Sequence[Edit], forget: Sequence[tuple[str, str]]) -> None:
    """Change these lines and have the firewall obey. forget: pairs of addresses whose states go, so that the rules are asked anew.

    Raises LabError.
    """
    with firewall.shell("changing the configuration") as shell:
        _write(firewall, shell.run, EDIT, [_sed(change) for change in changes])
        for command in (KEEP, CHANGE, OBEY):
            _do(firewall, shell.run, command)
        for one, other in forget:
            shell.run(f"pfctl -k {one} -k {other}", firewall.step_limit)


def restore(firewall: Firewall, forget: Sequence[tuple[str, str]]) -> None:
    """Back to what it was before the first `edit`; nothing where there was none. Raises LabError."""
    with firewall.shell("restoring the configuration") as shell:
        for command in (PUT_BACK, OBEY):
            _do(firewall, shell.run, command)
        for one, other in forget:
            shell.run(f"pfctl -k {one} -k {other}", firewall.step_limit)


def _sed(change: Edit) -> str:
    if change.text is None:
        return f"{change.first},{change.last}d"
    return f"{change.first}s|.*|{change.text}|"


def _write(firewall: Firewall, run: Run, file: str, lines: Sequence[str]) -> None:
    _do(firewall, run, f": >{file}")
    for line in lines:
        _do(firewall, run, WRITE.format(line=line, file=file))


def _do(firewall: Firewall, run: Run, command: str) -> None:
    said = run(command, firewall.step_limit)
    if said.code:
        raise LabError(
            REFUSED.format(node=firewall.name),
            expected=command,
            seen=f"exit code {said.code}\n{said.text}",
            log=str(firewall.log),
        )

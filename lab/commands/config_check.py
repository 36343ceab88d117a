"""`config.check`: judge any config.xml."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from lab.commands import present
from lab.config.check import Defect, check
from lab.errors import LabError

CLEAN = "{file}: nothing to remark"
SUMMARY = "{file}: {mistakes} wrong, {warnings} to think about"
NO_FILE = "cannot read {file}"
CURE = "give the path of a config.xml, such as one that `topology.render` writes"


def run(file: str, json: bool) -> int:
    """The command. Exit code 1 where something is wrong; remarks that pfSense would take are no failure."""

    def body() -> int:
        defects = check(_data(file))
        wrong = [each for each in defects if not each.warning]
        if json:
            present.as_json({"ok": not wrong, "file": file, "defects": [asdict(each) for each in defects]})
        else:
            print(as_text(file, defects))
        return 1 if wrong else 0

    return present.run(body, json)


def as_text(file: str, defects: tuple[Defect, ...]) -> str:
    """All remarks, and how many."""
    if not defects:
        return CLEAN.format(file=file)
    warnings = sum(each.warning for each in defects)
    closing = SUMMARY.format(file=file, mistakes=len(defects) - warnings, warnings=warnings)
    return "\n".join([*map(str, defects), closing])


def _data(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise LabError(NO_FILE.format(file=file), seen=error.strerror or str(error), cure=CURE) from error

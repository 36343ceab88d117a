"""config.xml on disk: read, replaced as a whole, changed, with a backup of what was there before."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from standin import events
from standin.places import Places
from standin.tree import set_text
from standin.xmlnode import SettingsError, parse_document, parse_root

ROOT_LINE = b"<pfsense>"


def install(places: Places, data: bytes) -> None:
    """Make `data` the configuration: written beside, flushed to the disk, then renamed; what was there becomes a backup."""
    places.config.parent.mkdir(parents=True, exist_ok=True)
    if places.config.exists():
        places.backups.mkdir(exist_ok=True)
        old = places.config.read_bytes()
        (places.backups / f"config-{_revision_time(old)}.xml").write_bytes(old)
    write_through(places.config, data)


@dataclass(frozen=True)
class Backup:
    """One configuration that was in force before. time: of its revision, seconds since 1970; 0 where it has none."""

    path: Path
    time: int
    version: str
    description: str


def backups(places: Places) -> list[Backup]:
    """The newest first, as pfSense lists them."""
    found = [_backup(path) for path in places.backups.glob("config-*.xml")]
    return sorted((each for each in found if each), key=lambda each: each.time, reverse=True)


def _backup(path: Path) -> Backup | None:
    try:
        root = parse_root(path.read_bytes())
    except SettingsError:
        return None
    revision = root.child("revision")
    described = revision.text("description") if revision else ""
    return Backup(path, _revision_time(path.read_bytes()), root.text("version") or "?", described or "Unknown")


def restore(places: Places, backup: Backup) -> None:
    """Make a backup the configuration again, with a revision of its own that says so. Raises OSError, SettingsError."""
    from lab.config.write import rewritten

    document = parse_document(backup.path.read_bytes())
    _stamp(document.root, f"Reverted to {backup.path.name}.")
    install(places, rewritten(document))
    events.send(places, events.FILTER_SYNC)


def reset_to_defaults(places: Places) -> None:
    """What pfSense's reset_factory_defaults() does: all files of the configuration go, the default comes, and with it the wizard.

    The backups stay, as there.
    """
    from standin.factory import DEFAULT_CONFIG

    places.config.parent.mkdir(parents=True, exist_ok=True)
    for path in places.config.parent.iterdir():
        if path.is_file():
            path.unlink()
    write_through(places.config, DEFAULT_CONFIG.encode())
    places.wizard_flag.touch()


def _revision_time(data: bytes) -> int:
    try:
        revision = parse_root(data).child("revision")
        return int(revision.text("time") or 0) if revision else 0
    except (SettingsError, ValueError):
        return 0


def change(places: Places, edit: Callable[[Element], None], description: str) -> None:
    """pfSense's write_config(): apply `edit` to the tree, stamp a `<revision>`, store, send. What is not edited stays byte for byte.

    Texts in the tree are values: no entities, no CDATA. Raises SettingsError when the stored file is not readable.
    """
    from lab.config.write import rewritten

    document = parse_document(places.config.read_bytes())
    edit(document.root)
    _stamp(document.root, description)
    install(places, rewritten(document))
    events.send(places, events.FILTER_SYNC)


def serialise(root: Element) -> bytes:
    """A tree of values as pfSense stores it: declaration, root element alone on line 2, tabs, CDATA by tag."""
    from lab.config.write import fresh

    return fresh(root).encode()


def write_through(path: Path, data: bytes) -> None:
    """Replace a file so that a power cut leaves either the old or the new one."""
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _stamp(root: Element, description: str) -> None:
    for extra in root.findall("revision")[1:]:
        root.remove(extra)
    for tag, text in (("time", str(int(time.time()))), ("description", description), ("username", "(system)")):
        set_text(root, f"revision/{tag}", text)

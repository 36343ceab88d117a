"""config.xml on disk: read, replaced as a whole, changed, with a backup of what was there before."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from standin.places import Places
from standin.xmlnode import parse_root

ROOT_LINE = b"<pfsense>"


def install(places: Places, data: bytes) -> None:
    """Make `data` the configuration: written beside, flushed to the disk, then renamed; what was there becomes a backup."""
    places.config.parent.mkdir(parents=True, exist_ok=True)
    if places.config.exists():
        places.backups.mkdir(exist_ok=True)
        kept = places.backups / f"config-{int(time.time())}.xml"
        kept.write_bytes(places.config.read_bytes())
    write_through(places.config, data)


def change(places: Places, edit: Callable[[Element], None], description: str) -> None:
    """pfSense's write_config(): apply `edit` to the tree, stamp a `<revision>`, store.

    Raises SettingsError when the stored file is not readable.
    """
    root = parse_root(places.config.read_bytes()).element
    edit(root)
    _stamp(root, description)
    install(places, serialise(root))


def serialise(root: Element) -> bytes:
    """The tree as pfSense stores it: declaration, root element alone on line 2, tabs."""
    indent(root, "\t")
    return b'<?xml version="1.0"?>\n' + tostring(root, short_empty_elements=False) + b"\n"


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
    for old in root.findall("revision"):
        root.remove(old)
    revision = SubElement(root, "revision")
    SubElement(revision, "time").text = str(int(time.time()))
    SubElement(revision, "description").text = description
    SubElement(revision, "username").text = "(system)"

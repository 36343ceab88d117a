"""Guest images that are built: one folder each in the cache, with a record of what it should hold.

~/.cache/uranus-lab/images/NAME-HASH12/{disk.qcow2,kernel,initrd,image.json,verified.json}
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from lab.errors import LabError
from lab.paths import cache_home, state_home

RECORD = "image.json"
STAMP = "verified.json"
HASH_DIGITS = 12
UNFINISHED = ".build-"
OLD = ".old-"
CHUNK = 1 << 20

CORRUPT = "The guest image {name} is damaged"
EXPECTED = "{file} with SHA-256 {digest}"
REBUILD = "./inv image.build --force"
UNREADABLE = "The record of the guest image {name} cannot be read"


@dataclass(frozen=True)
class FileRecord:
    """One file of an image as it was when built: SHA-256 as hex, and bytes."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Installed:
    """One image in the cache.

    built: when, ISO 8601 in UTC. files: by name. size: bytes of all files.
    """

    name: str
    recipe_hash: str
    built: str
    files: dict[str, FileRecord]
    path: Path

    @property
    def size(self) -> int:
        return sum(record.size for record in self.files.values())


def images_home() -> Path:
    return cache_home() / "images"


def image_path(name: str, recipe_hash: str, home: Path | None = None) -> Path:
    return (home or images_home()) / f"{name}-{recipe_hash[:HASH_DIGITS]}"


def file_sha256(path: Path) -> str:
    """As hex. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def digest(path: Path) -> str:
    """SHA-256 over what an image holds: two builds of one recipe may differ. Raises LabError."""
    files = read_record(path).files
    return hashlib.sha256("\n".join(f"{name} {files[name].sha256}" for name in sorted(files)).encode()).hexdigest()


def write_record(path: Path, name: str, recipe_hash: str, files: list[str]) -> None:
    """Describe the files of a finished build in its image.json."""
    records = {file: FileRecord(file_sha256(path / file), (path / file).stat().st_size) for file in files}
    record = {
        "name": name,
        "recipe_hash": recipe_hash,
        "built": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": {file: asdict(known) for file, known in records.items()},
    }
    (path / RECORD).write_text(f"{json.dumps(record, indent=2)}\n")
    _stamp(path, list(files))


def read_record(path: Path) -> Installed:
    """The image in a folder of the cache. Raises LabError: not an image, or its record is damaged."""
    try:
        data = json.loads((path / RECORD).read_text())
        files = {file: FileRecord(**known) for file, known in data["files"].items()}
        return Installed(data["name"], data["recipe_hash"], data["built"], files, path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise LabError(
            UNREADABLE.format(name=path.name),
            seen=f"{type(error).__name__}: {error}",
            log=str(path / RECORD),
            cure=REBUILD,
        ) from error


def installed(home: Path | None = None) -> list[Installed]:
    """Every image that is built, by name and date; damaged records are left out."""
    found = []
    for path in (home or images_home()).glob(f"*-{'[0-9a-f]' * HASH_DIGITS}"):
        with contextlib.suppress(LabError):
            found.append(read_record(path))
    return sorted(found, key=lambda image: (image.name, image.built))


def check(image: Installed, thorough: bool = False) -> None:
    """Compare an image with its record. Raises LabError naming the first file that differs.

    A file whose size, time of change and inode are as at the last full look is taken as it is, unless `thorough`.
    """
    stamp = {} if thorough else _read_stamp(image.path)
    seen = {}
    for file, known in image.files.items():
        path = image.path / file
        try:
            mark = _mark(path)
            if stamp.get(file) == mark:
                continue
            digest = file_sha256(path)
        except OSError as error:
            raise _corrupt(image, file, known, error.strerror or str(error)) from error
        if digest != known.sha256:
            raise _corrupt(image, file, known, f"SHA-256 {digest}, {path.stat().st_size} bytes instead of {known.size}")
        seen[file] = mark
    if seen:
        _stamp(image.path, list(image.files))


def _corrupt(image: Installed, file: str, known: FileRecord, seen: str) -> LabError:
    return LabError(
        CORRUPT.format(name=image.name),
        expected=EXPECTED.format(file=image.path / file, digest=known.sha256),
        seen=seen,
        cure=REBUILD,
    )


def _mark(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ino]


def _stamp(path: Path, files: list[str]) -> None:
    """Best effort: somebody else's cache may be read-only, then every look is a full one."""
    with contextlib.suppress(OSError):
        (path / STAMP).write_text(json.dumps({file: _mark(path / file) for file in files}))


def _read_stamp(path: Path) -> dict[str, list[int]]:
    try:
        data = json.loads((path / STAMP).read_text())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def leftovers(home: Path) -> Iterator[Path]:
    """Folders of builds that did not come to their end."""
    yield from home.glob(f"{UNFINISHED}*")
    yield from home.glob(f"{OLD}*")


def backing_file(disk: Path) -> str:
    """What a qcow2 disk is an overlay on, as it says itself; "" for none. Raises OSError.

    Header: magic, version, then offset (u64) and length (u32) of the backing file's name. QEMU, docs/interop/qcow2.txt
    """
    with disk.open("rb") as file:
        head = file.read(20)
        if len(head) < 20 or head[:4] != b"QFI\xfb":
            return ""
        offset, length = struct.unpack_from(">QI", head, 8)
        file.seek(offset)
        return file.read(length).decode(errors="replace") if offset else ""


def users(path: Path, states: Path | None = None) -> list[str]:
    """Names of the labs with a disk that is an overlay on this image; sorted."""
    found = set()
    for disk in (states or state_home()).glob("*/disks/*.qcow2"):
        with contextlib.suppress(OSError):
            if Path(backing_file(disk)).parent == path:
                found.add(disk.parent.parent.name)
    return sorted(found)

"""The media in the cache: unpacked, with the sums they had when they came. ~/.cache/uranus-lab/media/NAME.img and NAME.json"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lab.errors import LabError
from lab.events import Event, Listener, Phase, silent
from lab.host.image_cache import file_sha256
from lab.host.image_packages import NO_SPACE_CURE
from lab.host.media import FILE, PRODUCT, VERSION, Medium, judge, look, no_medium, unpacked
from lab.paths import cache_home, project_root

PINNED = "no published sum is known, so this one is pinned now: the same name with another sum will be refused"
CHECKED = "as given with {how}"
SUM = re.compile(r"\b[0-9a-fA-F]{64}\b")


@dataclass(frozen=True)
class StoredMedium:
    """A medium in the cache. source_sha256: of the file as it was given (mostly a .gz); sha256: of the raw image.

    checked: where the expected sum came from; "" when there was none and the sum was pinned on first use.
    """

    name: str
    product: str
    version: str
    source_sha256: str
    sha256: str
    size: int
    checked: str = ""

    @property
    def disk(self) -> Path:
        return media_home() / f"{self.name}.img"

    @property
    def medium(self) -> Medium:
        return Medium(self.product, self.version, self.disk, self.sha256)


def media_home() -> Path:
    return cache_home() / "media"


def stored() -> list[StoredMedium]:
    """Every medium in the cache, by name; records that cannot be read are left out."""
    found = []
    for path in sorted(media_home().glob("*.json")):
        try:
            found.append(StoredMedium(**json.loads(path.read_text())))
        except (ValueError, TypeError):
            continue
    return found


def add(path: Path, sha256: str = "", listener: Listener = silent) -> StoredMedium:
    """Take an image into the cache: recognised, unpacked, its sum compared with the user's, a .sha256 file's beside it, or the pin.

    sha256: of the file as given, or of the raw image, as hex. Raises LabError; then nothing was kept.
    """
    if not path.is_file():
        raise LabError(f"There is no file {path}", expected=FILE, seen="no such file")
    expected, how = _expected(path, sha256)
    home = media_home()
    home.mkdir(parents=True, exist_ok=True)
    _room(path, home)
    given = file_sha256(path)
    name = path.name.removesuffix(".gz").removesuffix(".img")
    beside = home / f".{name}.new"
    try:
        with beside.open("wb") as sink:
            found = look(unpacked(path), sink)
        judge(path, found)
        if expected and expected not in (given, found.sha256):
            raise _wrong_sum(path, expected, given, how)
        before = next((known for known in stored() if known.name == name), None)
        if before is not None and not expected and before.sha256 != found.sha256:
            raise _wrong_sum(path, before.source_sha256, given, "the pin of its first use")
        medium = StoredMedium(name, PRODUCT, VERSION, given, found.sha256, found.size, how if expected else "")
        if before is not None and not expected:
            medium = replace(medium, checked=before.checked)
        beside.rename(medium.disk)
    finally:
        beside.unlink(missing_ok=True)
    (home / f"{name}.json").write_text(json.dumps(asdict(medium), indent=1) + "\n")
    detail = f"SHA-256 {given}: {CHECKED.format(how=how) if expected else PINNED}"
    listener(Event(f"image {PRODUCT}", f"took {path.name}", Phase.NOTE, detail=detail))
    return medium


def verify(medium: StoredMedium) -> None:
    """Read every byte of a medium in the cache again. Raises LabError where it changed."""
    seen = file_sha256(medium.disk) if medium.disk.exists() else "no file"
    if seen != medium.sha256:
        raise LabError(
            f"The medium {medium.name} is damaged",
            expected=f"{medium.disk} with SHA-256 {medium.sha256}",
            seen=seen,
            cure="`./inv image.add FILE` takes it again",
        )


def find(listener: Listener = silent, folder: Path | None = None) -> Medium:
    """The medium of a real pfSense: in the cache, else dropped into images/. Raises LabError: none, or the wrong one."""
    for known in stored():
        if known.product == PRODUCT and known.version == VERSION and known.disk.exists():
            return known.medium
    folder = folder or project_root() / "images"
    dropped = [path for pattern in ("*.img.gz", "*.img", "*.iso.gz", "*.iso") for path in sorted(folder.glob(pattern))]
    if not dropped:
        raise no_medium(folder)
    best = sorted(dropped, key=lambda path: "memstick-serial" not in path.name)[0]
    return add(best, listener=listener).medium


def _expected(path: Path, sha256: str) -> tuple[str, str]:
    """The sum a file should have, and where it comes from."""
    if sha256:
        if not SUM.fullmatch(sha256):
            raise LabError("This is no SHA-256", expected="64 hexadecimal digits", seen=sha256)
        return sha256.lower(), "--sha256"
    beside = path.with_name(f"{path.name}.sha256")
    if beside.is_file() and (found := SUM.search(beside.read_text(errors="replace"))):
        return found.group().lower(), beside.name
    return "", ""


def _room(path: Path, home: Path) -> None:
    """An image of this kind unpacks to twice its size or so; raises LabError where three times would not fit."""
    needed, free = 3 * path.stat().st_size, shutil.disk_usage(home).free
    if free < needed:
        raise LabError(
            "Not enough disk space to unpack the image",
            expected=f"{needed >> 20} MiB free in {home}",
            seen=f"{free >> 20} MiB free",
            cure=NO_SPACE_CURE,
        )


def _wrong_sum(path: Path, expected: str, seen: str, how: str) -> LabError:
    return LabError(
        f"{path.name} has another SHA-256 than it should",
        expected=f"{expected} ({how})",
        seen=seen,
        cure="download it again, and the sum from the same place",
    )


def recipe(medium: Medium, version: int = 1) -> str:
    """SHA-256 of what decides an installed disk: the medium, and how it is installed. version: raise it when that changes."""
    words = (f"install {version}", medium.product, medium.sha256, medium.target, medium.cmdline or "")
    return hashlib.sha256("\n".join(words).encode()).hexdigest()

"""The certificate of the web interface: what config.xml names, else one made here at the first need and kept."""

from __future__ import annotations

import os
from base64 import b64decode
from binascii import Error as Base64Error
from pathlib import Path

from standin.places import Places
from standin.run import run
from standin.xmlrpc.php import Array, array_at, arrays_in, text_at

DAYS = 398
"""As long as pfSense makes it valid."""
SUBJECT = "/O=Uranus stand-in webConfigurator Self-Signed Certificate/CN={name}"
NAME = "subjectAltName=DNS:{name}"


def certificate(places: Places, config: Array) -> tuple[Path, Path]:
    """Files of certificate and key. Raises CommandError when none can be made."""
    named = _named(config)
    if named:
        shown, key = places.run / "webgui.crt", places.run / "webgui.key"
        for path, data in zip((shown, key), named, strict=True):
            _write(path, data)
        return shown, key
    shown = places.certificate
    key = shown.with_suffix(".key")
    if not (shown.exists() and key.exists()):
        _make(shown, key, text_at(config, "system", "hostname") or "standin")
    return shown, key


def _named(config: Array) -> tuple[bytes, bytes] | None:
    """The one `ssl-certref` means, when it is there with its key."""
    wanted = text_at(config, "system", "webgui", "ssl-certref")
    for each in arrays_in(array_at(config, "cert")):
        if wanted and text_at(each, "refid") == wanted:
            try:
                pair = b64decode(text_at(each, "crt")), b64decode(text_at(each, "prv"))
            except Base64Error:
                return None
            return pair if all(pair) else None
    return None


def _make(shown: Path, key: Path, name: str) -> None:
    """An elliptic curve: the RSA key pfSense makes takes an emulated processor many seconds."""
    shown.parent.mkdir(parents=True, exist_ok=True)
    fresh = [path.with_name(f"{path.name}.{os.getpid()}") for path in (shown, key)]
    _write(fresh[1], b"")
    run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-config", os.devnull, "-days", str(DAYS), "-subj", SUBJECT.format(name=name)),
            *("-addext", NAME.format(name=name), "-out", str(fresh[0]), "-keyout", str(fresh[1])),
        ]
    )
    for path, final in zip(fresh, (shown, key), strict=True):
        path.replace(final)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)

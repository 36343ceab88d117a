"""Connections to a libvirtd, ours or any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.errors import LabError

if TYPE_CHECKING:
    import libvirt

NO_BINDING = "libvirt's Python binding is missing"
NO_BINDING_CURE = "apt-get install python3-libvirt, and make the virtual environment with --system-site-packages"
NO_ANSWER = "libvirt does not answer"
NO_ANSWER_CURE = "Run lab.up: it starts what is missing."


def _ignore(_context: object, _error: object) -> None:
    """libvirt prints every error to stderr unless told otherwise; ours come as exceptions."""


def open_libvirt(uri: str) -> libvirt.virConnect:
    """Connect to a libvirtd, quietly; the caller closes. Returns when its drivers are up. Raises LabError."""
    try:
        import libvirt
    except ImportError as error:
        raise LabError(NO_BINDING, seen=str(error), cure=NO_BINDING_CURE) from error
    libvirt.registerErrorHandler(_ignore, None)
    try:
        return libvirt.open(uri)
    except libvirt.libvirtError as error:
        raise LabError(NO_ANSWER, expected=uri, seen=str(error), cure=NO_ANSWER_CURE) from error

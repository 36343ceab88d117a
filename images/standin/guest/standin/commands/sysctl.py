"""`sysctl` in FreeBSD's format: CARP's names are the daemon's, pfsync's are fixed, any other name is the Linux kernel's own."""

from __future__ import annotations

import sys
from pathlib import Path

from standin import cluster
from standin.places import Places

FIXED = {"net.pfsync.carp_demotion_factor": 0, "net.inet.ip.forwarding": 1, "kern.ostype": "Linux"}
UNKNOWN = "sysctl: unknown oid '{name}'\n"
PROC_SYS = Path("/proc/sys")


class UnknownName(Exception):
    """No such variable here."""


def main(name: str, arguments: list[str], places: Places) -> int:
    flags = "".join(each[1:] for each in arguments if each.startswith("-"))
    names = [each for each in arguments if not each.startswith("-")]
    code = 0
    for each in names:
        try:
            for line in _answer(each, bare="n" in flags):
                if "q" not in flags or "=" not in each:
                    sys.stdout.write(line + "\n")
        except UnknownName:
            if "i" not in flags:
                sys.stderr.write(UNKNOWN.format(name=each.partition("=")[0]))
                code = 1
        except (cluster.ClusterError, OSError) as error:
            sys.stderr.write(f"sysctl: {each}: {error}\n")
            code = 1
    return code


def _answer(text: str, bare: bool) -> list[str]:
    name, writes, value = text.partition("=")
    if writes:
        before, after = _read(name), _write(name, value)
        return [f"{before} -> {after}" if bare else f"{name}: {before} -> {after}"]
    if name == cluster.PREFIX.rstrip("."):
        known: dict[str, object] = cluster.request({"do": "status"})["sysctls"]
        return [str(each) if bare else f"{key}: {each}" for key, each in sorted(known.items())]
    found = _read(name)
    return [found if bare else f"{name}: {found}"]


def _read(name: str) -> str:
    if name.startswith(cluster.PREFIX):
        known = cluster.request({"do": "status"})["sysctls"]
        if name not in known:
            raise UnknownName
        return str(known[name])
    if name in FIXED:
        return str(FIXED[name])
    path = _path(name)
    return path.read_text().strip().replace("\t", " ")


def _write(name: str, value: str) -> str:
    """The value afterwards: CARP's demotion is added to, and the kernel may round."""
    if name.startswith(cluster.PREFIX):
        try:
            number = int(value, 0)
        except ValueError:
            raise cluster.ClusterError(f"invalid integer '{value}'") from None
        return str(cluster.set_sysctl(name.removeprefix(cluster.PREFIX), number))
    if name in FIXED:
        raise cluster.ClusterError("cannot be changed on the stand-in")
    path = _path(name)
    path.write_text(value)
    return path.read_text().strip()


def _path(name: str) -> Path:
    path = PROC_SYS / name.replace(".", "/")
    if ".." in name or not path.is_file():
        raise UnknownName
    return path

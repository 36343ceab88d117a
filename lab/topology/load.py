"""A topology file -> Topology, or one error that names every mistake with its line."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from lab.errors import LabError
from lab.topology.checks import check
from lab.topology.explain import did_you_mean, explain
from lab.topology.findings import Finding, Issue, TopologyError
from lab.topology.model import Topology
from lab.topology.source import EXPECT_TOPOLOGY, HINT_START, Source, dotted, read_source

SUFFIXES = (".yaml", ".yml")

UNKNOWN_TOPOLOGY = "no topology has the name {name}"
KNOWN = "one of: {words}"
CURE_NAME = "give one of these names, or the path of a file of your own (ending in .yaml)"
NO_FILE = "cannot read the topology file {file}"
NO_MAPPING = "no mapping (key: value)"
NOT_UTF8 = "not UTF-8 text"
CURE_UTF8 = "save the file as UTF-8"


def load_topology(name_or_path: str, directory: Path) -> Topology:
    """A name means DIRECTORY/NAME.yaml; what has a slash or ends in .yaml is a path. Raises TopologyError or LabError."""
    return load_source(name_or_path, directory)[0]


def load_source(name_or_path: str, directory: Path) -> tuple[Topology, Source]:
    """The same, with the lines of the file for whoever has more to say about it."""
    path = find_topology(name_or_path, directory)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LabError(NO_FILE.format(file=path), seen=error.strerror or str(error), cure=CURE_NAME) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        finding = Finding(str(path), line, "", NOT_UTF8, seen=f"byte 0x{data[error.start]:02x}", hint=CURE_UTF8)
        raise TopologyError(str(path), [finding]) from error
    return parse_source(text, str(path))


def find_topology(name_or_path: str, directory: Path) -> Path:
    """Where it is. Raises LabError with the known names when there is none."""
    if "/" in name_or_path or name_or_path.endswith(SUFFIXES):
        return Path(name_or_path)
    path = directory / f"{name_or_path}.yaml"
    known = known_topologies(directory)
    if name_or_path in known:
        return path
    cure = "; ".join(filter(None, (did_you_mean(name_or_path, known), CURE_NAME)))
    raise LabError(
        UNKNOWN_TOPOLOGY.format(name=name_or_path),
        expected=KNOWN.format(words=", ".join(known)),
        seen=name_or_path,
        cure=cure,
    )


def known_topologies(directory: Path) -> list[str]:
    return sorted(path.stem for path in directory.glob("*.yaml"))


def parse_topology(text: str, filename: str) -> Topology:
    """Pure. Raises TopologyError with every mistake found."""
    return parse_source(text, filename)[0]


def parse_source(text: str, filename: str) -> tuple[Topology, Source]:
    """Pure. Fields first; only where each is right can they be checked against each other."""
    source = read_source(text, filename)
    findings = list(source.findings)
    if source.data is None and findings:
        raise TopologyError(filename, findings)
    if not isinstance(source.data, dict):
        findings.append(Finding(filename, source.line(()), "", NO_MAPPING, EXPECT_TOPOLOGY, hint=HINT_START))
        raise TopologyError(filename, findings)
    try:
        topology = Topology.model_validate(source.data)
    except ValidationError as error:
        raise TopologyError(filename, [*findings, *explain(error, source)]) from None
    findings += [locate(issue, source) for issue in check(topology)]
    if findings:
        raise TopologyError(filename, findings)
    return topology, source


def locate(issue: Issue, source: Source) -> Finding:
    """The issue with its line."""
    line = source.key_line(issue.path) if issue.about_key else source.line(issue.path)
    return Finding(source.file, line, dotted(issue.path), issue.summary, issue.expected, issue.seen, issue.hint)

"""YAML text -> plain data, and the line of every value.

Every scalar stays the text that stands in the file (only an empty value and `~` become None): the model knows what each
field should be, so a password of digits is a password and `no` is never a surprise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from lab.topology.findings import Finding

Path = tuple[str | int, ...]

NESTING_LIMIT = 20
"""A topology is four levels deep; what is deeper is a mistake, and the parser's recursion must end somewhere."""

NULLS = frozenset(("", "~", "null", "Null", "NULL"))

EMPTY = "the file is empty"
BAD_YAML = "not YAML"
DUPLICATE_KEY = "written twice"
ALIAS = "an alias (*name) stands here"
COMPLEX_KEY = "a key that is not a word"
TOO_DEEP = "nested too deeply"
UNREADABLE_CHARACTER = "a character that YAML does not allow"

EXPECT_TOPOLOGY = "a topology: name, networks, firewalls, carp, sync, machines"
EXPECT_ONCE = "each key once in a mapping"
EXPECT_WORDS = "plain keys and values"
SEEN_OPENED = "{seen}; what it belongs to begins in line {line}"
SEEN_FIRST = "first written in line {line}"
HINT_START = "start from a copy of topologies/uranus.yaml"
HINT_TAB = "indent with spaces: YAML does not take tabs"
HINT_COLON = "a value that contains `: ` or starts with one of [ { * & ! % @ ` needs quotes; so does a missing space after a colon"
HINT_BRACKET = "look for an unclosed {, [ or quote in this line or above it"
HINT_INDENT = "look at the indentation of this line and of the one above it"
HINT_DUPLICATE = "remove one of the two, or give it another name"
HINT_ALIAS = "write the value out"
HINT_ONE_DOCUMENT = "one topology a file: remove the `---` line"


@dataclass(frozen=True)
class Source:
    """A parsed file. data: mappings, lists, text and None; None as a whole when the text is no YAML.

    keys, values: line (from 1) of each key and of each value, by path.
    """

    file: str
    data: Any
    keys: dict[Path, int] = field(default_factory=dict)
    values: dict[Path, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def line(self, path: Path) -> int:
        """Line of a value; of the nearest thing around it where it is absent."""
        for length in range(len(path), -1, -1):
            for lines in (self.values, self.keys):
                if path[:length] in lines:
                    return lines[path[:length]]
        return 1

    def key_line(self, path: Path) -> int:
        return self.keys.get(path) or self.line(path)


def read_source(text: str, file: str) -> Source:
    """Never raises: what is wrong stands in `findings`."""
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        return Source(file, None, findings=(_yaml_finding(error, file),))
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        seen = f"U+{error.character:04X}" if isinstance(error.character, int) else repr(error.character)
        finding = Finding(file, line, "", UNREADABLE_CHARACTER, seen=seen)
        return Source(file, None, findings=(finding,))
    except (YAMLError, ValueError, IndexError, AttributeError, TypeError) as error:
        # Some broken texts trip the parser itself.
        return Source(file, None, findings=(Finding(file, 1, "", BAD_YAML, seen=str(error)),))
    except RecursionError:
        return Source(file, None, findings=(Finding(file, 1, "", TOO_DEEP, EXPECT_TOPOLOGY),))
    if root is None:
        return Source(file, None, findings=(Finding(file, 1, "", EMPTY, EXPECT_TOPOLOGY, hint=HINT_START),))
    return _Reader(file).read(root)


class _Reader:
    """Walks YAML's nodes once."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._keys: dict[Path, int] = {}
        self._values: dict[Path, int] = {}
        self._findings: list[Finding] = []
        self._seen: set[int] = set()

    def read(self, root: Node) -> Source:
        data = self._value(root, ())
        return Source(self._file, data, self._keys, self._values, tuple(self._findings))

    def _value(self, node: Node, path: Path) -> Any:
        line = node.start_mark.line + 1
        self._values[path] = line
        if isinstance(node, ScalarNode):
            return None if node.style is None and node.value in NULLS else node.value
        if id(node) in self._seen:
            self._report(self._keys.get(path, line), path, ALIAS, EXPECT_WORDS, hint=HINT_ALIAS)
            return None
        self._seen.add(id(node))
        if len(path) > NESTING_LIMIT:
            self._report(line, path, TOO_DEEP, EXPECT_TOPOLOGY)
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        assert isinstance(node, SequenceNode)
        return [self._value(item, (*path, number)) for number, item in enumerate(node.value)]

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                self._report(line, path, COMPLEX_KEY, EXPECT_WORDS)
                continue
            key = (*path, key_node.value)
            if key in self._keys:
                first = SEEN_FIRST.format(line=self._keys[key])
                self._report(line, key, DUPLICATE_KEY, EXPECT_ONCE, first, HINT_DUPLICATE)
                continue
            self._keys[key] = line
            found[key_node.value] = self._value(value_node, key)
        return found

    def _report(self, line: int, path: Path, summary: str, expected: str, seen: str = "", hint: str = "") -> None:
        self._findings.append(Finding(self._file, line, dotted(path), summary, expected, seen, hint))


def dotted(path: Path) -> str:
    """("carp", "vips", 2, "vhid") -> `carp.vips[2].vhid`; items are counted from 0, as everywhere in YAML tools."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _yaml_finding(error: MarkedYAMLError, file: str) -> Finding:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    seen = " ".join(str(error.problem or error.context or "").split())
    opened = error.context_mark.line + 1 if error.context_mark else line
    if opened < line:
        seen = SEEN_OPENED.format(seen=seen, line=opened)
    return Finding(file, line, "", BAD_YAML, seen=seen, hint=_yaml_hint(seen))


def _yaml_hint(seen: str) -> str:
    if "'\\t'" in seen or "tab" in seen:
        return HINT_TAB
    if "single document" in seen or "another document" in seen:
        return HINT_ONE_DOCUMENT
    if "mapping values are not allowed" in seen or "cannot start any token" in seen or "undefined alias" in seen:
        return HINT_COLON
    if "end of stream" in seen or "flow" in seen or "',' or" in seen:
        return HINT_BRACKET
    return HINT_INDENT

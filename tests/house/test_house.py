"""The rules of this house that no linter knows."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.host.preflight import IMAGE_PARTS, LAB_PARTS, VAGRANT_PARTS
from lab.paths import project_root

ROOT = project_root()
GUEST = ROOT / "images" / "standin" / "guest"
LAB = sorted((ROOT / "lab").rglob("*.py"))
SOURCES = [*LAB, *sorted(GUEST.rglob("*.py")), ROOT / "tasks.py"]
LONGEST = 400

ALLOWED_IN_GUEST = ("standin", "lab.carp", "lab.config", "lab.console.catalogue")
RUNS_IN_GUEST = [
    path
    for folder in (
        GUEST / "standin",
        ROOT / "lab" / "carp",
        ROOT / "lab" / "config",
        ROOT / "lab" / "console" / "catalogue",
    )
    for path in sorted(folder.rglob("*.py"))
]


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=short)
def test_a_file_has_one_concern(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST, "a file over 400 lines is two files"
    assert path.stem not in {"utils", "util", "helpers", "misc", "common"}, "name what it does"


def undocumented(path: Path) -> Iterator[str]:
    """Public functions and classes at the top of a module that have no docstring and are more than an expression."""
    for node in ast.parse(path.read_text()).body:
        named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if (
            named
            and not node.name.startswith("_")
            and node.name != "main"
            and len(node.body) > 1
            and not ast.get_docstring(node)
        ):
            yield f"{short(path)}:{node.lineno} {node.name}"


def test_public_names_say_what_they_do() -> None:
    silent = [name for path in LAB for name in undocumented(path)]
    assert not silent, "no docstring: " + ", ".join(silent)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every module a file imports, absolute, with its line."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            # `from lab import carp` imports lab.carp
            yield from ((node.lineno, f"lab.{alias.name}") for alias in node.names if node.module == "lab")
            if node.module != "lab":
                yield node.lineno, node.module


def foreign(module: str) -> bool:
    if module.split(".")[0] in sys.stdlib_module_names:
        return False
    return not any(module == allowed or module.startswith(f"{allowed}.") for allowed in ALLOWED_IN_GUEST)


@pytest.mark.parametrize("path", RUNS_IN_GUEST, ids=short)
def test_what_runs_in_a_guest_needs_nothing_but_python(path: Path) -> None:
    assert not [f"{short(path)}:{line} imports {module}" for line, module in imports(path) if foreign(module)]


def pins(lock: str) -> dict[str, str]:
    """Package -> version of a lock file."""
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


def test_both_lock_files_pin_the_same_versions() -> None:
    runtime, test = pins("requirements.lock"), pins("requirements-dev.lock")
    assert runtime
    assert {name: test.get(name) for name in runtime} == runtime


def table_of_inv(name: str) -> set[str]:
    table = (ROOT / "inv").read_text().split(f"{name}_packages='")[1].split("'")[0]
    return {row.split("|")[0].strip() for row in table.splitlines()}


def test_inv_installs_what_a_lab_asks_for() -> None:
    assert {part.package for part in (*LAB_PARTS, *IMAGE_PARTS)} <= table_of_inv("system")
    assert {part.package for part in VAGRANT_PARTS} <= table_of_inv("vagrant")


def test_the_image_has_every_module_of_ours_that_its_programs_import() -> None:
    copied = {each["from"] for each in tomllib.loads((ROOT / "images/standin/manifest.toml").read_text())["copy"]}
    wanted = {module for path in (GUEST / "standin").rglob("*.py") for _, module in imports(path)}
    for module in sorted(each for each in wanted if each.startswith("lab.")):
        path = module.replace(".", "/")
        places = {f"{path}.py", *(str(parent) for parent in Path(path).parents), path}
        assert places & copied, f"the stand-in imports {module}, and images/standin/manifest.toml does not copy it"

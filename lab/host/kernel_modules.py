"""Kernel modules of a Debian package, read without kmod: which needs which, and the index files modprobe wants."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SIGNATURE = b"~Module signature appended~\n"
SIGNATURE_HEAD = 12
"""struct module_signature: eight bytes, then the length of what precedes it as a big-endian u32. Linux, module_signature.h."""

MISSING = "kernel module not found: {name}"


@dataclass(frozen=True)
class Module:
    """One .ko file. needs: canonical names of its dependencies, as its .modinfo says. aliases: patterns that ask for it."""

    name: str
    path: Path
    needs: tuple[str, ...]
    aliases: tuple[str, ...]


def canonical(name: str) -> str:
    """Dash and underscore are one in a module's name."""
    return name.replace("-", "_")


def _info(content: bytes, key: bytes) -> tuple[str, ...]:
    """Values of one key in .modinfo, which is a run of NUL-terminated `key=value`."""
    found = []
    mark = b"\0" + key + b"="
    at = content.find(mark)
    while at >= 0:
        begin = at + len(mark)
        end = content.index(b"\0", begin)
        found.append(content[begin:end].decode("ascii", "replace"))
        at = content.find(mark, end)
    return tuple(found)


class ModuleTree:
    """All modules below one lib/modules/VERSION/kernel."""

    def __init__(self, kernel: Path) -> None:
        self.kernel = kernel
        self._paths = {canonical(path.stem): path for path in kernel.rglob("*.ko")}

    def module(self, name: str) -> Module:
        """Raises LookupError."""
        path = self._paths.get(canonical(name))
        if path is None:
            raise LookupError(MISSING.format(name=name))
        content = path.read_bytes()
        needs = [need for value in _info(content, b"depends") for need in value.split(",") if need]
        return Module(canonical(name), path, tuple(map(canonical, needs)), _info(content, b"alias"))

    def closure(self, names: Iterable[str]) -> list[Module]:
        """These modules and all they need, each after what it needs. Raises LookupError."""
        ordered: dict[str, Module] = {}

        def visit(name: str) -> None:
            if name in ordered:
                return
            module = self.module(name)
            for need in module.needs:
                visit(need)
            ordered[name] = module

        for name in names:
            visit(canonical(name))
        return list(ordered.values())


def unsigned(content: bytes) -> bytes:
    """The module without its appended signature: checking an RSA signature in an emulator takes longer than the module's start."""
    if not content.endswith(SIGNATURE):
        return content
    head = len(content) - len(SIGNATURE) - SIGNATURE_HEAD
    length = int.from_bytes(content[head + 8 : head + 12], "big")
    return content[: head - length]


def install(modules: list[Module], tree: ModuleTree, target: Path) -> None:
    """Write modules below target/kernel, with modules.dep and modules.alias. target: lib/modules/VERSION in the guest."""
    by_name = {module.name: module for module in modules}

    def inner(module: Module) -> str:
        return f"kernel/{module.path.relative_to(tree.kernel)}"

    dependencies, aliases = [], []
    for module in modules:
        place = target / inner(module)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(unsigned(module.path.read_bytes()))
        # depmod's order: a module's nearest need first.
        needed = [other for other in reversed(tree.closure([module.name])) if other.name != module.name]
        dependencies.append(f"{inner(module)}: {' '.join(inner(by_name[other.name]) for other in needed)}".rstrip())
        aliases += [f"alias {alias} {module.name}" for alias in module.aliases]
    (target / "modules.dep").write_text("".join(f"{line}\n" for line in dependencies))
    (target / "modules.alias").write_text("".join(f"{line}\n" for line in aliases))
    for empty in ("modules.symbols", "modules.builtin", "modules.order"):
        (target / empty).touch()

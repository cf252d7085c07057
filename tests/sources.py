"""Our own source, as the tests that read it see it: modules, and what they import."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from attrs import field, frozen

__all__ = ["PACKAGE", "ROOT", "Module", "begins_with", "imports", "modules", "parse"]

#: The checkout.
ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "twistedvoice"


@frozen
class Module:
    """One module, parsed."""

    #: As it is imported: ``twistedvoice.calls.call``; a package by its own name.
    name: str
    text: str = field(repr=False)
    tree: ast.Module = field(repr=False)
    is_package: bool = False

    def resolve(self, node: ast.ImportFrom) -> str:
        """:returns: the absolute name of what ``node`` imports from."""
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        parts = parts[: len(parts) - node.level + self.is_package]
        return ".".join([*parts, node.module] if node.module else parts)


def parse(name: str, text: str, *, is_package: bool = False) -> Module:
    """:returns: the module with this source."""
    return Module(name, text, ast.parse(text, name), is_package)


@cache
def modules() -> Mapping[str, Module]:
    """:returns: every module of the package, by name."""
    found: dict[str, Module] = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        found[name] = parse(name, path.read_text("utf-8"), is_package=is_package)
    return found


@cache
def imports(module: Module) -> frozenset[str]:
    """
    :returns: all that ``module`` imports when it runs, wherever in it; absolute names.
        ``from a import b`` is ``a.b``. What only type checkers import does not count.
    """
    return frozenset(_imports(module, module.tree))


def begins_with(name: str, *beginnings: str) -> bool:
    """:returns: whether ``name`` is one of ``beginnings``, or inside of one."""
    return any(f"{name}.".startswith(f"{beginning}.") for beginning in beginnings)


def _imports(module: Module, node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield f"{module.resolve(node)}.{alias.name}"
    elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        for otherwise in node.orelse:
            yield from _imports(module, otherwise)
    elif not isinstance(node, ast.expr):
        for child in ast.iter_child_nodes(node):
            yield from _imports(module, child)

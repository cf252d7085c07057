"""The habits of the house, read from its source, and what its wheel will hold."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from .sources import PACKAGE, ROOT, Module, modules, parse

#: Where anything at all may be caught, since it is someone else's code that raises, or
#: one call's trouble must not become another's. Re-raising is always allowed.
BOUNDARIES = {
    "twistedvoice.agents.registry",
    "twistedvoice.calls.agentlink",
    "twistedvoice.calls.audience",
    "twistedvoice.calls.call",
    "twistedvoice.calls.watcher",
    "twistedvoice.outbox.outbox",
    "twistedvoice.realtime.schedule",
    "twistedvoice.recording.local",
    "twistedvoice.recording.recovery",
    "twistedvoice.recording.parts",
    "twistedvoice.recording.writer",
    "twistedvoice.simulator.carrier",
    "twistedvoice.speech.speaking",
    "twistedvoice.web.dial",
    "twistedvoice.web.media",
}

#: Modules without a test module of their own: it would only run them.
UNTESTED = {"twistedvoice.__main__"}


def broad_excepts(module: Module) -> list[int]:
    """:returns: the lines that catch everything and do not raise it again."""
    return [
        node.lineno
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or _is_broad(node.type))
        and not _raises_again(node)
    ]


def _is_broad(caught: ast.expr) -> bool:
    names = {node.id for node in ast.walk(caught) if isinstance(node, ast.Name)}
    return bool(names & {"Exception", "BaseException"})


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def bound_names(tree: ast.Module) -> set[str]:
    """:returns: every name that the module binds at its top level."""
    return set(_bound(tree))


def _bound(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield child.name
        elif isinstance(child, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in child.names)
        elif isinstance(child, ast.Name):
            yield child.id
        else:
            yield from _bound(child)


def exported(tree: ast.Module) -> list[str] | None:
    """:returns: ``__all__``, or None where there is none."""
    for node in tree.body:
        value = getattr(node, "value", None)
        if value is not None and ast.unparse(node).startswith("__all__"):
            names: list[str] = ast.literal_eval(value)
            return names
    return None


class ModulesTests(SynchronousTestCase):
    """What every module of ours has."""

    def setUp(self) -> None:
        self.modules = modules()
        #: All but the ``__init__`` of folders, which hold one sentence.
        self.nouns = {
            name: module
            for name, module in self.modules.items()
            if not module.is_package or name == PACKAGE
        }

    def test_docstrings(self) -> None:
        """Every module and every folder says what it is."""
        missing = [n for n, m in self.modules.items() if not ast.get_docstring(m.tree)]
        self.assertEqual(missing, [])

    def test_all(self) -> None:
        """Every module says what is public in it, and has it."""
        for name, module in self.nouns.items():
            public = exported(module.tree)
            self.assertIsNotNone(public, f"{name} has no __all__")
            self.assertLessEqual(set(public or ()), bound_names(module.tree), name)

    def test_folders_hold_a_sentence(self) -> None:
        """A folder's own module holds nothing but its sentence."""
        for name in self.modules.keys() - self.nouns.keys():
            self.assertEqual(len(self.modules[name].tree.body), 1, name)

    def test_tests(self) -> None:
        """Every module names its tests in its first line, and they are there."""
        missing = []
        for name in sorted(self.nouns.keys() - UNTESTED - {PACKAGE}):
            first = self.nouns[name].text.partition("\n")[0]
            line = re.fullmatch(r"# -\*- test-case-name: ([\w. ]+) -\*-", first)
            for tests in line[1].split() if line else ["?"]:
                if not (ROOT / (tests.replace(".", "/") + ".py")).is_file():
                    missing.append(f"{name}: {tests}")
        self.assertEqual(missing, [])

    def test_length(self) -> None:
        """No module is longer than a reader's patience."""
        long = {n for n, m in self.nouns.items() if m.text.count("\n") > 450}
        self.assertEqual(long, set())

    def test_broad_excepts(self) -> None:
        """Only at a named boundary is everything caught, and each boundary is one."""
        broad = {name for name, m in self.modules.items() if broad_excepts(m)}
        self.assertEqual(broad, BOUNDARIES)

    def test_planted_broad_except(self) -> None:
        """A broad except is seen in each of its forms; raising again is none."""
        for caught in ("", " Exception", " (ValueError, BaseException) as error"):
            text = f"try:\n    f()\nexcept{caught}:\n    g()\n"
            self.assertEqual(broad_excepts(parse("planted", text)), [3])
            self.assertEqual(broad_excepts(parse("planted", text + "    raise")), [])
        narrow = "try:\n    f()\nexcept ValueError:\n    g()\n"
        self.assertEqual(broad_excepts(parse("planted", narrow)), [])


class WheelTests(SynchronousTestCase):
    """What ``setup.cfg`` puts into a wheel."""

    def setUp(self) -> None:
        self.config = ConfigParser(interpolation=None)
        self.config.read(ROOT / "setup.cfg")
        self.packages = self.config["options"]["packages"].split()
        self.data = {
            package: [glob.strip() for glob in globs.split(",")]
            for package, globs in self.config["options.package_data"].items()
        }

    def folder(self, package: str) -> Path:
        """:returns: where a package lies."""
        return ROOT / package.replace(".", "/")

    def test_packages(self) -> None:
        """Every folder of ours is in the wheel, and the plugin of twistd too."""
        folders = [name for name, module in modules().items() if module.is_package]
        self.assertEqual(sorted(self.packages), sorted([*folders, "twisted.plugins"]))

    def test_plugin(self) -> None:
        """The plugin's folder is no package of ours: Twisted's own must be found."""
        folder = self.folder("twisted.plugins")
        self.assertTrue((folder / "twistedvoice_plugin.py").is_file())
        self.assertEqual(list(folder.parent.rglob("__init__.py")), [])

    def test_data(self) -> None:
        """Every file that is not Python is in the wheel, and no pattern is empty."""
        packed = set()
        for package, globs in self.data.items():
            for glob in globs:
                found = set(self.folder(package).glob(glob))
                self.assertNotEqual(found, set(), f"{package}: {glob}")
                packed |= found
        files = {
            path
            for path in (ROOT / PACKAGE).rglob("*")
            # A scanner that was built in place is of this machine alone.
            if path.is_file() and path.suffix not in (".py", ".pyc", ".so")
        }
        self.assertEqual(files - packed, set())

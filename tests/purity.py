"""Proves what the tick does: by reading its source, and by watching it run.

:class:`Reach` follows our own functions from the tick by name, which finds too many
rather than too few. :class:`TickWatch` sees every function that is called while a turn
of the schedule runs, and what would outlive it.
"""

from __future__ import annotations

import ast
import gc
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any

from twisted.internet.base import ReactorBase
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock
from twisted.python.threadpool import ThreadPool

from twistedvoice.realtime.schedule import Schedule

from .sources import PACKAGE, Module, begins_with, imports

__all__ = ["Reach", "TickWatch", "WatchedClock", "WatchedSchedule"]

_REALTIME = f"{PACKAGE}.realtime"
#: Where the tick begins.
_ROOTS = ("Schedule.look", "OutgoingStream.tick")
#: What nothing that the tick is made of may import.
_FORBIDDEN_IMPORTS = (
    "_thread", "asyncio", "autobahn", "base64", "binascii", "concurrent", "io", "json",
    "logging", "multiprocessing", "os", "pathlib", "socket", "sqlite3", "subprocess",
    "threading", "time", "treq", "twisted.internet.reactor",
    "twisted.internet.threads", "twisted.logger", "twisted.python.log",
    "twisted.python.threadpool", "twisted.web",
)  # fmt: skip
#: Whom realtime/ must not know.
_FORBIDDEN_FOLDERS = tuple(
    f"{PACKAGE}.{name}" for name in ("agents", "calls", "recording", "store", "web")
)
#: What nothing that the tick can reach may so much as mention.
_FORBIDDEN_NAMES = {
    "Deferred", "Logger", "Thread", "_log", "callFromThread", "callInThread",
    "callLater", "debug", "deferLater", "deferToThread", "deferToThreadPool", "dumps",
    "error", "eval", "exec", "info", "input", "loads", "log", "open", "print",
    "print_exc", "sleep", "spawnProcess", "start", "warn",
}  # fmt: skip
_FORBIDDEN_SYNTAX = (
    ast.Await, ast.AsyncFor, ast.AsyncWith, ast.AsyncFunctionDef, ast.Import,
    ast.ImportFrom, ast.Yield, ast.YieldFrom,
)  # fmt: skip

_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Reach:
    """What the tick can reach within our own modules, and what it must not find."""

    def __init__(self, modules: Mapping[str, Module]) -> None:
        self.modules = _followed(modules)
        self._named: dict[str, list[str]] = {}
        self._nodes: dict[str, _Function] = {}
        for module in self.modules.values():
            self._index(module.tree, "")

    def _index(self, node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                self._index(child, f"{child.name}.")
                made = [n for n in self._nodes if n.startswith(f"{child.name}.__")]
                self._named.setdefault(child.name, []).extend(made)
            elif isinstance(child, _Function):
                self._nodes[prefix + child.name] = child
                self._named.setdefault(child.name, []).append(prefix + child.name)
                self._index(child, f"{prefix}{child.name}.")
            else:
                self._index(child, prefix)

    def functions(self) -> set[str]:
        """:returns: every function that the tick can reach, as ``Class.method``."""
        reached, found = set(_ROOTS), list(_ROOTS)
        while found:
            for name in _mentioned(self._nodes[found.pop()]):
                new = set(self._named.get(name, ())) - reached
                reached |= new
                found += new
        return reached

    def offences(self) -> list[str]:
        """:returns: each thing that the tick must not do or know."""
        return [*self._import_offences(), *self._function_offences()]

    def _import_offences(self) -> Iterator[str]:
        for name, module in self.modules.items():
            for imported in sorted(imports(module)):
                if begins_with(imported, *_FORBIDDEN_IMPORTS, *_FORBIDDEN_FOLDERS):
                    yield f"{name} imports {imported}"

    def _function_offences(self) -> Iterator[str]:
        for name in sorted(self.functions()):
            node = self._nodes[name]
            for mentioned in sorted(_mentioned(node) & _FORBIDDEN_NAMES):
                yield f"{name} mentions {mentioned}"
            for inner in ast.walk(node):
                if isinstance(inner, _FORBIDDEN_SYNTAX):
                    yield f"{name} has {type(inner).__name__}"


def _followed(modules: Mapping[str, Module]) -> dict[str, Module]:
    """:returns: all of realtime/, and whatever of ours that imports."""
    waiting = [name for name in modules if begins_with(name, _REALTIME)]
    followed = dict[str, Module]()
    while waiting:
        name = waiting.pop()
        if name not in followed:
            followed[name] = modules[name]
            for imported in imports(modules[name]):
                parts = imported, imported.rpartition(".")[0]
                waiting += [part for part in parts if part in modules]
    return followed


def _mentioned(function: _Function) -> set[str]:
    names = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
    return names


class TickWatch:
    """Sees what happens in the body of a turn, and nothing outside of it."""

    def __init__(self) -> None:
        self.is_inside = False
        #: Every function that was called, however deep: ``module.Class.method``.
        self.called: set[str] = set()
        #: What was begun that outlives the turn.
        self.begun: list[str] = []

    def run(self, body: Callable[[], None]) -> None:
        """Run the body of a turn under watch."""
        before = sys.getprofile()
        self.is_inside = True
        # A collection may begin anywhere, and calls whatever test tools hang on it.
        gc.disable()
        sys.setprofile(self._see)
        try:
            body()
        finally:
            sys.setprofile(before)
            gc.enable()
            self.is_inside = False

    def spy(self, original: Callable[..., Any], name: str) -> Callable[..., Any]:
        """:returns: ``original``, which in the body of a turn is noted and not done."""

        def spied(*args: Any, **named: Any) -> Any:
            if not self.is_inside:
                return original(*args, **named)
            self.begun.append(name)
            return None

        return spied

    def spies(self) -> Iterator[tuple[type, str, Callable[..., Any]]]:
        """:returns: what to patch: a class, the name of a method, and the spy."""
        for owner, name in (
            (threading.Thread, "start"),
            (ThreadPool, "callInThreadWithCallback"),
            (ReactorBase, "callLater"),
            (ReactorBase, "callFromThread"),
            (ReactorBase, "callInThread"),
        ):
            yield owner, name, self.spy(getattr(owner, name), name)

    def _see(self, frame: FrameType, event: str, function: Any) -> None:
        if event == "call":
            module = frame.f_globals.get("__name__", "?")
            self.called.add(f"{module}.{frame.f_code.co_qualname}")
        elif event == "c_call" and function is not sys.setprofile:
            module = function.__module__ or "builtins"
            self.called.add(f"{module}.{function.__qualname__}")


class WatchedSchedule(Schedule):
    """The real schedule, each of whose turns is watched."""

    def __init__(self, clock: Clock, watch: TickWatch) -> None:
        super().__init__(clock)
        self._watch = watch

    def look(self) -> None:
        """Look, under watch."""
        self._watch.run(super().look)


class WatchedClock(Clock):
    """A clock that notes what is put on it in the body of a turn."""

    def __init__(self, watch: TickWatch) -> None:
        super().__init__()
        self._watch = watch

    def callLater(
        self,
        delay: float,
        callable: Callable[..., object],  # noqa: A002 - Twisted's name
        *args: object,
        **kw: object,
    ) -> IDelayedCall:
        """Put something on the clock, at any time."""
        if self._watch.is_inside:
            self._watch.begun.append("callLater")
        return super().callLater(delay, callable, *args, **kw)

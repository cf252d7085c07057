# -*- test-case-name: tests.agents.test_tools -*-
"""Methods of an agent that its model may call.

:func:`tool` marks a method and says what it is for; a :class:`Toolbox` tells a model of
them, and calls them with what the model wrote. Whatever goes wrong becomes a result
that the model can read. Arguments and results are never logged.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Container, Mapping, Sequence
from traceback import extract_tb
from typing import Any, TypeVar

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

__all__ = ["Tool", "Toolbox", "tool", "tools_of"]

_log = Logger()

_Method = TypeVar("_Method", bound=Callable[..., object])

#: What JSON calls the types of Python.
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


@frozen(kw_only=True)
class Tool:
    """A function as a model sees it."""

    name: str
    description: str
    #: A JSON schema of an object.
    parameters: Mapping[str, Any]
    timeout_seconds: float


def tool(
    description: str,
    parameters: Mapping[str, Mapping[str, object]] | None = None,
    *,
    timeout_seconds: float = 10.0,
) -> Callable[[_Method], _Method]:
    """
    Let the model call a method, which may be a coroutine or return a Deferred.

    What it returns is what the model reads: a string, or anything that JSON can say.

    :param description: tells the model when to call it, and what comes of it.
    :param parameters: a JSON schema for each argument, by name. Those without a default
        in Python are required.
    """
    properties = parameters or {}

    def mark(method: _Method) -> _Method:
        arguments = list(inspect.signature(method).parameters.values())[1:]
        names = [each.name for each in arguments]
        if set(names) != set(properties):
            raise TypeError(f"{method.__name__} takes {names}, not {list(properties)}")
        required = [each.name for each in arguments if each.default is each.empty]
        made = Tool(
            name=method.__name__,
            description=description,
            parameters={
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": False,
            },
            timeout_seconds=timeout_seconds,
        )
        setattr(method, "tool", made)  # noqa: B010 - a function has no such field
        return method

    return mark


def tools_of(agent_class: type, *, without: Container[str] = ()) -> list[Tool]:
    """:returns: what a model may call of agents of a class."""
    found = (
        getattr(method, "tool", None)
        for _, method in inspect.getmembers(agent_class, inspect.isfunction)
    )
    return [
        made for made in found if isinstance(made, Tool) and made.name not in without
    ]


class Toolbox:
    """The tools of one agent, in one call."""

    def __init__(self, agent: object, tools: Sequence[Tool]) -> None:
        """:param tools: those of ``agent`` that may be used."""
        self._agent: object | None = agent
        self._tools = {made.name: made for made in tools}
        self._running: dict[Deferred[object], None] = {}

    def run(
        self,
        call_later: Callable[[float, Callable[[], object]], Any],
        name: str,
        arguments: str,
    ) -> Deferred[str]:
        """
        Call a tool as the model asked.

        :param call_later: as :meth:`~twistedvoice.interfaces.CallControl.call_later`.
        :param arguments: JSON, as the model wrote it.
        :returns: fires with what the model is to read; never fails.
        """
        made = self._tools.get(name)
        if made is None:
            return _told({"error": "there is no such function"})
        try:
            given = _arguments(made, arguments)
        except ValueError as error:
            return _told({"error": str(error)})
        running = maybeDeferred(getattr(self._agent, name), **given)
        self._running[running] = None
        told: Deferred[str] = Deferred(lambda _: running.cancel())
        # Its time is over even for one that does not let itself be cancelled.
        timer = call_later(made.timeout_seconds, told.cancel)

        def done(result: object) -> object:
            self._running.pop(running, None)
            if timer.active():
                timer.cancel()
            return result

        running.addBoth(done).addCallback(_text).addErrback(_failed, name)
        running.addCallback(lambda text: None if told.called else told.callback(text))
        return told.addErrback(_failed, name)

    def close(self) -> None:
        """Nobody waits for results any more; the agent is let go of."""
        for running in list(self._running):
            running.cancel()
        self._tools.clear()
        self._agent = None


def _arguments(made: Tool, text: str) -> dict[str, object]:
    """:raises ValueError: saying to the model what is wrong."""
    try:
        given = json.loads(text or "{}")
    except (ValueError, RecursionError):
        raise ValueError("the arguments are not JSON") from None
    if not isinstance(given, dict):
        raise ValueError("the arguments are not an object")
    properties = made.parameters["properties"]
    for name in made.parameters["required"]:
        if name not in given:
            raise ValueError(f"{name} is missing")
    for name, value in given.items():
        if name not in properties:
            raise ValueError(f"{name} is not known")
        wanted = str(properties[name].get("type", ""))
        is_odd = isinstance(value, bool) is not (wanted == "boolean")
        if wanted in _TYPES and (is_odd or not isinstance(value, _TYPES[wanted])):
            raise ValueError(f"{name} must be of type {wanted}")
        allowed = properties[name].get("enum")
        if allowed is not None and value not in allowed:
            raise ValueError(f"{name} must be one of {allowed}")
    return given


def _told(result: Mapping[str, str]) -> Deferred[str]:
    told: Deferred[str] = Deferred()
    told.callback(json.dumps(result))
    return told


def _text(result: object) -> str:
    return result if isinstance(result, str) else json.dumps(result, allow_nan=False)


def _failed(failure: Failure, name: str) -> str:
    if failure.check(CancelledError):
        return json.dumps({"error": "it took too long"})
    # What its message says may be the caller's.
    frames = extract_tb(failure.getTracebackObject())
    _log.error(
        "the function {name} raised {kind} at {place}",
        name=name,
        kind=type(failure.value).__name__,
        place=f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?",
    )
    failure.cleanFailure()
    return json.dumps({"error": "it failed"})

# -*- test-case-name: tests.agents.test_localhouse tests.test_service -*-
"""Agents that need something running beside their calls: engines, links.

Their factory is a workshop, which the service opens before calls come and closes when
no more will.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from attrs import frozen
from twisted.internet.defer import Deferred, DeferredList, gatherResults, succeed

from ..interfaces import Agent

__all__ = ["Attendance", "Surroundings", "Workshop", "open_all"]


@frozen(kw_only=True)
class Surroundings:
    """What a :class:`Workshop` gets of the process that it works in."""

    reactor: Any
    #: Calls a function that blocks, off the reactor.
    defer_to_thread: Callable[..., Deferred[Any]]
    #: A folder for what can be made again; None when the service keeps nothing.
    cache: Path | None


@runtime_checkable
class Workshop(Protocol):
    """A factory of agents that needs something running beside its calls."""

    def __call__(self) -> Agent:
        """:returns: the agent of one call."""

    def open_workshop(self, surroundings: Surroundings) -> Deferred[None]:
        """
        Start what is needed; called once, before the first call.

        :returns: fires when calls may come. A failure ends the service.
        """

    def close_workshop(self) -> Deferred[None]:
        """
        No more agents are asked for.

        :returns: fires when the last call has ended and nothing is left running.
        """


class Attendance:
    """The calls that a workshop has: what they share is there until the last ends."""

    def __init__(self) -> None:
        self._here: set[Agent] = set()
        self._over: Deferred[None] | None = None

    def entered(self, agent: Agent) -> None:
        """A call has begun."""
        self._here.add(agent)

    def left(self, agent: Agent) -> None:
        """A call has ended."""
        self._here.discard(agent)
        if not self._here and self._over is not None:
            over, self._over = self._over, None
            over.callback(None)

    def over(self) -> Deferred[None]:
        """:returns: fires once no call is left; asked for once."""
        if not self._here:
            return succeed(None)
        self._over = Deferred()
        return self._over


def open_all(
    workshops: Sequence[Workshop], surroundings: Surroundings
) -> Deferred[None]:
    """
    Open ``workshops``.

    :returns: fires when all are open; fails when any cannot be, and then none is left
        open.
    """

    def opened(results: Any) -> Any:
        failures = [result for success, result in results if not success]
        if not failures:
            return None
        closing = gatherResults([each.close_workshop() for each in workshops])
        return closing.addCallback(lambda _: failures[0])

    opening = [each.open_workshop(surroundings) for each in workshops]
    return DeferredList(opening, consumeErrors=True).addCallback(opened)

# -*- test-case-name: tests.agents.cascade.test_local -*-
"""Has an engine of this machine do something for a call, again and again if need be.

An engine may be busy, hang or die; another one is soon there. When nothing has come of
it for as long as an answer may take, it is given up.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.python.failure import Failure

from ...errors import EngineError
from ..model.watch import NewWatch
from .senses import Contain

__all__ = ["Attempts"]

_PAUSE_SECONDS = 1.0

_T = TypeVar("_T")


class Attempts(Generic[_T]):
    """At one thing at a time."""

    def __init__(
        self,
        new_watch: NewWatch,
        done: Callable[[_T], object],
        given_up: Callable[[], object],
    ) -> None:
        """
        :param done: told what came of it.
        :param given_up: told that nothing did.
        """
        self._done = done
        self._given_up = given_up
        self._deadline = new_watch(self._too_late)
        self._pause = new_watch(self._try)
        self._contain: Contain = _plainly
        self._do: Callable[[], Deferred[_T]] | None = None
        self._trying: Deferred[Any] | None = None
        self._is_closed = False

    def begin(self, contain: Contain) -> None:
        """:param contain: calls whoever is told, from now on."""
        if not self._is_closed:
            self._contain = contain

    def start(self, do: Callable[[], Deferred[_T]]) -> None:
        """Try ``do``; whatever was tried before must be over."""
        self._do = do
        self._deadline.start()
        self._try()

    def tell(self, step: Callable[[], object]) -> None:
        """Tell somebody what came before the end."""
        self._contain(step)

    def cancel(self) -> None:
        """It is not wanted any more; idempotent, and nobody is told."""
        self._deadline.stop()
        self._pause.stop()
        self._do = None
        trying, self._trying = self._trying, None
        if trying is not None:
            trying.cancel()

    def close(self) -> None:
        """The call is over: let go of whoever was told."""
        self.cancel()
        self._is_closed = True
        self._deadline.close()
        self._pause.close()
        self._contain = _plainly
        self._done = lambda _: None
        self._given_up = lambda: None

    # -- within ------------------------------------------------------------------------

    def _try(self) -> None:
        assert self._do is not None
        self._trying = maybeDeferred(self._do)
        self._trying.addBoth(self._tried)

    def _tried(self, result: Any) -> None:
        if self._trying is not None:  # nobody has cancelled it
            self._trying = None
            self._contain(partial(self._settle, result))

    def _settle(self, result: Any) -> None:
        if isinstance(result, Failure):
            result.trap(EngineError)
            self._pause.start(_PAUSE_SECONDS)
        else:
            self.cancel()
            self._done(result)

    def _too_late(self) -> None:
        self.cancel()
        self._given_up()


def _plainly(step: Callable[[], object]) -> object:
    return step()

# -*- test-case-name: tests.calls.test_patience -*-
"""How long the end of a call waits for others.

A disk or an API that hangs must not hold the record of a call for ever, nor the end of
the service. Who is waited for is not disturbed: what it does late is still done.
"""

from __future__ import annotations

from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

__all__ = ["PATIENCE_SECONDS", "patiently"]

PATIENCE_SECONDS = 30.0

T = TypeVar("T")


def patiently(clock: IReactorTime, wanted: Deferred[T]) -> Deferred[T]:
    """
    Wait for ``wanted``, but not for ever, and without cancelling it.

    :returns: fires as ``wanted`` does, or fails with Twisted's ``TimeoutError``.
        A failure of ``wanted`` after that goes unheard; who minds adds an errback
        first.
    """
    waiting: Deferred[T] = Deferred()
    wanted.chainDeferred(waiting)
    return waiting.addTimeout(PATIENCE_SECONDS, clock)

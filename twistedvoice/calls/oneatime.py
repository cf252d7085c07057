# -*- test-case-name: tests.calls.test_oneatime -*-
"""Does what takes milliseconds one at a time, with a rest in between.

A hundred calls that end together are half a second's work. Done in one turn of the
reactor, no other call's frames would come or go meanwhile.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from twisted.internet.interfaces import IReactorTime

__all__ = ["OneATime"]

T = TypeVar("T")

#: The shortest rest; else it is as long as the work before it took.
_REST_SECONDS = 0.001


class OneATime(Generic[T]):
    """
    Has a function called with one thing after the other.

    At once when there is nothing else, and with half of the reactor's time at most.
    """

    def __init__(self, clock: IReactorTime, function: Callable[[T], None]) -> None:
        self._clock = clock
        self._function = function
        self._waiting: deque[T] = deque()
        #: Whether the function is being called, or will be.
        self._is_going = False
        #: Until when it rests.
        self._rests_until = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, thing: T) -> None:
        """Call the function with ``thing``, now or soon."""
        self._waiting.append(thing)
        if not self._is_going:
            self._go_on_after(self._rests_until - self._clock.seconds())

    def _go_on_after(self, rest: float) -> None:
        self._is_going = True
        if rest > 0:
            self._clock.callLater(rest, self._go_on)
        else:
            self._go_on()

    def _go_on(self) -> None:
        began = self._clock.seconds()
        try:
            self._function(self._waiting.popleft())
        finally:
            ended = self._clock.seconds()
            rest = max(ended - began, _REST_SECONDS)
            self._rests_until = ended + rest
            self._is_going = False
            if self._waiting:
                self._go_on_after(rest)

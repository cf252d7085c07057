# -*- test-case-name: tests.calls.test_oneatime -*-
"""Does what takes milliseconds in turns of the reactor, a thing or a few in each.

A hundred calls that end together are half a second's work. Done in one turn, no other
call's frames would come or go meanwhile.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from twisted.internet.interfaces import IReactorTime

__all__ = ["OneATime"]

T = TypeVar("T")

#: What comes so soon after the last was done comes in the same turn, or may well wait.
_TURN_SECONDS = 0.001
#: For each so many that wait one more is done in a turn, or they would grow ever more.
_MANY = 16


class OneATime(Generic[T]):
    """Has a function called with one thing after the other; at once with the first."""

    def __init__(self, clock: IReactorTime, function: Callable[[T], None]) -> None:
        self._clock = clock
        self._function = function
        self._waiting: deque[T] = deque()
        #: Whether the function is being called, or will be.
        self._is_going = False
        #: Until when what comes waits for the next turn.
        self._rests_until = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, thing: T) -> None:
        """Call the function with ``thing``, now or soon."""
        self._waiting.append(thing)
        if self._is_going:
            return
        self._is_going = True
        if self._clock.seconds() < self._rests_until:
            self._clock.callLater(0, self._go_on)
        else:
            self._go_on()

    def _go_on(self) -> None:
        began = self._clock.seconds()
        try:
            for _ in range(1 + len(self._waiting) // _MANY):
                self._function(self._waiting.popleft())
        finally:
            ended = self._clock.seconds()
            # As long as it took: other events of one turn lie between.
            self._rests_until = ended + max(ended - began, _TURN_SECONDS)
            self._is_going = bool(self._waiting)
            if self._is_going:
                self._clock.callLater(0, self._go_on)

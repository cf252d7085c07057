# -*- test-case-name: tests.agents.model.test_watch -*-
"""Sees to it that the line does not stay dead: an answer has its time.

A model that says anything at all gets more of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReactorTime

__all__ = ["NewWatch", "Watch"]

#: A timer may ring this much early, by how times are added.
_ROUNDING_SECONDS = 1e-6


class Watch:
    """Waits for one answer at a time."""

    def __init__(
        self,
        clock: IReactorTime,
        call_later: Callable[[float, Callable[[], object]], Any],
        seconds: float,
        lost: Callable[[], None],
    ) -> None:
        """
        :param call_later: as :meth:`~twistedvoice.interfaces.CallControl.call_later`.
        :param lost: called when nothing came for so long.
        """
        self._clock = clock
        self._call_later = call_later
        self._seconds = self._most_seconds = seconds
        self._lost = lost
        self._timer: Any = None
        self._told_at = 0.0

    def start(self, seconds: float = 0.0) -> None:
        """
        An answer is due from now on.

        :param seconds: how long it may take, where that is not the usual time.
        """
        self.stop()
        self.told()
        self._most_seconds = seconds or self._seconds
        self._wait(self._most_seconds)

    def told(self) -> None:
        """The model said something."""
        self._told_at = self._clock.seconds()

    def stop(self) -> None:
        """No answer is due."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def close(self) -> None:
        """The call is over: let go of whoever was told."""
        self.stop()
        self._lost = lambda: None

    def _wait(self, seconds: float) -> None:
        self._timer = self._call_later(seconds, self._look)

    def _look(self) -> None:
        left = self._told_at + self._most_seconds - self._clock.seconds()
        if left > _ROUNDING_SECONDS:
            self._wait(left)
        else:
            self._lost()


#: Makes a watch, given what is to be called when nothing came.
NewWatch = Callable[[Callable[[], None]], Watch]

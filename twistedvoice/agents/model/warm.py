# -*- test-case-name: tests.agents.model.test_warm -*-
"""What waits for its call, opened while the phone still rings.

A call that does not come leaves it behind: it is closed when it has waited long enough.
There is never more than so much.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from twisted.internet.interfaces import IDelayedCall, IReactorTime

__all__ = ["Closable", "Warm"]

#: As long as a place is kept for a call.
_WAIT_SECONDS = 15.0
_MOST = 50


class Closable(Protocol):
    """A session, or sockets."""

    def close(self) -> None:
        """It is not needed any more."""


_Opened = TypeVar("_Opened", bound=Closable)


class Warm(Generic[_Opened]):
    """What is open, by the call that it is for."""

    def __init__(self, clock: IReactorTime, open_one: Callable[[], _Opened]) -> None:
        self._clock = clock
        self._open_one = open_one
        self._waiting: dict[str, tuple[_Opened, IDelayedCall]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def expect(self, call_id: str) -> None:
        """Open one for a call, unless it has one or too many wait."""
        if call_id not in self._waiting and len(self._waiting) < _MOST:
            timer = self._clock.callLater(_WAIT_SECONDS, self._let_go, call_id)
            self._waiting[call_id] = (self._open_one(), timer)

    def claim(self, call_id: str) -> _Opened | None:
        """:returns: what waits for a call that has come, if anything does."""
        opened, timer = self._waiting.pop(call_id, (None, None))
        if timer is not None:
            timer.cancel()
        return opened

    def close(self) -> None:
        """Let go of all."""
        for call_id in list(self._waiting):
            opened = self.claim(call_id)
            if opened is not None:
                opened.close()

    def _let_go(self, call_id: str) -> None:
        opened, _ = self._waiting.pop(call_id)
        opened.close()

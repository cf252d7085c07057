# -*- test-case-name: tests.agents.model.test_warm -*-
"""Sessions that wait for their calls, opened while the phone still rings.

A call that does not come leaves its session behind: it is closed when it has waited
long enough. There are never more than so many.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from twisted.internet.interfaces import IDelayedCall, IReactorTime

__all__ = ["WarmSessions"]

#: As long as a place is kept for a call.
_WAIT_SECONDS = 15.0
_MOST = 50


class _Closable(Protocol):
    def close(self) -> None:
        """It is not needed any more."""


_Session = TypeVar("_Session", bound=_Closable)


class WarmSessions(Generic[_Session]):
    """Sessions by the call that they are for."""

    def __init__(
        self, clock: IReactorTime, open_session: Callable[[], _Session]
    ) -> None:
        self._clock = clock
        self._open_session = open_session
        self._waiting: dict[str, tuple[_Session, IDelayedCall]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def expect(self, call_id: str) -> None:
        """Open a session for a call, unless it has one or too many wait."""
        if call_id not in self._waiting and len(self._waiting) < _MOST:
            timer = self._clock.callLater(_WAIT_SECONDS, self._let_go, call_id)
            self._waiting[call_id] = (self._open_session(), timer)

    def claim(self, call_id: str) -> _Session | None:
        """:returns: the session of a call that has come, if one waits for it."""
        session, timer = self._waiting.pop(call_id, (None, None))
        if timer is not None:
            timer.cancel()
        return session

    def close(self) -> None:
        """Let go of all."""
        for call_id in list(self._waiting):
            session = self.claim(call_id)
            if session is not None:
                session.close()

    def _let_go(self, call_id: str) -> None:
        session, _ = self._waiting.pop(call_id)
        session.close()

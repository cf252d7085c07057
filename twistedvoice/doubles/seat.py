# -*- test-case-name: tests.doubles.openai.test_session -*-
"""One client of a double: its socket, its timers, and its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from ..events import Message
from .network import ServiceSocket

__all__ = ["Seat"]


class Seat:
    """The base of a session; whoever derives from it takes the messages."""

    def __init__(self, clock: IReactorTime, socket: ServiceSocket) -> None:
        #: The code with which the client went; None while it is here.
        self.ended: int | None = None
        self._clock = clock
        self._socket = socket
        self._timers: list[IDelayedCall] = []

    def lost(self, code: int, reason: str) -> None:
        """The client is gone."""
        self.ended = code
        self._stop()

    def say_raw(self, data: bytes, *, binary: bool = False) -> None:
        """Send anything."""
        self._socket.send(Message(data, binary))

    def break_off(self, code: int, reason: str = "") -> None:
        """End the socket; 1006 is without a word."""
        self.ended = code
        self._stop()
        self._socket.hang_up(code, reason)

    def later(
        self, seconds: float, function: Callable[..., None], *args: Any
    ) -> IDelayedCall:
        """Call a function later, unless the session has ended by then."""
        self._timers = [timer for timer in self._timers if timer.active()]
        self._timers.append(self._clock.callLater(seconds, function, *args))
        return self._timers[-1]

    def _stop(self) -> None:
        for timer in self._timers:
            if timer.active():
                timer.cancel()

# -*- test-case-name: tests.web.test_pouring -*-
"""Pours the body of an answer out piece by piece, no faster than it is written.

While a piece is written the socket is not read, so what is in memory is what one read
of the socket gave. Used by :mod:`.client`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss

from ..errors import CarrierApiError

__all__ = ["Pouring"]


class Pouring(Protocol):
    """
    Takes a body, for ``deliverBody``.

    ``ended`` fires when the whole body is written, or fails with what went wrong; it
    can be cancelled, which breaks the connection off.
    """

    #: A body comes over a transport that can pause.
    transport: Any

    def __init__(
        self,
        clock: IReactorTime,
        write: Callable[[bytes], Deferred[None]],
        *,
        limit: int,
        idle_seconds: float,
    ) -> None:
        """:param idle_seconds: how long nothing may come while nothing is written."""
        self.ended: Deferred[None] = Deferred(lambda _: self._break_off())
        self._clock = clock
        self._write = write
        self._left = limit
        self._idle_seconds = idle_seconds
        self._waiting: list[bytes] = []
        self._is_writing = False
        #: Why there is nothing more to come.
        self._last: Failure | None = None
        self._is_over = False
        self._idle: IDelayedCall | None = None

    def connectionMade(self) -> None:
        self._wait()

    def dataReceived(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            self._fail(Failure(_error("the answer is too large")))
        elif not self._is_over:
            self._waiting.append(data)
            self._go_on()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._last = reason
        self._go_on()

    def _go_on(self) -> None:
        """Write what waits, or read on, or end; unless a piece is being written."""
        if self._is_writing or self._is_over:
            return
        if self._waiting:
            self._write_out()
        elif self._last is None:
            self._wait()
        elif self._last.check(ResponseDone, PotentialDataLoss):
            self._end()
            self.ended.callback(None)
        else:
            self._fail(self._last)

    def _write_out(self) -> None:
        piece = b"".join(self._waiting)
        self._waiting.clear()
        self._is_writing = True
        self._stop_waiting()
        if self.transport is not None:
            self.transport.pauseProducing()
        maybeDeferred(self._write, piece).addCallbacks(self._written, self._fail)

    def _written(self, _: object) -> None:
        self._is_writing = False
        if self.transport is not None and not self._is_over:
            self.transport.resumeProducing()
        self._go_on()

    def _wait(self) -> None:
        self._stop_waiting()
        self._idle = self._clock.callLater(
            self._idle_seconds,
            lambda: self._fail(Failure(_error("the answer stopped coming"))),
        )

    def _stop_waiting(self) -> None:
        if self._idle is not None and self._idle.active():
            self._idle.cancel()

    def _fail(self, why: Failure) -> None:
        if not self._is_over:
            self._break_off()
            self.ended.errback(why)

    def _break_off(self) -> None:
        self._end()
        if self.transport is not None:
            self.transport.loseConnection()

    def _end(self) -> None:
        self._is_over = True
        self._waiting.clear()
        self._stop_waiting()


def _error(why: str) -> CarrierApiError:
    return CarrierApiError(why, status=None, code=None, retryable=False)

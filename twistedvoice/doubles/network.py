# -*- test-case-name: tests.doubles.test_network -*-
"""WebSockets without a network: a dialer in memory and in virtual time.

A double of a service takes sockets through :data:`Service`, and does not see whether
they come from here or from a real port (:mod:`.server`). Nothing is delivered within
the call that sends it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock

from ..errors import SocketRefused
from ..events import Message
from ..sockets import Socket, SocketReceiver, SocketRequest

__all__ = ["MemoryNetwork", "Service", "ServiceSocket"]


class ServiceSocket(Socket, Protocol):
    """The service's end of a socket."""

    def hang_up(self, code: int, reason: str = "") -> None:
        """Close it with a code of RFC 6455; 1006 breaks it off without a word."""


#: A service: takes a socket that somebody opens, and says who is told what comes in.
#: Raises :class:`~twistedvoice.errors.SocketRefused` with a status to let nobody in.
Service = Callable[[SocketRequest, ServiceSocket], SocketReceiver]


class MemoryNetwork:
    """Implements :data:`twistedvoice.sockets.Dialer` for one service."""

    def __init__(self, clock: Clock, service: Service, delay: float = 0.0) -> None:
        """:param delay: how long each message, and an opening, takes; in seconds."""
        self._clock = clock
        self._service = service
        self._delay = delay
        #: False: nobody answers, until the request's time-out.
        self.answers = True
        #: What was asked for, in order.
        self.requests: list[SocketRequest] = []

    def __call__(
        self, request: SocketRequest, receiver: SocketReceiver
    ) -> Deferred[Socket]:
        """:returns: fires once the service let us in; it can be cancelled."""
        self.requests.append(request)
        if not request.url.startswith(("ws:", "wss:")):
            return fail(SocketRefused("the URL is not that of a WebSocket"))
        opened: Deferred[Socket] = Deferred(lambda _: timer.cancel())

        def too_late() -> None:
            opened.errback(SocketRefused(f"not open within {seconds:g} seconds"))

        def open_it() -> None:
            near, far = _End(self._clock, self._delay), _End(self._clock, self._delay)
            near.peer, far.peer = far, near
            near.receiver = receiver
            try:
                far.receiver = self._service(request, far)
            except SocketRefused as refused:
                opened.errback(refused)
            else:
                opened.callback(near)

        seconds = request.timeout_seconds
        timer: Any = (
            self._clock.callLater(self._delay, open_it)
            if self.answers
            else self._clock.callLater(seconds, too_late)
        )
        return opened


class _End:
    """One end of a socket."""

    peer: _End

    def __init__(self, clock: Clock, delay: float) -> None:
        self.receiver: SocketReceiver | None = None
        self._clock = clock
        self._delay = delay
        self._open = True
        self._coming: deque[tuple[float, Message]] = deque()
        self._timer: IDelayedCall | None = None

    def send(self, message: Message) -> None:
        if self._open:
            self.peer.take(message)

    def close(self) -> None:
        self.hang_up(1000)

    def hang_up(self, code: int, reason: str = "") -> None:
        if self._open:
            self._open = False
            self._stop()
            self.peer.end(code, reason)

    def take(self, message: Message) -> None:
        """A message is on its way here."""
        self._coming.append((self._clock.seconds() + self._delay, message))
        self._wait()

    def end(self, code: int, reason: str) -> None:
        """The peer has gone; what it said before is heard first."""
        while self._coming and self._open:
            self._hear()
        receiver = self.receiver
        if self._open and receiver is not None:
            self._open = False
            self._stop()
            receiver.lost(code, reason)

    def _wait(self) -> None:
        if self._timer is None and self._coming and self._open:
            wait = max(0.0, self._coming[0][0] - self._clock.seconds())
            self._timer = self._clock.callLater(wait, self._due)

    def _due(self) -> None:
        self._timer = None
        now = self._clock.seconds()
        while self._open and self._coming and self._coming[0][0] <= now + 1e-9:
            self._hear()
        self._wait()

    def _hear(self) -> None:
        _, message = self._coming.popleft()
        if self.receiver is not None:
            self.receiver.received(message)

    def _stop(self) -> None:
        self.receiver = None
        timer, self._timer = self._timer, None
        self._coming.clear()
        if timer is not None:
            timer.cancel()
